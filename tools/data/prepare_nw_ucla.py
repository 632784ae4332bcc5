"""Make an annotation file of the Northwestern-UCLA skeleton release."""

import argparse
import sys

from msg3d.datasets.annotations import AnnotationError
from msg3d.datasets.converters import convert_nw_ucla
from msg3d.datasets.converters.report import report_text


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The report is printed and written as OUT.report.json. Exits with 1, "
        "and leaves OUT as it was, if a file was refused and --allow-bad not given.",
    )
    parser.add_argument("raw", help="folder or archive of the JSON files")
    parser.add_argument("out", help="annotation file to write, such as nw_ucla.pkl")
    parser.add_argument(
        "--allow-bad", action="store_true", help="write OUT without the refused files"
    )
    args = parser.parse_args()
    try:
        report = convert_nw_ucla(args.raw, args.out, args.allow_bad)
    except (AnnotationError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(report_text(report))
    return 0 if report["written"] else 1


if __name__ == "__main__":
    sys.exit(main())
