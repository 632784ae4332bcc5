"""Make an annotation file of UDIVA v0.5: chunks of body landmarks, and five traits."""

import sys

from msg3d.annotations.chunks import REMAINDERS
from msg3d.converters import convert_udiva
from msg3d.converters.command import converter_parser, positive, run_converter
from msg3d.converters.udiva import MISSING


def main() -> int:
    parser = converter_parser(
        __doc__,
        raw="folder of the release, its archives unpacked: animals_annotations_train, "
        "..., metadata_train, and the same of val and test",
        out="annotation file to write, such as udiva_250.pkl",
    )
    parser.add_argument(
        "--chunk",
        type=positive,
        required=True,
        help="frames a chunk; published are 250 and 2000",
    )
    parser.add_argument(
        "--remainder",
        choices=list(REMAINDERS),
        default="keep",
        help="how to take the frames behind the last whole chunk: "
        + "; ".join(f"{name}: {what}" for name, what in REMAINDERS.items())
        + " (default: keep)",
    )
    parser.add_argument(
        "--missing",
        choices=list(MISSING),
        default="remove",
        help="frames without body landmarks: "
        + "; ".join(f"{name}: {what}" for name, what in MISSING.items())
        + " (default: remove)",
    )
    args = parser.parse_args()
    return run_converter(
        parser.prog,
        lambda: convert_udiva(
            args.raw,
            args.out,
            args.chunk,
            args.remainder,
            args.missing,
            args.allow_bad,
            args.jobs,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
