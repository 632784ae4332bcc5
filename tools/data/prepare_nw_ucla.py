"""Make an annotation file of the Northwestern-UCLA skeleton release."""

import sys

from msg3d.converters import convert_nw_ucla
from msg3d.converters.command import converter_parser, run_converter


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder or archive of the JSON files",
        out="annotation file to write, such as nw_ucla.pkl",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_nw_ucla(args.raw, args.out, args.allow_bad, args.jobs),
    )


if __name__ == "__main__":
    sys.exit(main())
