"""Make an annotation file of the SBU Kinect Interaction release."""

import sys

from msg3d.converters import convert_sbu
from msg3d.converters.command import converter_parser, run_converter
from msg3d.converters.sbu import UNITS, units_name


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder or archive of the release: PAIR/ACTION/RUN/skeleton_pos.txt",
        out="annotation file to write, such as sbu.pkl",
    )
    parser.add_argument(
        "--units",
        type=units_name,
        choices=list(UNITS),
        default="unscaled",
        help="; ".join(f"{name}: {what}" for name, what in UNITS.items())
        + " (default: unscaled; raw and metres are accepted too)",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_sbu(args.raw, args.out, args.allow_bad, args.jobs, args.units),
    )


if __name__ == "__main__":
    sys.exit(main())
