"""Make the quickstart data set: synthetic human actions, as an annotation file."""

import argparse
import sys

import numpy as np

from msg3d.annotations.files import save_annotations
from msg3d.stores.out_path import check_out
from msg3d.synthetic.actions import make_synthetic_actions


def show_progress(made: int, total: int) -> None:
    """Print the progress in one line, at every twentieth part."""
    if made == total or made % max(total // 20, 1) == 0:
        end = "\n" if made == total else ""
        print(f"\r{made}/{total} samples", end=end, file=sys.stderr, flush=True)


def summary(data: dict) -> str:
    """Return a summary of the data set."""
    frames = [sample["total_frames"] for sample in data["annotations"]]
    splits = ", ".join(f"{name} {len(ids)}" for name, ids in data["split"].items())
    return (
        f"samples: {len(frames)}\n"
        f"classes: {', '.join(data['meta']['classes'])}\n"
        f"splits: {splits}\n"
        f"frames: min {min(frames)}, median {np.median(frames):g}, max {max(frames)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="OUT is written atomically. The same arguments give the same data.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", help="annotation file to write (.pkl)")
    add = parser.add_argument
    add(
        "--subjects",
        type=int,
        default=16,
        help="number of people; every fourth is held out",
    )
    add("--repeats", type=int, default=5, help="samples of each action by each person")
    add("--seed", type=int, default=0, help="seed of all randomness")
    args = parser.parse_args()
    try:
        check_out(args.out, (".pkl",))
        data = make_synthetic_actions(
            args.subjects, args.repeats, args.seed, progress=show_progress
        )
        save_annotations(data, args.out)
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{summary(data)}\nwritten: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
