"""Convert a large data set of ST-GCN to a packed store, and compare every sample.

The arrays `[N, 3, 300, V, M]` contain the sequences of an annotation file again and again,
each time shifted by one more millimeter. `anonymous_mib` is the peak of the memory that the
command uses besides the page cache (RssAnon), read every 20 ms.
"""

import itertools
import pickle
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from msg3d.annotations.files import load_annotations
from msg3d.converters.interchange import convert_data_set
from msg3d.formats.base import ReadOptions
from msg3d.stores.store import load_store

from . import processes
from .samples import write_samples
from .timing import progress

FRAMES = 300


def run(options, results) -> None:
    with tempfile.TemporaryDirectory(dir=options.folder or None) as folder:
        ann_file = options.ann_file
        if not ann_file:
            ann_file = f"{folder}/samples.pkl"
            write_samples(Path(ann_file), 64)
        progress(f"convert: writing {options.gib:g} GiB")
        task = {"ann_file": ann_file, "gib": options.gib, "folder": folder}
        count = write(task)
        task["layout"] = load_annotations(ann_file).get("meta", {}).get("layout")
        progress(f"convert: {count} samples")
        (row,) = processes.run(convert, task)
        progress("convert: comparing")
        store = load_store(f"{folder}/big.packed")
        row["equal"] = len(store) == count and all(
            np.array_equal(store[number]["keypoint"], keypoint)
            and store[number]["label"] == label
            for number, (keypoint, label) in enumerate(sequences(task, count))
        )
    results.table("convert", [{"samples": count, "gib": options.gib, **row}])
    results.passed = row["equal"]


def sequences(task: dict, count: int | None = None) -> Iterator[tuple]:
    """Iterate over the keypoints [M, T, V, 3] and labels to store."""
    samples = load_annotations(task["ann_file"])["annotations"]
    turns = itertools.count() if count is None else range(-(-count // len(samples)))
    items = (
        (shifted(sample["keypoint"][:, :FRAMES], turn), sample["label"])
        for turn in turns
        for sample in samples
    )
    return itertools.islice(items, count)


def shifted(keypoint: np.ndarray, turn: int) -> np.ndarray:
    """Move present joints by `turn` millimeters."""
    present = keypoint.any(-1, keepdims=True)
    return (keypoint + np.float32(turn / 1000) * present).astype(np.float32)


def write(task: dict) -> int:
    """Write the array and its labels, and return the number of samples."""
    samples = load_annotations(task["ann_file"])["annotations"]
    persons = max(len(sample["keypoint"]) for sample in samples)
    joints = samples[0]["keypoint"].shape[2]
    shape = (3, FRAMES, joints, persons)
    count = int(task["gib"] * 2**30 / (4 * np.prod(shape)))
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, *shape)}
    labels = []
    with Path(task["folder"], "train_data_joint.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for keypoint, label in sequences(task, count):
            array = np.zeros(shape, np.float32)
            moved = keypoint.transpose(3, 1, 2, 0)
            array[:, : moved.shape[1], :, : moved.shape[3]] = moved
            file.write(array.tobytes())
            labels.append(label)
    names = [f"{number:07d}" for number in range(count)]
    with Path(task["folder"], "train_label.pkl").open("wb") as file:
        pickle.dump((names, labels), file)
    return count


def convert(task: dict) -> dict:
    """Convert in this process, and measure its memory."""
    before = processes.status("RssAnon")
    start = time.perf_counter()
    folder = task["folder"]
    with processes.peak_memory("self") as peak:
        convert_data_set(
            f"{folder}/train_data_joint.npy",
            f"{folder}/big.packed",
            ReadOptions(layout=task["layout"]),
        )
    seconds = time.perf_counter() - start
    speed = task["gib"] * 1024 / seconds
    return {
        "seconds": seconds,
        "mib_per_s": speed,
        "anonymous_mib": peak[0],
        "before_mib": before,
    }
