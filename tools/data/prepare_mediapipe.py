"""Make an annotation file of MediaPipe Pose's landmarks, stored as JSON or csv."""

import sys

from msg3d.converters import convert_mediapipe
from msg3d.converters.command import converter_parser, run_converter
from msg3d.converters.user_data import add_labelled_options


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder or zip of .json or .csv files, train/CLASS/VIDEO and val/CLASS/VIDEO",
        out="annotation file to write, such as mine.pkl",
    )
    parser.add_argument(
        "--coordinates",
        choices=["image", "world"],
        default="image",
        help="image: 2D with scores; world: 3D in metres (default: image)",
    )
    add_labelled_options(parser)
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_mediapipe(
            args.raw,
            args.out,
            args.allow_bad,
            args.jobs,
            coordinates=args.coordinates,
            list_file=args.list,
            img_shape=args.img_shape,
            max_persons=args.max_persons,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
