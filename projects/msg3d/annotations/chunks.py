"""Cut long sequences into non-overlapping chunks.

Regression models for recordings of several minutes are trained on chunks. Erkoç et al.
(PMLR 173, 2022) cut UDIVA into chunks of 250 or 2000 frames and drop the frames after
the last complete chunk. In this module, dropping is optional, and `CutReport` counts the
dropped frames.
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
    """Statistics of `cut_annotations`.

    Attributes:
        sequences, chunks: numbers of input sequences and output chunks.
        short: ids of the sequences that are shorter than one chunk.
        lost: ids of the sequences that have no chunk in the result.
        frames_padded, frames_dropped: numbers of added and dropped frames.
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
        sample: sequence with `keypoint` [M, T, V, C] and optionally `keypoint_score`
            [M, T, V].
        length: frames per chunk.
        remainder: treatment of the frames after the last complete chunk, a key of
            `REMAINDERS`.
        key: the field that contains the id.

    Yields:
        One sample per chunk, with the ids ID_c000, ID_c001, ..., an updated
        `total_frames`, and the number of the chunk as `chunk`. All other fields are
        copied from the sequence.
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
        data: annotations as returned by `load_annotations`; not modified.
        length, remainder: see `cut_sample`.
        source: name of the file, for error messages.

    Returns:
        The annotations of the chunks, and the statistics. Each split contains the chunks
        of its sequences.

    Raises:
        DataError: the data are not valid annotations (a kind of `faults.KINDS`). Or all
            sequences are shorter than a chunk and dropped, either in the file (kind
            `no-samples`) or in a split (kind `split-empty`).
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
            f"no chunk remains in {what}, since the longest sequence has {longest} "
            f"frames, but a chunk has {length}. Reduce the length of a chunk, or choose "
            f"a remainder other than {remainder!r}.",
            kind="split-empty" if empty else "no-samples",
            file=source,
            field=f"split[{empty[0]!r}]" if empty else None,
        )
    return result, report
