"""Cut the sequences of an annotation file into non-overlapping chunks.

A chunk keeps all fields of its sequence, such as label, targets, person_id, and session.
The ids of the chunks are SEQUENCE_c000, SEQUENCE_c001, ...
"""

import argparse
import sys

from .options import add_shared, check_overwrite, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="annotation file (.pkl)")
    parser.add_argument(
        "output", metavar="OUTPUT", help="annotation file to write (.pkl)"
    )
    parser.add_argument(
        "--length",
        type=positive,
        required=True,
        metavar="FRAMES",
        help="frames per chunk",
    )
    parser.add_argument(
        "--remainder",
        choices=("keep", "pad", "drop"),
        default="keep",
        help="frames after the last complete chunk: keep them as a shorter chunk, pad "
        "them by repeating the last frame, or drop them, as published (default: keep)",
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..annotations.chunks import cut_annotations
    from ..annotations.files import load_annotations, save_annotations
    from ..annotations.splits import shared_persons
    from ..stores.out_path import check_out

    check_overwrite(args.overwrite, check_out(args.output, (".pkl",)))
    data = load_annotations(args.file)
    cut, report = cut_annotations(data, args.length, args.remainder, source=args.file)
    save_annotations(cut, args.output)
    for name in report.short:
        outcome = "lost" if name in report.lost else "kept"
        print(f"{name}: shorter than {args.length} frames, {outcome}")
    for first, second, persons in shared_persons(cut):
        print(
            f"WARNING: {len(persons)} persons are in {first} and in {second}: "
            f"{', '.join(persons[:10])}{' ...' if persons[10:] else ''}",
            file=sys.stderr,
        )
    at_most = "at most " if report.short and args.remainder == "keep" else ""
    print(
        f"wrote {args.output}: {report.sequences} sequences as {report.chunks} chunks of "
        f"{at_most}{args.length} frames ({report.frames_padded} frames padded, "
        f"{report.frames_dropped} dropped, {len(report.lost)} sequences lost)"
    )
