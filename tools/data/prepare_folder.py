"""Make an annotation file of your own sequences: a sub-folder a class, a file a sequence.

RAW/CLASS/.../NAME.csv or .npy, where wanted with train/ and val/ above the classes. A
.csv has a row a frame and the columns NAME_x, NAME_y, NAME_z (NAME_score) by the joint
names of the layout, or x0, y0, z0, x1, ...; several persons have a row each, told apart
by the columns frame and person. A .npy is [T, V, C] or [M, T, V, C]. A joint that was not
seen is NaN or empty.
"""

import json
import sys

from msg3d.converters import convert_folder
from msg3d.converters.command import converter_parser, positive, run_converter
from msg3d.errors import DataError
from msg3d.formats.sequence_arrays import UNITS
from msg3d.skeletons import SKELETONS, Skeleton, skeleton


def read_layout(text: str) -> Skeleton:
    """A layout by name, or from a JSON file of what a config says of it."""
    try:
        if not text.endswith(".json"):
            return skeleton(text)
        with open(text) as file:
            return skeleton(json.load(file))
    except (ValueError, TypeError) as error:
        raise DataError(f"--layout {text}: {error}") from None


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder of class folders, or a zip of it",
        out="annotation file to write, such as data/mine.pkl",
    )
    add = parser.add_argument
    add(
        "--layout",
        required=True,
        help=f"the joints: {', '.join(sorted(SKELETONS))}, or a .json file with "
        "num_node, inward, center and joints (their names)",
    )
    add(
        "--units",
        required=True,
        choices=list(UNITS),
        help="of the files: 3D metres, centimetres or millimetres (written as metres) "
        "or unscaled; 2D pixels, or normalised to 0..1 (written as pixels)",
    )
    add("--img-shape", type=positive, nargs=2, metavar=("H", "W"), help="for 2D")
    side = parser.add_mutually_exclusive_group()
    side.add_argument(
        "--split", metavar="LIST.csv", help="the split: columns name, split"
    )
    side.add_argument(
        "--val-fraction", type=float, metavar="F", help="hold out a part of each class"
    )
    add("--seed", type=int, default=0, help="of what is held out (default: 0)")
    add(
        "--group",
        metavar="REGEX",
        help="finds in a path whose recording it is; one person's stay on one side",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_folder(
            args.raw,
            args.out,
            read_layout(args.layout),
            args.units,
            img_shape=args.img_shape and tuple(args.img_shape),
            split=args.split,
            val_fraction=args.val_fraction,
            seed=args.seed,
            group=args.group,
            allow_bad=args.allow_bad,
            jobs=args.jobs,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
