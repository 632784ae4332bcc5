"""View alignment: move the body to the origin, and turn it onto the axes.

The spine of the first person in the first frame is turned onto z, and then the shoulders
onto x. Published data sets were made by two procedures:

- `pre_normalize_3d` is MMAction2's PreNormalize3D, after 2s-AGCN (Shi et al., CVPR
  2019), vectorized and for any number of persons. It keeps paths through the room.
- `align_view` made the data of the published weights of MS-G3D (Liu et al., CVPR 2020)
  and 2s-AGCN. It centers every frame, and repeats persons who leave early.

Joints that are exactly zero are absent, before and after. Coordinates are in any unit.
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
    """Move and turn all frames by what the first person's first frame needs.

    The person present in most frames becomes the first one (the first of equals), and
    frames without that person are dropped. Results are those of PreNormalize3D, bit for
    bit. Where PreNormalize3D fails, three or more persons keep their order behind the
    first, and a sample whose coordinates are all below 1e-8 is returned as it is.

    Args:
        keypoint: [M, T, V, 3].
        zaxis: the spine as (bottom, top), each one joint or several; None to leave it.
        xaxis: the shoulders as (right, left), likewise.
        center: whether to move the body center, joint 1 of 25 and the last joint of
            any other number, to the origin.

    Returns:
        [M, T', V, 3], float64 if an axis is turned; and where the center was [3], None
        if nothing was moved.
    """
    stored = keypoint.dtype
    # NumPy computes float16 in float32 and rounds after each operation; converting
    # whole arrays gives the same numbers in less time.
    wide = keypoint.astype(np.promote_types(stored, np.float32), copy=False)
    # (M, T): the bound is that of np.isclose(keypoint, 0).
    detected = ~(np.abs(wide) <= 1e-8).all(axis=(-1, -2))
    if wide.sum() == 0 or not detected.any():
        return keypoint, None

    first = detected.sum(axis=1).argmax()
    keypoint = wide[:, detected[first]]
    if first > 0:
        others = np.delete(np.arange(len(keypoint)), first)
        keypoint = keypoint[[first, *others]]
    present = keypoint[0, 0].any(-1)  # (V,), before the center becomes zero
    moved = None
    if center:
        moved = keypoint[0, 0, _body_center(keypoint)].copy()
        x, y, z = np.moveaxis(keypoint != 0, -1, 0)
        keypoint = (keypoint - moved) * (x | y | z)[..., None]
        moved = moved.astype(stored)
    keypoint = keypoint.astype(stored, copy=False)
    top_first = None if zaxis is None else zaxis[::-1]
    for ends, axis in ((top_first, Z), (xaxis, X)):
        if ends is None:
            continue
        end, start = (middle(keypoint[0, 0], place, present) for place in ends)
        matrix = rotation_onto(end - start, axis)
        # NOTE: a matrix product would round differently from PreNormalize3D's einsum,
        # which takes four times as long for anything but float64.
        keypoint = keypoint.astype(np.float64, copy=False)
        keypoint = np.einsum("mtvd,kd->mtvk", keypoint, matrix)
    return keypoint, moved


def recenter(
    keypoint: np.ndarray, center: Place, moved: np.ndarray | None
) -> np.ndarray:
    """Move another joint of the first person's first frame to the origin.

    Args:
        keypoint: [M, T, V, 3] from `pre_normalize_3d`.
        center: the joint, or several whose mean becomes the origin.
        moved: where the body center was, from `pre_normalize_3d`.

    Returns:
        float32 [M, T, V, 3].
    """
    keypoint = np.asarray(keypoint, dtype=np.float32)
    present: np.ndarray = np.any(keypoint, -1, keepdims=True)
    if moved is not None:
        # This joint is zero because it is the origin, not because it is absent.
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
    """Repeat short persons, follow the first one, and turn all into their view.

    1. Frames are selected by `repeated_frames`.
    2. In each frame, the center of the first person becomes the origin of all persons.
       Frames without that center are not moved.
    3. All are turned alike: the first person's spine in the first frame onto z, then
       the shoulders onto x. A rotation whose joints are absent is left out.

    Args:
        keypoint: [M, T, V, 3].
        center: the joint that becomes the origin, or several whose mean does.
        zaxis, xaxis: as in `pre_normalize_3d`.
        length: frames T' of the result, at least T; None for T.
        score: [M, T, V].

    Returns:
        `keypoint` float32 [M, T', V, 3] and `score` [M, T', V], None without scores.

    Raises:
        DataError: there are more than `length` frames; kind "shape".
    """
    frames = keypoint.shape[1]
    if length is not None and frames > length:
        raise DataError(
            f"keypoint has {frames} frames, but view alignment makes length={length}: "
            "raise length, or cut the sample",
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

    matrix = _view(keypoint[0, 0], present[0, 0], zaxis, xaxis)
    # The mean of the joints that are present in each frame: the others are zero.
    joints = np.atleast_1d(center)
    count = present[0][:, joints].sum(1)  # (T',)
    origin = keypoint[0][:, joints].sum(1) / np.maximum(count, 1)[:, None]
    keypoint -= origin[:, None]
    keypoint = keypoint @ matrix.T * present[..., None]
    return keypoint.astype(np.float32), score


def repeated_frames(detected: np.ndarray, length: int) -> np.ndarray:
    """Select frames so that persons who leave early are repeated from their start.

    A person missing in the first frame has all own frames moved to the front. Then the
    frames up to the last one with the person are repeated. Earlier gaps stay.

    Args:
        detected: which persons are present in which frames, bool [M, T].
        length: frames to select, T', at least T.

    Returns:
        Frame numbers [M, T']; arbitrary for a person who is never present.
    """
    frames = detected.shape[1]
    late = ~detected[:, :1]
    own_first = np.argsort(~detected, axis=1, kind="stable")
    order = np.where(late, own_first, np.arange(frames))
    # The number of frames up to the last with the person, in this order.
    period = frames - detected[:, ::-1].argmax(1)
    period = np.where(late[:, 0], np.maximum(detected.sum(1), 1), period)
    return np.take_along_axis(order, np.arange(length) % period[:, None], axis=1)


def _view(
    pose: np.ndarray, present: np.ndarray, zaxis: Axis, xaxis: Axis
) -> np.ndarray:
    """The rotation [3, 3] that turns spine, then shoulders of a pose [V, 3] onto axes."""
    matrix = np.eye(3)
    for ends, axis in ((zaxis[::-1], Z), (xaxis, X)):
        if all(present[np.atleast_1d(place)].any() for place in ends):
            end, start = (middle(pose, place, present) for place in ends)
            matrix = rotation_onto(matrix @ (end - start), axis) @ matrix
    return matrix


def _body_center(keypoint: np.ndarray) -> int:
    """The joint that PreNormalize3D moves to the origin."""
    return 1 if keypoint.shape[2] == 25 else -1
