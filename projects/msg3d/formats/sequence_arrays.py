"""One sequence of somebody's own files: NaN for what is missing, then as a sample.

Users write a joint that was not seen as NaN or leave its cells empty; annotations have
zeros there.
"""

from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError

# What coordinates come in, how many there are, and what makes them metres or pixels
# (None: by the size of the image).
UNITS = {
    "metres": (3, 1),
    "centimetres": (3, 100),
    "millimetres": (3, 1000),
    "unscaled": (3, 1),
    "pixels": (2, 1),
    "normalised": (2, None),
}


@dataclass
class Sequence:
    """What stands in a file.

    Attributes:
        coordinates: float64 [M, T, V, C], NaN for what is missing.
        scores: float64 [M, T, V], or None.
        lines: int [M, T], the line of the file that a person's frame stands in, 0 for
            none; or None for a file without lines.
        notes: what was made of the file -> how many.
    """

    coordinates: np.ndarray
    scores: np.ndarray | None = None
    lines: np.ndarray | None = None
    notes: dict[str, int] = field(default_factory=dict)


def to_sample(
    sequence: Sequence,
    joints: tuple[str, ...],
    units: str,
    img_shape: tuple[int, int] | None = None,
) -> dict:
    """Keypoints of annotations: metres or pixels, missing joints zero.

    Args:
        sequence: what stands in the file.
        joints: names of the V joints, for errors.
        units: a key of `UNITS`; "unscaled" leaves 3D coordinates as they are, and
            "normalised" ones are 2D, in 0..1 of the image.
        img_shape: (height, width) of the image; for 2D.

    Returns:
        dict(total_frames, keypoint float32 [M, T, V, C], notes) and for 2D
        keypoint_score float32 [M, T, V] (1 for a joint that is there, where the file
        has no scores) and img_shape.

    Raises:
        DataError: half a joint, a coordinate or score that is infinite, no joint at all.
    """
    found, scores = sequence.coordinates, sequence.scores
    channels, divisor = UNITS[units]
    missing = np.isnan(found)
    half = missing.any(axis=-1) & ~missing.all(axis=-1)
    if scores is not None:
        half |= np.isnan(scores) & ~missing.all(axis=-1)
    if half.any():
        _refuse(sequence, joints, half, "has some of its numbers and lacks others")
    absent = missing.all(axis=-1)
    divide_by = divisor or 1 / np.array(img_shape[::-1])
    with np.errstate(over="ignore"):
        keypoint = (np.where(missing, 0, found) / divide_by).astype(np.float32)
    infinite = ~np.isfinite(keypoint).all(axis=-1)
    if scores is not None:
        infinite |= np.isinf(scores)
    if infinite.any():
        _refuse(sequence, joints, infinite, "is infinite, or beyond float32")
    if not keypoint.any():
        raise DataError(
            f"no joint has coordinates in any of {keypoint.shape[1]} frames"
        )
    notes = dict(sequence.notes)
    if absent.any():
        notes["joints without coordinates, written as zero"] = int(absent.sum())
    sample = dict(total_frames=keypoint.shape[1], keypoint=keypoint)
    if channels == 2:
        if scores is None:
            scores = keypoint.any(axis=-1)
        sample["keypoint_score"] = np.where(absent, 0, scores).astype(np.float32)
        sample["img_shape"] = sample["original_shape"] = tuple(img_shape)
    elif scores is not None:
        notes["files whose scores were not kept, which 3D has no use for"] = 1
    return {**sample, "notes": notes} if notes else sample


def _refuse(sequence, joints, where, what) -> None:
    person, frame, joint = map(int, np.argwhere(where)[0])
    line = None if sequence.lines is None else int(sequence.lines[person, frame])
    raise DataError(
        f"joint {joints[joint]} of person {person} in frame {frame} {what} "
        f"({int(where.sum())} such in the file): give all of its numbers, or leave all "
        "empty (NaN) where it was not seen",
        line=line or None,
    )
