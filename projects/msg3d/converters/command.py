"""The command line of the converters: `prepare_NAME.py RAW OUT`."""

import argparse
import sys
from collections.abc import Callable

from ..errors import MSG3DError
from .report import report_text


def converter_parser(description: str, raw: str, out: str) -> argparse.ArgumentParser:
    """Return a parser with RAW, OUT, --allow-bad, and --jobs.

    Args:
        description, raw, out: help texts of the command and of the two arguments.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog="The report is printed, and written to OUT.report.json and "
        "OUT.report.txt. If a file is refused, the exit code is 1 and OUT is not "
        "changed, unless --allow-bad is given. After an interruption, run the command "
        "again to resume; finished work is kept in OUT.parts until OUT is written.",
    )
    parser.add_argument("raw", help=raw)
    parser.add_argument("out", help=out)
    parser.add_argument(
        "--allow-bad", action="store_true", help="write OUT without the refused files"
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        help="number of processes (default: one per core)",
        metavar="N",
    )
    return parser


def positive(text: str) -> int:
    """Parse an argument that is an integer above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected 1, 2, 3 ...")
    return int(text)


def run_converter(program: str, convert: Callable[[], dict]) -> int:
    """Run a conversion, print its report or error, and return the exit code."""
    try:
        report = convert()
    except (MSG3DError, ImportError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"{program}: interrupted; run the command again to resume",
            file=sys.stderr,
        )
        return 130
    print(report_text(report))
    return 0 if report["written"] else 1
