"""Long sequences cut into chunks that do not overlap.

Recordings of minutes are regressed in chunks: Erkoç et al. (PMLR 173, 2022) cut UDIVA
into 250 or 2000 frames. They drop what remains behind the last whole chunk; here that
is a choice, and counted.
"""

from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError
from .check import (
    Annotations,
    check_annotations,
    id_field,
)

REMAINDERS = {
    "keep": "as a chunk that is shorter",
    "pad": "as a chunk whose last frame is held until it is full",
    "drop": "not at all, as published; shorter sequences are lost",
}
_PER_FRAME = ("keypoint", "keypoint_score")


@dataclass
class CutReport:
    """What became of the sequences.

    Attributes:
        sequences, chunks: how many there were, and were made.
        short: ids of sequences shorter than one chunk.
        lost: ids of sequences of which no chunk is left.
        frames_padded, frames_dropped: how many frames were added and left out.
    """

    sequences: int = 0
    chunks: int = 0
    short: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    frames_padded: int = 0
    frames_dropped: int = 0


def cut_sample(sample: dict, length: int, remainder: str, key: str = "frame_dir"):
    """The chunks of one sequence.

    Args:
        sample: with `keypoint` [M, T, V, C] and perhaps `keypoint_score` [M, T, V].
        length: frames a chunk.
        remainder: one of `REMAINDERS`.
        key: the field that holds its id.

    Yields:
        Samples of ID_c000, ID_c001 ..., with `total_frames` and `chunk`, its number.
        All other fields are the sequence's.
    """
    total = sample["keypoint"].shape[1]
    whole, rest = divmod(total, length)
    count = whole + bool(rest and remainder != "drop")
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
    data: Annotations, length: int, remainder: str
) -> tuple[Annotations, CutReport]:
    """Annotations whose samples are the chunks of others.

    Args:
        data: as `load_annotations` gives it; left unchanged. Splits name the chunks of
            the sequences that they named.
        length, remainder: as in `cut_sample`.

    Returns:
        The new annotations, and what became of the sequences.

    Raises:
        DataError: the data are not valid, or nothing is left of them or of one of
            their splits.
    """
    check_annotations(data)
    samples = data["annotations"] if isinstance(data, dict) else data
    key = id_field(samples)
    report = CutReport(sequences=len(samples))
    chunks = {
        one[key]: list(cut_sample(one, length, remainder, key)) for one in samples
    }
    for sample in samples:
        name, frames = sample[key], sample["keypoint"].shape[1]
        made = chunks[name]
        if frames < length:
            report.short.append(name)
        if not made:
            report.lost.append(name)
        excess = sum(chunk["total_frames"] for chunk in made) - frames
        report.frames_padded += max(excess, 0)
        report.frames_dropped += max(-excess, 0)
    cut = [chunk for made in chunks.values() for chunk in made]
    report.chunks = len(cut)
    if not isinstance(data, dict):
        splits = {}
        result = cut
    else:
        splits = {
            split: [chunk[key] for name in ids for chunk in chunks[name]]
            for split, ids in data["split"].items()
        }
        result = {**data, "split": splits, "annotations": cut}
    empty = [split for split, ids in splits.items() if not ids]
    if not cut or empty:
        what = f"of split {empty[0]!r}" if empty else "of the annotations"
        raise DataError(
            f"nothing is left {what}: the longest sequence has "
            f"{max(one['keypoint'].shape[1] for one in samples)} frames and a chunk "
            f"{length}; take a smaller length, or another remainder than {remainder!r}"
        )
    return result, report
