"""Markers of missing joints other than zero, and their conversion to absent joints.

Annotations mark missing joints with zeros. Other programs store (-1, -1), (-1, -1, -1), or
65535 (Kinect and 16-bit images) instead, which a network would treat as a position. A score
of zero with another position is ambiguous: it can be a marker, or the visibility flag of a
joint whose position was annotated, as in Penn Action.
"""

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .samples import Sample

__all__ = ["MARKERS", "marked_joints", "without_markers", "zero_scores"]

# All coordinates of a missing joint have this value.
MARKERS = (-1.0, 65535.0)
CHOICES = ("auto", "none", "score")


def marked_joints(
    keypoint: np.ndarray, markers: tuple[float, ...] = MARKERS
) -> dict[float, NDArray[np.bool_]]:
    """Return the joints that have each marker, as marker -> mask [M, T, V].

    Markers that do not occur are omitted.
    """
    masks = {}
    for marker in markers:
        # The comparison of one axis excludes almost all arrays.
        if (keypoint[..., 0] == marker).any():
            mask = (keypoint == marker).all(axis=-1)
            if mask.any():
                masks[marker] = mask
    return masks


def zero_scores(sample: Sample) -> NDArray[np.bool_] | None:
    """Return the joints with a position but score 0, [M, T, V]; None without scores."""
    score = sample.get("keypoint_score")
    if score is None:
        return None
    mask: NDArray[np.bool_] = (np.asarray(score) == 0) & sample["keypoint"].any(axis=-1)
    return mask


def without_markers(
    sample: Sample, marker: str = "auto"
) -> tuple[Sample, dict[str, int]]:
    """Replace markers of missing joints by zeros.

    Args:
        sample: sample with `keypoint` [M, T, V, C] and optionally `keypoint_score`; not
            modified.
        marker: 'auto' for `MARKERS`, 'score' for these and for all joints with score 0,
            'none' to change nothing, or a number.

    Returns:
        The sample with zeros for missing joints, and description -> number of joints.

    Raises:
        ConfigError: the marker is unknown (kind `option`).
    """
    if marker == "none":
        return sample, {}
    keypoint = sample["keypoint"]
    notes = {}
    missing = np.zeros(keypoint.shape[:3], dtype=bool)
    for value, mask in marked_joints(keypoint, marker_values(marker)).items():
        missing |= mask
        place = ", ".join([f"{value:g}"] * keypoint.shape[-1])
        notes[f"joints at ({place}), stored as absent"] = int(mask.sum())
    if marker == "score":
        hidden = zero_scores(sample)
        if hidden is not None and (hidden & ~missing).any():
            text = "joints with score 0, stored as absent"
            notes[text] = int((hidden & ~missing).sum())
            missing |= hidden
    if not notes:
        return sample, {}
    sample = {**sample, "keypoint": np.where(missing[..., None], 0, keypoint)}
    sample["keypoint"] = sample["keypoint"].astype(keypoint.dtype)
    score = sample.get("keypoint_score")
    if score is not None:
        sample["keypoint_score"] = np.where(missing, 0, score).astype(score.dtype)
    return sample, notes


def marker_values(marker: str) -> tuple[float, ...]:
    """Return the values of a marker in `without_markers`.

    Raises:
        ConfigError: the marker is unknown (kind `option`).
    """
    if marker in CHOICES:
        return () if marker == "none" else MARKERS
    try:
        return (float(marker),)
    except ValueError:
        raise ConfigError(
            f"the marker of missing joints is {marker!r:.40}, expected one of "
            f"{', '.join(CHOICES)}, or a number",
            kind="option",
            field="missing_marker",
        ) from None
