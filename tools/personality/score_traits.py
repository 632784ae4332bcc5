"""Score predicted traits as the challenge does: mean squared error over participants."""

import argparse
import json
import sys

from msg3d.errors import DataError
from msg3d.evaluation.traits import read_traits, squared_errors


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Both files have a header, `Participant ID` and the traits' names, and "
        "one row per participant; the rows may be in any order.",
    )
    parser.add_argument("predictions", metavar="PRED.csv")
    parser.add_argument("truth", metavar="TRUTH.csv")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    try:
        errors = squared_errors(read_traits(args.predictions), read_traits(args.truth))
    except DataError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(errors))
        return 0
    width = max(map(len, errors))
    for name, error in errors.items():
        print(f"{name:{width}}  {error:.6f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
