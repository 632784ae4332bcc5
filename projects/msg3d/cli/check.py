"""Report every problem in an annotation file or packed store, and suggest config values.

Code in the file is not executed. A packed store may be larger than memory. The exit status
is 1 if the file has errors, or with --strict, errors or warnings.
"""

import argparse

from .options import add_shared, check_overwrite, count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="annotation file (.pkl) or packed store (.packed)")
    add_shared(parser, "--layout", help="expected skeleton layout")
    add("--multi-class", action="store_true", help="allow lists of labels")
    add("--strict", action="store_true", help="also exit with status 1 for warnings")
    add(
        "--show",
        type=count,
        default=3,
        metavar="N",
        help="number of problems to print per kind (default: 3). The JSON lists up to 10,000",
    )
    add_shared(parser, "--json", help="also write the report as JSON")
    add("--picture", metavar="FILE", help="also write histograms (.png)")
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> int:
    from ..annotations.inspection import as_json, as_text, inspect_annotations
    from ..annotations.inspection.report import unreadable
    from ..errors import DataError
    from ..io.atomic import write_json
    from ..stores.out_path import check_file
    from ..stores.packing import open_any

    for path in filter(None, (args.json, args.picture)):
        check_file(path)
    if args.picture and not args.picture.endswith(".png"):
        raise argparse.ArgumentError(None, "--picture: the file name must end in .png")
    check_overwrite(args.overwrite, args.json, args.picture)
    try:
        data = open_any(args.file)
        inspection = inspect_annotations(data, args.layout, args.multi_class)
    except DataError as error:
        if args.json:
            write_json(unreadable(error, args.file), args.json)
        raise
    report = as_json(inspection, args.file)
    print(as_text(report, inspection, args.show))
    if args.json:
        write_json(report, args.json)
    if args.picture:
        # matplotlib takes a second to import.
        from ..annotations.inspection.picture import draw

        draw(inspection, report, args.picture)
    return 1 if inspection.errors or (args.strict and inspection.warnings) else 0
