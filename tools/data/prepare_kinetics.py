"""Make an annotation file of the Kinetics-skeleton release (ST-GCN's)."""

import sys

from msg3d.converters import convert_kinetics
from msg3d.converters.command import converter_parser, positive, run_converter


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder of the release: kinetics_train, kinetics_val and the label lists",
        out="annotation file to write, such as kinetics_openpose.pkl",
    )
    add = parser.add_argument
    add(
        "--persons",
        choices=["rank", "track"],
        default="rank",
        help="rank: the best scored of each frame, as the authors; "
        "track: the same person throughout (default: rank)",
    )
    add(
        "--max-persons",
        type=positive,
        default=2,
        metavar="K",
        help="rows a clip at most (default: 2, as the authors)",
    )
    add("--lists", metavar="FOLDER", help="of the label lists (default: RAW)")
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_kinetics(
            args.raw,
            args.out,
            args.allow_bad,
            args.jobs,
            persons=args.persons,
            max_persons=args.max_persons,
            lists=args.lists,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
