"""The command line that the converters share: `prepare_NAME.py RAW OUT`."""

import argparse
import sys
from collections.abc import Callable

from ..errors import DataError
from .report import report_text


def converter_parser(description: str, raw: str, out: str) -> argparse.ArgumentParser:
    """A parser with RAW, OUT, --allow-bad and --jobs.

    Args:
        description: what the command does; its text at `--help`.
        raw, out: what the two are.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog="The report is printed, and written as OUT.report.json and "
        "OUT.report.txt. Exits with 1, and leaves OUT as it was, if a file was refused "
        "and --allow-bad not given. Interrupted, it goes on where it was when it is "
        "run again; finished work lies in OUT.parts until OUT is written.",
    )
    parser.add_argument("raw", help=raw)
    parser.add_argument("out", help=out)
    parser.add_argument(
        "--allow-bad", action="store_true", help="write OUT without the refused files"
    )
    parser.add_argument(
        "--jobs", type=positive, help="processes (default: one a core)", metavar="N"
    )
    return parser


def positive(text: str) -> int:
    """The type of an argument that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected 1, 2, 3 ...")
    return int(text)


def run_converter(program: str, convert: Callable[[], dict]) -> int:
    """Runs a conversion, prints its report or its error, and gives the exit code."""
    try:
        report = convert()
    except (DataError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"{program}: interrupted; run it again and it goes on from here",
            file=sys.stderr,
        )
        return 130
    print(report_text(report))
    return 0 if report["written"] else 1
