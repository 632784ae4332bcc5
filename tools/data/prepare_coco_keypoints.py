"""Make an annotation file of pose estimators' JSON (MMPose, AlphaPose, YOLO, COCO)."""

import sys

from msg3d.converters import convert_coco_json
from msg3d.converters.command import converter_parser, run_converter
from msg3d.converters.user_data import ESTIMATORS, add_labelled_options


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder or zip of JSON files, train/CLASS/VIDEO.json and val/CLASS/VIDEO.json",
        out="annotation file to write, such as mine.pkl",
    )
    parser.add_argument(
        "--format",
        choices=ESTIMATORS,
        help="of the files (default: detected for each, and reported)",
    )
    add_labelled_options(parser)
    parser.add_argument(
        "--normalized",
        action="store_true",
        help="coordinates are fractions of the image, 0..1, not pixels",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_coco_json(
            args.raw,
            args.out,
            args.allow_bad,
            args.jobs,
            form=args.format,
            list_file=args.list,
            img_shape=args.img_shape,
            max_persons=args.max_persons,
            normalized=args.normalized,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
