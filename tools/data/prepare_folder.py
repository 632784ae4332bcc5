"""Make an annotation file of your own recordings, in any of the formats below.

RAW/CLASS/.../NAME, optionally with train/ and val/ above the classes. A file is a
sequence, or a frame of the sequence that its folder is (OpenPose and others). Formats
that do not tell their joints and unit need --layout and --units.
"""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from textwrap import fill

from msg3d.converters import convert_folder
from msg3d.converters.command import converter_parser, positive, run_converter
from msg3d.errors import DataError
from msg3d.formats.base import all_formats, format_help
from msg3d.skeletons import SKELETONS, Skeleton, skeleton
from msg3d.skeletons.units import UNITS, unit_name
from msg3d.video import rtmlib_pose


def read_layout(text: str) -> Skeleton:
    """Return a layout by name, or from a JSON file of what a config says about it."""
    try:
        if not text.endswith(".json"):
            return skeleton(text)
        with open(text) as file:
            return skeleton(json.load(file))
    except (ValueError, TypeError) as error:
        raise DataError(f"--layout {text}: {error}", kind="layout") from None


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder of class folders, or a zip of it",
        out="annotation file to write, such as data/mine.pkl",
    )
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = f"formats:\n{format_help()}\n\n{fill(parser.epilog, 79)}"
    add = parser.add_argument
    add(
        "--format",
        choices=all_formats(),
        help="of the files (default: detected for each)",
    )
    add(
        "--layout",
        help=f"the joints: {', '.join(sorted(SKELETONS))}, or a .json file with "
        "num_node, inward, center and joints (their names)",
    )
    add(
        "--units",
        type=unit_name,
        metavar="UNIT",
        help=f"of the files: {', '.join(UNITS)}. Lengths are written in meters, "
        "normalized coordinates in pixels",
    )
    add("--img-shape", type=positive, nargs=2, metavar=("H", "W"), help="for 2D")
    side = parser.add_mutually_exclusive_group()
    side.add_argument(
        "--split",
        metavar="LIST.csv",
        help="columns name,split; or file,label,split[,height,width] instead of class "
        "folders",
    )
    side.add_argument(
        "--val-fraction", type=float, metavar="F", help="hold out a part of each class"
    )
    add("--seed", type=int, default=0, help="of what is held out (default: 0)")
    add(
        "--group",
        metavar="REGEX",
        help="finds the recorded person in a path; each one stays on one side",
    )
    add(
        "--max-persons",
        type=positive,
        default=5,
        metavar="K",
        help="maximum number of detected persons per sequence, those with the largest "
        "sum of scores (default: 5)",
    )
    add("--pose-model", metavar="ONNX", help="for videos: RTMPose, or RTMO without")
    add("--det-model", metavar="ONNX", help="a YOLOX that detects persons for RTMPose")
    args = parser.parse_args()

    def convert() -> dict:
        pose = None
        if args.pose_model:
            pose = rtmlib_pose(args.pose_model, args.det_model)
        return convert_folder(
            args.raw,
            args.out,
            args.layout and read_layout(args.layout),
            args.units,
            img_shape=args.img_shape and tuple(args.img_shape),
            split=args.split,
            val_fraction=args.val_fraction,
            seed=args.seed,
            group=args.group,
            allow_bad=args.allow_bad,
            jobs=args.jobs,
            file_format=args.format,
            max_persons=args.max_persons,
            pose=pose,
        )

    return run_converter(parser.prog, convert)


if __name__ == "__main__":
    sys.exit(main())
