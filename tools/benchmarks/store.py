"""Packed store and PoseDataset: memory of the loader, first batch, samples a second.

Both hold the same samples, shaped like NTU RGB+D's. They are measured in turn, each in
a process of its own; medians over the rounds.
"""

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from .progress import progress
from .results import table

NAME = "benchmark_store.py"
JOINTS, CHANNELS = 25, 3
# Of NTU RGB+D 60's 60 actions, 11 are of two persons.
TWO_PERSONS = 11 / 60
# name of the row -> type of the data set, ending of its file
KINDS = {
    "PoseDataset": ("PoseDataset", "ntu_like.pkl"),
    "packed store": ("PackedSkeletonDataset", "ntu_like.packed"),
    "100 samples": ("PoseDataset", "few.pkl"),
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=NAME,
        description="Measure a packed store (float32) against PoseDataset (a pickle of "
        "float16) on made samples, with the training pipeline of the NTU RGB+D 60 3D "
        "config.",
        epilog="Needs Linux, memory for three times the pickle, and disk for pickle and "
        "store; the files are taken away at the end.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add("--samples", type=int, default=100_000, help="how many")
    add("--frames", type=int, nargs=3, default=(30, 85, 300), help="min, median, max")
    add("--workers", type=int, default=4, help="of the loader")
    add("--batches", type=int, default=250, help="of 16 samples, after the first")
    add("--rounds", type=int, default=3, help="each measures both")
    add("--folder", default=None, help="where to put the data (default: the system's)")
    return made


def main() -> int:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        progress(f"making {options.samples} samples in {folder}")
        # In a process of its own, which gives its memory back before anything is measured.
        with ProcessPoolExecutor(1) as pool:
            made = pool.submit(make_data, folder, options.samples, options.frames)
            sizes = made.result()
        rows = {name: [] for name in KINDS}
        for number in range(options.rounds):
            for name in KINDS:
                rows[name].append(_measure(name, Path(folder), options))
                progress(f"round {number + 1}: {name}: {rows[name][-1]}")
    print(_text(rows, sizes, options))
    return 0


def make_data(folder: str, samples: int, frames: tuple[int, int, int]) -> dict:
    """Writes both forms of the same samples, and a pickle of the first hundred.

    Args:
        folder: where to.
        samples: how many.
        frames: least, median and most frames of a sample; log-normal between.

    Returns:
        File name -> bytes.
    """
    from msg3d.datasets import StoreWriter

    folder = Path(folder)
    rng = np.random.default_rng(0)
    least, median, most = frames
    lengths = np.clip(rng.lognormal(np.log(median), 0.35, samples), least, most)
    # Samples are cut out of one long walk: what is read matters, not what it shows.
    walk = rng.normal(scale=0.01, size=(8 * most, JOINTS, CHANNELS)).cumsum(axis=0)
    entries = []
    with StoreWriter(folder / "ntu_like.packed") as writer:
        for number, length in enumerate(lengths.astype(int).tolist()):
            persons = 1 + int(rng.random() < TWO_PERSONS)
            starts = rng.integers(len(walk) - length, size=persons)
            keypoint = np.stack([walk[start : start + length] for start in starts])
            entry = dict(
                frame_dir=f"sample{number:06d}",
                label=int(rng.integers(60)),
                total_frames=length,
                keypoint=keypoint.astype(np.float16),
            )
            writer.add(entry)
            entries.append(entry)
        names = [entry["frame_dir"] for entry in entries]
        writer.splits = dict(xsub_train=names)
    for name, count in (("ntu_like.pkl", samples), ("few.pkl", 100)):
        data = dict(split=dict(xsub_train=names), annotations=entries[:count])
        with open(folder / name, "wb") as file:
            pickle.dump(data, file, protocol=4)
    return {
        name: sum(one.stat().st_size for one in [path, *path.rglob("*")])
        for name in ("ntu_like.pkl", "ntu_like.packed")
        for path in [folder / name]
    }


def _measure(name: str, folder: Path, options: argparse.Namespace) -> dict:
    """`loader_run` as a process."""
    kind, file = KINDS[name]
    wanted = dict(
        type=kind,
        ann_file=str(folder / file),
        workers=options.workers,
        batches=options.batches,
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.loader_run", json.dumps(wanted)],
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _text(rows: dict, sizes: dict, options: argparse.Namespace) -> str:
    medians = [
        dict(
            name=name,
            **{key: statistics.median(one[key] for one in runs) for key in runs[0]},
            range=[f(one["samples_per_second"] for one in runs) for f in (min, max)],
        )
        for name, runs in rows.items()
    ]
    columns = {
        "": lambda row: row["name"],
        "first batch, s": lambda row: f"{row['first_batch']:.2f}",
        "samples/s": lambda row: f"{row['samples_per_second']:,.0f}",
        "(range)": lambda row: "{:,.0f} to {:,.0f}".format(*row["range"]),
        "processor ms a sample": lambda row: f"{row['processor_ms']:.2f}",
        "PSS, MiB": lambda row: f"{row['Pss'] / 1024:,.0f}",
        "of it anonymous": lambda row: f"{row['Pss_Anon'] / 1024:,.0f}",
        "files": lambda row: f"{row['Pss_File'] / 1024:,.0f}",
        "peak, MiB": lambda row: f"{row['peak'] / 1024:,.0f}",
    }
    pose, packed, few = medians
    added = [row["Pss"] - few["Pss"] for row in (pose, packed)]
    files = ", ".join(f"{name} {size / 2**30:.2f} GiB" for name, size in sizes.items())
    return (
        f"{table(medians, columns)}\n\n{options.samples} samples ({files}), "
        f"{options.workers} workers, {options.rounds} rounds, medians. PSS: main "
        "process and workers, what several of them share counted once. Peak: the main "
        f"process's greatest resident size.\n\n"
        f"First batch: {pose['first_batch'] / packed['first_batch']:.1f} times sooner. "
        f"Memory: {packed['Pss'] / pose['Pss']:.3f} of PoseDataset's; above what the "
        f"loader of 100 samples takes, {added[1] / 1024:,.0f} MiB and "
        f"{added[0] / 1024:,.0f} MiB. Processor time "
        f"a sample: {packed['processor_ms'] / pose['processor_ms']:.2f} of it."
    )
