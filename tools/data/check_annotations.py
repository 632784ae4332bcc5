"""Check an annotation file or packed store: find every fault, and values for a config."""

import argparse
import json
import sys

from msg3d.annotations.inspection import as_json, as_text, inspect_annotations
from msg3d.annotations.inspection.report import unreadable
from msg3d.errors import DataError
from msg3d.io.atomic import whole_file
from msg3d.skeletons import SKELETONS
from msg3d.stores.out_path import check_file
from msg3d.stores.packing import load_any


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Nothing in the file is executed. The exit code is 1 if there are errors "
        "(with --strict also for warnings), else 0.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="annotation file (.pkl) or store (.packed)"
    )
    parser.add_argument(
        "--layout", choices=sorted(SKELETONS), help="layout that the joints should have"
    )
    parser.add_argument(
        "--multi-class", action="store_true", help="a label may be a list of labels"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 for warnings, too"
    )
    parser.add_argument(
        "--show",
        type=int,
        default=3,
        metavar="N",
        help="faults of each kind to print (default: 3); the JSON contains all",
    )
    parser.add_argument("--json", metavar="OUT", help="write the report as JSON")
    parser.add_argument("--picture", metavar="OUT", help="write histograms as PNG")
    return parser


def write_json(report: dict, path: str) -> None:
    with whole_file(path, "x") as file:
        json.dump(report, file, indent=1)


def main() -> int:
    parser = make_parser()
    args = parser.parse_args()
    try:
        for out in filter(None, (args.json, args.picture)):
            check_file(out)
    except DataError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    try:
        try:
            data = load_any(args.file)
        except DataError as error:
            print(f"{parser.prog}: {error}", file=sys.stderr)
            if args.json:
                write_json(unreadable(error, args.file), args.json)
            return 1
        seen = inspect_annotations(data, args.layout, args.multi_class)
        report = as_json(seen, args.file)
        print(as_text(report, seen, args.show))
        if args.json:
            write_json(report, args.json)
        if args.picture:
            # matplotlib takes a second to import.
            from msg3d.annotations.inspection.picture import draw

            draw(seen, report, args.picture)
    except (ImportError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 1 if seen.errors or (args.strict and seen.warnings) else 0


if __name__ == "__main__":
    sys.exit(main())
