"""Make an annotation file of NTU RGB+D 60 or 120 from its .skeleton files."""

import argparse
import sys

from msg3d.converters import convert_ntu
from msg3d.converters.command import converter_parser, run_converter


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder of the .skeleton files or of the zips they come in, or one zip",
        out="annotation file to write, such as ntu60_3d.pkl",
    )
    parser.add_argument(
        "--benchmark",
        choices=("ntu60", "ntu120"),
        required=True,
        help="which of the two; files of the other one are left out",
    )
    parser.add_argument(
        "--missing",
        action="append",
        metavar="LIST",
        help="the authors' list of samples with missing skeletons, to leave out; may be "
        "given twice (default: under its published name in RAW or beside it)",
    )
    parser.add_argument(
        "--denoise",
        action="store_true",
        help="leave bodies out that are seen in 11 frames or fewer or are too wide for "
        "their height, and sort the others by motion, as CTR-GCN and PYSKL do",
    )
    parser.add_argument(
        "--max-persons",
        type=_count,
        default=2,
        metavar="N",
        help="bodies kept a sample, those that spread most (default: 2); 0 for all",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_ntu(
            args.raw,
            args.out,
            args.benchmark,
            args.missing,
            args.denoise,
            args.max_persons,
            args.allow_bad,
            args.jobs,
        ),
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
