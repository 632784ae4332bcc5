"""View alignment as the authors of MS-G3D and 2s-AGCN made their data."""

from typing import Dict, Optional, Sequence

import numpy as np
from mmaction.datasets.transforms import PreNormalize3D
from mmaction.registry import TRANSFORMS

from ...skeletons.body_axes import Layout, Place, axes_of, check_joints, middle
from .fast import check_length


@TRANSFORMS.register_module()
class AlignView(PreNormalize3D):
    """Replays short persons, follows the first one, and turns all into their view.

    These are the rules of the data that the published weights of MS-G3D (Liu et al.,
    CVPR 2020) and 2s-AGCN (Shi et al., CVPR 2019) were trained on, in their order:

    1. With `length`, zeros follow until there are so many frames. A person missing in
       the first frame has all own frames moved to the front. Then the frames until the
       last with the person are repeated from the start, to the end. Gaps before that
       stay zero.
    2. In every frame, the first person's centre becomes the origin of all persons.
    3. All are turned alike: the first person's spine in the first frame onto z, then
       the shoulders onto x.

    PreNormalize3D, made after them, does not: it leaves out frames without the first
    person, moves the first frame's centre to the origin, so that paths through the room
    stay, and repeats nothing. The angles and matrices here are its own.

    A joint that is exactly zero is absent, before and after. What is not there moves
    and turns nothing: in a frame without the first person's centre all stay where they
    are, without an end of spine or shoulders in the first frame that turn is left out.
    So if the first person is never seen and others are, these are neither moved nor
    turned: put SelectPersons before. Parallel and opposite vectors, and those shorter
    than 1e-6, are not turned.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary. The top of its spine,
            its spine and its shoulders serve where the next three are not given.
        center: the joint that becomes the origin, or several whose middle does.
        zaxis: the spine as (bottom, top), each end one joint or several.
        xaxis: the shoulders as (right, left), likewise.
        length: frames T' of the result, 300 in the authors' data; None for T.

    Required and modified keys: `keypoint` [M, T, V, 3] -> [M, T', V, 3], in any unit,
    float32 afterwards; `keypoint_score` [M, T, V] -> [M, T', V], where there is one.
    Modified key: `total_frames`, T'.

    Raises:
        ValueError: neither a layout nor all three of the others is given; no such
            layout, or one without spine or shoulders; a sample of another, or of more
            than `length` frames.

    Example:
        >>> align = AlignView(layout='nturgb+d', length=300)
        >>> sample = dict(keypoint=np.random.rand(2, 80, 25, 3), total_frames=80)
        >>> align(sample)['keypoint'].shape
        (2, 300, 25, 3)
    """

    def __init__(
        self,
        layout: Optional[Layout] = None,
        center: Optional[Place] = None,
        zaxis: Optional[Sequence[Place]] = None,
        xaxis: Optional[Sequence[Place]] = None,
        length: Optional[int] = None,
    ) -> None:
        axes = {} if layout is None else axes_of(layout)
        given = dict(center=center, zaxis=zaxis, xaxis=xaxis)
        axes.update({name: axis for name, axis in given.items() if axis is not None})
        if len(axes) < len(given):
            raise ValueError(
                f"AlignView lacks {sorted(set(given) - set(axes))}: give layout as a "
                "name of msg3d.skeletons, or center, zaxis and xaxis as joints"
            )
        super().__init__(zaxis=axes["zaxis"], xaxis=axes["xaxis"])
        self.layout, self.center, self.length = layout, axes["center"], length

    def transform(self, results: Dict) -> Dict:
        self._check(results)
        present = results["keypoint"].any(-1)  # (M, T, V)
        frames = replayed(present.any(-1), self.length or present.shape[1])
        who = np.arange(len(frames))[:, None]
        if results.get("keypoint_score") is not None:
            results["keypoint_score"] = results["keypoint_score"][who, frames]
        keypoint = results["keypoint"][who, frames].astype(np.float64)
        present = present[who, frames]

        matrix = self._matrix(keypoint[0, 0], present[0, 0])
        # Each frame's middle of the joints that are there: the others are zero.
        joints = np.atleast_1d(self.center)
        count = present[0][:, joints].sum(1)  # (T',)
        center = keypoint[0][:, joints].sum(1) / np.maximum(count, 1)[:, None]
        keypoint -= center[:, None]
        keypoint = keypoint @ matrix.T * present[..., None]
        results["keypoint"] = keypoint.astype(np.float32)
        results["total_frames"] = frames.shape[1]
        return results

    def _matrix(self, pose: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The turn [3, 3] that lays spine, then shoulders of a pose [V, 3] on axes."""
        matrix = np.eye(3)
        (bottom, top), shoulders = self.zaxis, self.xaxis
        for ends, axis in (((top, bottom), [0, 0, 1]), (shoulders, [1, 0, 0])):
            if not all(present[np.atleast_1d(place)].any() for place in ends):
                continue
            end, start = (middle(pose, place, present) for place in ends)
            vector = matrix @ (end - start)
            angle = self.angle_between(vector, axis)
            turn = self.rotation_matrix(np.cross(vector, axis), angle)
            matrix = turn @ matrix
        return matrix

    def _check(self, results: Dict) -> None:
        try:
            self._check_keypoint(results)
        except ValueError as error:
            if "frame_dir" not in results:
                raise
            raise ValueError(f"sample {results['frame_dir']!r}: {error}") from None

    def _check_keypoint(self, results: Dict) -> None:
        check_length(results)
        keypoint = results["keypoint"]
        if self.layout is not None:
            check_joints(keypoint, self.layout)
        frames = keypoint.shape[1]
        if self.length is not None and frames > self.length:
            raise ValueError(
                f"AlignView(length={self.length}) got keypoint with {frames} frames: "
                "raise length, or cut the sample before"
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(center={self.center}, zaxis={self.zaxis}, "
            f"xaxis={self.xaxis}, length={self.length})"
        )


def replayed(seen: np.ndarray, length: int) -> np.ndarray:
    """Which frame to show when, so that short persons are repeated from their start.

    Args:
        seen: which persons are there when, bool [M, T].
        length: frames to show, at least T.

    Returns:
        Numbers of frames [M, length]; those of a person seen nowhere are any.
    """
    frames = seen.shape[1]
    late = ~seen[:, :1]
    order = np.where(late, np.argsort(~seen, axis=1, kind="stable"), np.arange(frames))
    # Frames until the last with the person, once they are in this order.
    upto_last = frames - seen[:, ::-1].argmax(1)
    upto_last = np.where(late[:, 0], np.maximum(seen.sum(1), 1), upto_last)
    return np.take_along_axis(order, np.arange(length) % upto_last[:, None], axis=1)
