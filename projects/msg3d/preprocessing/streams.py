"""Input streams of skeleton networks: joints, bones, and their motions.

    bone    b_v(t) = x_v(t) - x_parent(v)(t)
    motion  m_v(t) = x_v(t + 1) - x_v(t), zero in the last frame

Results are bit for bit those of MMAction2's GenSkeFeat (with JointToBone and ToMotion),
which supports three layouts only.

If the third channel contains scores, it is not subtracted. The score of a bone or motion is
the mean of the scores of its two ends.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import DataError

__all__ = ["bones", "motion", "skeleton_streams"]


def skeleton_streams(
    keypoint: np.ndarray,
    parents: Sequence[int],
    streams: Sequence[str],
    score: np.ndarray | None = None,
    axis: int = -1,
    mask_absent: bool = False,
) -> np.ndarray:
    """Compute input streams of keypoints, and concatenate them.

    Args:
        keypoint: keypoints, [M, T, V, C], where C is 2 or 3.
        parents: parent of each joint. The root is its own parent.
        streams: names of the streams: 'j' (joints), 'b' (bones), 'jm' (joint motion), or
            'bm' (bone motion).
        score: scores, [M, T, V], to append as the third channel. Requires C = 2.
        axis: axis along which streams are concatenated.
        mask_absent: whether bones and motions with an absent end are zero. By default,
            they are computed as if the end were at the origin. A joint is absent if its
            score is 0 or, without scores, if it is exactly zero.

    Returns:
        Streams, [M, T, V, len(streams) * C'] for axis=-1, where C' is 3 with scores, and C
        otherwise.

    Raises:
        DataError: the number of joints does not match `parents` (kind `layout`), or the
            number of channels is invalid (kind `shape`).
    """
    scored = score is not None
    _check(keypoint.shape, len(parents), scored)
    if score is not None:
        keypoint = np.concatenate([keypoint, score[..., None]], -1)
    computed = {"j": keypoint}
    if {"b", "bm"} & set(streams):
        computed["b"] = bones(keypoint, parents, scored, mask_absent)
    for name in ("jm", "bm"):
        if name in streams:
            computed[name] = motion(computed[name[0]], scored, mask_absent)
    return np.concatenate([computed[name] for name in streams], axis=axis)


def bones(
    joints: np.ndarray,
    parents: Sequence[int],
    scored: bool = False,
    mask_absent: bool = False,
) -> np.ndarray:
    """Subtract the parent from each joint.

    Args:
        joints: joints, [M, T, V, C].
        parents, mask_absent: see `skeleton_streams`.
        scored: whether the third channel contains scores.

    Returns:
        Bones, float32 [M, T, V, C].
    """
    parents = list(parents)
    bone: np.ndarray = (joints - joints[..., parents, :]).astype(np.float32)
    if scored:
        bone[..., 2] = (joints[..., 2] + joints[..., parents, 2]) / 2
    if mask_absent:
        present = _present(joints, scored)  # (M, T, V)
        bone *= (present & present[..., parents])[..., None]
    return bone


def motion(
    stream: np.ndarray, scored: bool = False, mask_absent: bool = False
) -> np.ndarray:
    """Subtract each frame from the next frame.

    Args:
        stream: joints or bones, [M, T, V, C].
        scored, mask_absent: see `bones`.

    Returns:
        Motions [M, T, V, C], with the same dtype.
    """
    change = np.zeros_like(stream)
    change[:, :-1] = np.diff(stream, axis=1)
    if scored:
        change[:, :-1, :, 2] = (stream[:, :-1, :, 2] + stream[:, 1:, :, 2]) / 2
    if mask_absent:
        present = _present(stream, scored)
        change[:, :-1] *= (present[:, :-1] & present[:, 1:])[..., None]
    return change


def _present(stream: np.ndarray, scored: bool) -> np.ndarray:
    """Return the mask of the joints or bones that are present, bool [M, T, V]."""
    present: np.ndarray = stream[..., 2] != 0 if scored else np.any(stream, -1)
    return present


def _check(shape: tuple[int, ...], joints: int, scored: bool) -> None:
    if len(shape) != 4 or shape[2] != joints:
        raise DataError(
            f"keypoint has shape {shape}, expected [M, T, V={joints}, C]. Pass the layout "
            "of the file.",
            kind="layout",
            field="keypoint",
        )
    if shape[3] not in ((2,) if scored else (2, 3)):
        expected, fix = (
            ("2 with 'keypoint_score'", "Remove 'keypoint_score' from 3D data.")
            if scored
            else ("2 or 3", "Store x, y, and z, or x and y with 'keypoint_score'.")
        )
        raise DataError(
            f"keypoint has {shape[3]} channels (shape {shape}), expected {expected}. "
            f"{fix}",
            kind="shape",
            field="keypoint",
        )
