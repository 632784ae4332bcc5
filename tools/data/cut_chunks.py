"""Cut the sequences of an annotation file into chunks that do not overlap."""

import argparse
import sys

from msg3d.annotations.chunks import REMAINDERS, cut_annotations
from msg3d.annotations.splits import shared_persons
from msg3d.converters.command import positive
from msg3d.datasets import load_annotations, save_annotations
from msg3d.errors import DataError
from msg3d.stores.out_path import check_out


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="A chunk has all fields of its sequence, such as label, targets, "
        "person_id, and session, and the id SEQUENCE_c000, SEQUENCE_c001, ...",
    )
    parser.add_argument("ann_file", metavar="IN.pkl")
    parser.add_argument("out", metavar="OUT.pkl")
    parser.add_argument(
        "--length", type=positive, required=True, help="frames per chunk"
    )
    parser.add_argument(
        "--remainder",
        choices=list(REMAINDERS),
        default="keep",
        help="what to make of the frames after the last complete chunk: "
        + "; ".join(f"{name}: {what}" for name, what in REMAINDERS.items())
        + " (default: keep)",
    )
    args = parser.parse_args()
    try:
        check_out(args.out, (".pkl",))
        data = load_annotations(args.ann_file)
        cut, report = cut_annotations(
            data, args.length, args.remainder, source=args.ann_file
        )
        save_annotations(cut, args.out)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"sequences       {report.sequences}")
    print(f"chunks          {report.chunks}")
    print(f"frames padded   {report.frames_padded}")
    print(f"frames dropped  {report.frames_dropped}")
    for name in report.short:
        fate = "lost" if name in report.lost else "kept"
        print(f"short           {name}, below {args.length} frames: {fate}")
    for first, second, persons in shared_persons(cut):
        print(
            f"WARNING: {len(persons)} persons are in {first} and in {second}: "
            f"{', '.join(persons[:10])}{' ...' if persons[10:] else ''}"
        )
    print(
        f"wrote {args.out}: {report.sequences} sequences as {report.chunks} chunks of "
        f"{args.length} frames ({len(report.lost)} sequences lost)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
