"""View alignment: move the body to the origin, and rotate it onto the axes.

The spine of the first person in the first frame is rotated onto z, and then the shoulders
onto x. There are two variants:

- `pre_normalize_3d` is a vectorized version of MMAction2's PreNormalize3D, which is based
  on 2s-AGCN (Shi et al., CVPR 2019). It supports any number of persons, and preserves
  movement through space.
- `align_view` is the preprocessing of the published weights of MS-G3D (Liu et al., CVPR
  2020) and 2s-AGCN. It centers every frame, and repeats persons who leave early.

Absent joints are exactly zero, in inputs and results. Coordinates are in any unit.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from ..skeletons.body_axes import Place, middle
from ..skeletons.rotation import rotation_onto

__all__ = ["align_view", "pre_normalize_3d", "recenter", "repeated_frames"]

Axis = Sequence[Place]
Z, X = [0, 0, 1], [1, 0, 0]


def pre_normalize_3d(
    keypoint: np.ndarray, zaxis: Axis | None, xaxis: Axis | None, center: bool = True
) -> tuple[np.ndarray, np.ndarray | None]:
    """Align all frames with the view of the first person in the first frame.

    The person present in most frames becomes the first person. If several persons are
    present equally often, the one with the lowest index is chosen. Frames without this
    person are dropped. Results are bit for bit those of PreNormalize3D. In addition, this
    function supports three or more persons, who keep their order, and samples with all
    coordinates below 1e-8, which are returned unchanged.

    Args:
        keypoint: keypoints, [M, T, V, 3].
        zaxis: bottom and top of the spine, each one or more joints; None for no rotation.
        xaxis: right and left shoulder, each one or more joints; None for no rotation.
        center: whether to move the body center to the origin. The body center is joint 1
            of 25 joints, or the last joint for other numbers of joints.

    Returns:
        Keypoints [M, T', V, 3], with dtype float64 if they are rotated, and the original
        position [3] of the body center, or None if the body is not moved.
    """
    dtype = keypoint.dtype
    # NumPy computes float16 in float32 and rounds after each operation. Converting
    # entire arrays is faster and gives equal numbers.
    converted = keypoint.astype(np.promote_types(dtype, np.float32), copy=False)
    # (M, T), with the tolerance of np.isclose(keypoint, 0)
    detected = ~(np.abs(converted) <= 1e-8).all(axis=(-1, -2))
    if converted.sum() == 0 or not detected.any():
        return keypoint, None

    first = detected.sum(axis=1).argmax()
    keypoint = converted[:, detected[first]]
    if first > 0:
        others = np.delete(np.arange(len(keypoint)), first)
        keypoint = keypoint[[first, *others]]
    present = keypoint[0, 0].any(-1)  # (V,), before the center becomes zero
    moved = None
    if center:
        moved = keypoint[0, 0, _body_center(keypoint)].copy()
        x, y, z = np.moveaxis(keypoint != 0, -1, 0)
        keypoint = (keypoint - moved) * (x | y | z)[..., None]
        moved = moved.astype(dtype)
    keypoint = keypoint.astype(dtype, copy=False)
    top_first = None if zaxis is None else zaxis[::-1]
    for ends, axis in ((top_first, Z), (xaxis, X)):
        if ends is None:
            continue
        end, start = (middle(keypoint[0, 0], place, present) for place in ends)
        matrix = rotation_onto(end - start, axis)
        # NOTE: use einsum like PreNormalize3D, because a matrix product rounds
        # differently. For other types than float64, einsum is four times slower.
        keypoint = keypoint.astype(np.float64, copy=False)
        keypoint = np.einsum("mtvd,kd->mtvk", keypoint, matrix)
    return keypoint, moved


def recenter(
    keypoint: np.ndarray, center: Place, moved: np.ndarray | None
) -> np.ndarray:
    """Move another joint of the first person in the first frame to the origin.

    Args:
        keypoint: keypoints [M, T, V, 3] returned by `pre_normalize_3d`.
        center: joint that becomes the origin, or several joints to use their mean.
        moved: original position of the body center, returned by `pre_normalize_3d`.

    Returns:
        Keypoints, float32 [M, T, V, 3].
    """
    keypoint = np.asarray(keypoint, dtype=np.float32)
    present: np.ndarray = np.any(keypoint, -1, keepdims=True)
    if moved is not None:
        # This joint is present: it is zero because it is the origin.
        present[0, 0, _body_center(keypoint)] |= moved.any()
    origin = middle(keypoint[0, 0], center, present[0, 0, :, 0])
    centered: np.ndarray = (keypoint - origin) * present
    return centered


def align_view(
    keypoint: np.ndarray,
    center: Place,
    zaxis: Axis,
    xaxis: Axis,
    length: int | None = None,
    score: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Repeat short tracks, center every frame, and align the view.

    1. Frames are selected by `repeated_frames`.
    2. In each frame, the center of the first person becomes the origin for all persons.
       Frames without this center are not moved.
    3. All frames are rotated together. The spine of the first person in the first frame
       is rotated onto z, and then the shoulders onto x. A rotation is skipped if one of
       its ends is absent.

    Args:
        keypoint: keypoints, [M, T, V, 3].
        center: joint that becomes the origin, or several joints to use their mean.
        zaxis, xaxis: spine and shoulders, see `pre_normalize_3d`.
        length: number of frames in the result, T', at least T. By default, T.
        score: scores, [M, T, V].

    Returns:
        Keypoints, float32 [M, T', V, 3], and scores [M, T', V], or None without scores.

    Raises:
        DataError: the sample has more than `length` frames (kind `shape`).
    """
    frames = keypoint.shape[1]
    if length is not None and frames > length:
        raise DataError(
            f"keypoint has {frames} frames, expected at most {length} for view alignment. "
            "Increase length, or cut the sample.",
            kind="shape",
            field="keypoint",
        )
    present: np.ndarray = np.any(keypoint, -1)  # (M, T, V)
    order = repeated_frames(np.any(present, -1), length or frames)
    persons = np.arange(len(order))[:, None]
    if score is not None:
        score = score[persons, order]
    keypoint = keypoint[persons, order].astype(np.float64)
    present = present[persons, order]

    matrix = _view_rotation(keypoint[0, 0], present[0, 0], zaxis, xaxis)
    # Mean of the present joints in each frame. Absent joints are zero.
    joints = np.atleast_1d(center)
    count = present[0][:, joints].sum(1)  # (T',)
    origin = keypoint[0][:, joints].sum(1) / np.maximum(count, 1)[:, None]
    keypoint -= origin[:, None]
    keypoint = keypoint @ matrix.T * present[..., None]
    return keypoint.astype(np.float32), score


def repeated_frames(detected: np.ndarray, length: int) -> np.ndarray:
    """Return the frame numbers that repeat persons who leave early.

    If a person is absent in the first frame, all frames with the person are moved to the
    front. Then the frames up to the last frame with the person are repeated. Gaps before
    this frame are preserved.

    Args:
        detected: whether each person is present in each frame, bool [M, T].
        length: number of frames to select per person, T', at least T.

    Returns:
        Frame numbers [M, T']. They are arbitrary for persons who are never present.
    """
    frames = detected.shape[1]
    late = ~detected[:, :1]
    present_first = np.argsort(~detected, axis=1, kind="stable")
    order = np.where(late, present_first, np.arange(frames))
    # Number of frames up to the last frame with the person, in this order.
    period = frames - detected[:, ::-1].argmax(1)
    period = np.where(late[:, 0], np.maximum(detected.sum(1), 1), period)
    return np.take_along_axis(order, np.arange(length) % period[:, None], axis=1)


def _view_rotation(
    pose: np.ndarray, present: np.ndarray, zaxis: Axis, xaxis: Axis
) -> np.ndarray:
    """Return the matrix [3, 3] that rotates the spine of a pose onto z, and shoulders onto x.

    Args:
        pose: coordinates of the joints, [V, 3].
        present: mask of the present joints, bool [V].
        zaxis, xaxis: see `pre_normalize_3d`.
    """
    matrix = np.eye(3)
    for ends, axis in ((zaxis[::-1], Z), (xaxis, X)):
        if all(present[np.atleast_1d(place)].any() for place in ends):
            end, start = (middle(pose, place, present) for place in ends)
            matrix = rotation_onto(matrix @ (end - start), axis) @ matrix
    return matrix


def _body_center(keypoint: np.ndarray) -> int:
    """Return the index of the joint that PreNormalize3D moves to the origin."""
    return 1 if keypoint.shape[2] == 25 else -1
