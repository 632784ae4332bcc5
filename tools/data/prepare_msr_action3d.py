"""Make an annotation file of the MSR-Action3D skeleton release."""

import sys

from msg3d.converters import convert_msr_action3d
from msg3d.converters.command import converter_parser, run_converter


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder or archive of the files aAA_sSS_eEE_skeleton3D.txt",
        out="annotation file to write, such as msr_action3d.pkl",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_msr_action3d(args.raw, args.out, args.allow_bad, args.jobs),
    )


if __name__ == "__main__":
    sys.exit(main())
