"""Pack an annotation file into a store that is read sample by sample, or unpack it."""

import argparse
import os
import pickle
import sys

from msg3d.datasets import load_annotations, load_store, pack
from msg3d.errors import DataError
from msg3d.io.atomic import whole_file
from msg3d.stores.out_path import check_out


def show_progress(done: int, total: int) -> None:
    """Print the progress in one line, at every twentieth part."""
    if done == total or done % max(total // 20, 1) == 0:
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} samples", end=end, file=sys.stderr, flush=True)


def convert(source: str, out: str, keep_dtype: bool) -> str:
    """Pack or unpack, depending on the ending of `out`; return a summary.

    Raises:
        DataError: `source` cannot be read, or `out` has the ending of the other form.
        OSError: `out` cannot be written.
    """
    _check_direction(source, out)
    out = check_out(out)
    folder = os.path.dirname(out)
    if folder:
        os.makedirs(folder, exist_ok=True)
    if out.endswith(".packed"):
        print(f"reading {source}", file=sys.stderr)
        data = load_annotations(source)
        pack(data, out, keep_dtype, source=source, progress=show_progress)
        del data
        store = load_store(out)
        size = sum(
            os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(out)
            for name in names
        )
        splits = ", ".join(f"{name} {n}" for name, n in (store.splits or {}).items())
        return f"samples: {len(store)}\nsplits: {splits or 'none'}\nbytes: {size:,}"
    data = load_store(source).unpack(show_progress)
    with whole_file(out) as file:
        pickle.dump(data, file, protocol=4)
    return f"bytes: {os.path.getsize(out):,}"


def _check_direction(source: str, out: str) -> None:
    """Refuse to unpack a file, and to pack a store."""
    name = out.rstrip("/")
    if name.endswith(".pkl") and os.path.isfile(source):
        raise DataError(
            f"{source} is a file, which can only be packed: give OUT a name that ends "
            f"in .packed, such as {name.removesuffix('.pkl')}.packed",
            kind="file-name",
            file=out,
        )
    if name.endswith(".packed") and os.path.isdir(source):
        raise DataError(
            f"{source} is a folder, which can only be unpacked: give OUT a name that "
            f"ends in .pkl, such as {name.removesuffix('.packed')}.pkl",
            kind="file-name",
            file=out,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The ending of OUT determines the direction. IN is checked first, and "
        "OUT is written atomically. Packing and unpacking hold all data in memory; "
        "msg3d.datasets.StoreWriter writes a store without doing so.",
    )
    parser.add_argument("source", metavar="IN", help="NAME.pkl, or NAME.packed")
    parser.add_argument("out", metavar="OUT", help="NAME.packed, or NAME.pkl")
    parser.add_argument(
        "--keep-dtype",
        action="store_true",
        help="keep the dtype of the keypoints (default: convert to float32)",
    )
    args = parser.parse_args()
    try:
        summary = convert(args.source, args.out, args.keep_dtype)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{summary}\nwritten: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
