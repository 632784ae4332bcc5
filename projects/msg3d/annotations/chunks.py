"""Cut long sequences into non-overlapping chunks.

Regression models for recordings of several minutes are trained on chunks. Erkoç et al.
(PMLR 173, 2022) cut UDIVA into chunks of 250 or 2000 frames and drop the frames after
the last complete chunk. Here, dropping is optional and dropped frames are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError
from .check import Annotations, check_annotations, id_field, samples_of
from .samples import Sample

REMAINDERS = {
    "keep": "a shorter chunk",
    "pad": "a complete chunk, padded with the last frame",
    "drop": "dropped, as in the paper, and so are shorter sequences",
}
_PER_FRAME = ("keypoint", "keypoint_score")


@dataclass
class CutReport:
    """Counts of sequences, chunks, and frames.

    Attributes:
        sequences, chunks: number of input sequences and of output chunks.
        short: ids of sequences shorter than one chunk.
        lost: ids of sequences without any chunk.
        frames_padded, frames_dropped: number of added and of dropped frames.
    """

    sequences: int = 0
    chunks: int = 0
    short: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    frames_padded: int = 0
    frames_dropped: int = 0


def cut_sample(
    sample: Sample, length: int, remainder: str, key: str = "frame_dir"
) -> Iterator[Sample]:
    """Cut one sequence into chunks.

    Args:
        sample: has `keypoint` [M, T, V, C] and optionally `keypoint_score` [M, T, V].
        length: frames per chunk.
        remainder: a key of `REMAINDERS`.
        key: the field that holds the id.

    Yields:
        Samples with the ids ID_c000, ID_c001, ..., an updated `total_frames`, and the
        chunk number as `chunk`. All other fields are copied from the sequence.
    """
    total = sample["keypoint"].shape[1]
    complete, rest = divmod(total, length)
    count = complete + bool(rest and remainder != "drop")
    for number in range(count):
        frames = np.arange(number * length, (number + 1) * length)
        frames = frames.clip(max=total - 1) if remainder == "pad" else frames
        frames = frames[frames < total]
        arrays = {
            name: sample[name][:, frames]
            for name in _PER_FRAME
            if sample.get(name) is not None
        }
        yield {
            **sample,
            key: f"{sample[key]}_c{number:03d}",
            "total_frames": len(frames),
            "chunk": number,
            **arrays,
        }


def cut_annotations(
    data: Annotations, length: int, remainder: str, source: str = "annotations"
) -> tuple[Annotations, CutReport]:
    """Cut all sequences of annotations into chunks.

    Args:
        data: annotations as `load_annotations` returns them; not modified.
        length, remainder: as in `cut_sample`.
        source: name of the file, for errors.

    Returns:
        The new annotations and the counts. Each split contains the chunks of its
        sequences.

    Raises:
        DataError: the data are not valid annotations, or all sequences (`no-samples`)
            or all sequences of a split (`split-empty`) are shorter than a chunk and
            dropped.
    """
    check_annotations(data, source=source)
    samples = samples_of(data, source)
    key = id_field(samples)
    report = CutReport(sequences=len(samples))
    chunks = {
        sample[key]: list(cut_sample(sample, length, remainder, key))
        for sample in samples
    }
    for sample in samples:
        name, frames = sample[key], sample["keypoint"].shape[1]
        parts = chunks[name]
        if frames < length:
            report.short.append(name)
        if not parts:
            report.lost.append(name)
        excess = sum(chunk["total_frames"] for chunk in parts) - frames
        report.frames_padded += max(excess, 0)
        report.frames_dropped += max(-excess, 0)
    all_chunks = [chunk for parts in chunks.values() for chunk in parts]
    report.chunks = len(all_chunks)
    splits: dict[str, list[str]] = {}
    result: Annotations = all_chunks
    if isinstance(data, dict):
        splits = {
            split: [chunk[key] for name in ids for chunk in chunks[name]]
            for split, ids in data["split"].items()
        }
        result = {**data, "split": splits, "annotations": all_chunks}
    empty = [split for split, ids in splits.items() if not ids]
    if not all_chunks or empty:
        what = f"split {empty[0]!r}" if empty else "the annotations"
        longest = max(sample["keypoint"].shape[1] for sample in samples)
        raise DataError(
            f"no chunk remains in {what}: the longest sequence has {longest} frames, but "
            f"a chunk has {length}. Reduce the length, or choose a remainder other than "
            f"{remainder!r}.",
            kind="split-empty" if empty else "no-samples",
            file=source,
            field=f"split[{empty[0]!r}]" if empty else None,
        )
    return result, report
