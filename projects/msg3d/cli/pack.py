"""Pack an annotation file into a store that is read sample by sample, or unpack it.

The suffix of OUTPUT determines the direction:

    msg3d pack ntu60_3d.pkl ntu60_3d.packed
    msg3d pack ntu60_3d.packed back.pkl

FILE is loaded into memory and checked first. To write a store that does not fit in
memory, use msg3d.datasets.StoreWriter.
"""

import argparse
import os
from pathlib import Path

from .options import add_shared, check_overwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="NAME.pkl or NAME.packed")
    add("output", metavar="OUTPUT", help="NAME.packed or NAME.pkl")
    add(
        "--keep-dtype",
        action="store_true",
        help="keep the dtype of the keypoints (default: convert to float32)",
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..stores.out_path import check_out
    from ..stores.packing import pack_file
    from ..stores.store import load_store

    check_overwrite(args.overwrite, check_out(args.output))
    output = pack_file(args.file, args.output, args.keep_dtype)
    if output.endswith(".packed"):
        store = load_store(output)
        splits = ", ".join(f"{name} {n}" for name, n in (store.splits or {}).items())
        print(f"samples: {len(store)}\nsplits: {splits or 'none'}")
    print(f"wrote {output}: {_size(output):,} bytes")


def _size(path: str) -> int:
    files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sum(file.stat().st_size for file in files or [Path(path)])
