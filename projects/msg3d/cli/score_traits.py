"""Score predicted personality traits by the mean squared error over participants.

The error is that of the DYAD challenge at ICCV 2021. PREDICTIONS and TRUTH are CSV files
with a header, which consists of `Participant ID` and the names of the traits, and a row
for each participant in any order.
"""

import argparse
import json

from .options import add_shared, check_overwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("predictions", metavar="PREDICTIONS", help="predicted traits")
    parser.add_argument("truth", metavar="TRUTH", help="true traits")
    add_shared(
        parser,
        "--json",
        nargs="?",
        const="-",
        help="write the result as JSON to FILE, or print it as JSON without FILE",
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..evaluation.traits import read_traits, squared_errors
    from ..io.atomic import whole_file

    if args.json != "-":
        check_overwrite(args.overwrite, args.json)
    errors = squared_errors(read_traits(args.predictions), read_traits(args.truth))
    if args.json == "-":
        print(json.dumps(errors))
        return
    if args.json:
        with whole_file(args.json, "x") as file:
            json.dump(errors, file)
    width = max(map(len, errors))
    for name, error in errors.items():
        print(f"{name:{width}}  {error:.6f}")
