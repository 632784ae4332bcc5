"""Transforms for data augmentation: `preprocessing.augment` with random parameters.

Sources:

- Rotation and scale of entire sequences: the strong augmentation of Duan et al.,
  "DG-STGCN", 2022, and the usual NW-UCLA feeders.
- Moving camera: Yan et al., "Spatial Temporal Graph Convolutional Networks", AAAI 2018,
  section 4.2, with the ranges of the authors' code (BSD-2-Clause).
- Joint dropout: the joint mask of Rao et al., "AS-CAL", Information Sciences 2021.
  Dropping connected joints follows Cheng et al., "Decoupling GCN with DropGraph Module",
  ECCV 2020, since a network can infer a single joint from its neighbors. DropGraph itself
  drops features inside the network.
"""

from collections.abc import Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError
from ...preprocessing.augment import (
    limbs,
    mirror,
    mirrored_order,
    move_2d,
    rotate,
    scale,
)
from ...skeletons import skeleton
from ...skeletons.lookup import Layout

PLACES = ("origin", "image")


@TRANSFORMS.register_module()
class RandomRotate3D(BaseTransform):
    """Rotate a sequence about the origin by one random angle per axis.

    Args:
        degrees: maximum angles about x, y, and z, in degrees. Angles are drawn uniformly
            from -maximum to +maximum.

    Required and modified key: `keypoint` [M, T, V, 3].
    """

    def __init__(self, degrees: Sequence[float] = (17, 17, 17)) -> None:
        self.degrees = degrees

    def transform(self, results: dict) -> dict:
        angles = np.random.uniform(-1, 1, 3) * self.degrees
        results["keypoint"] = rotate(results["keypoint"], angles.tolist())
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(degrees={self.degrees})"


@TRANSFORMS.register_module()
class RandomScale3D(BaseTransform):
    """Scale a sequence by one random factor per axis.

    Args:
        amount: maximum change. Factors are drawn uniformly from 1 - amount to
            1 + amount.

    Required and modified key: `keypoint` [M, T, V, 3].
    """

    def __init__(self, amount: float = 0.1) -> None:
        self.amount = amount

    def transform(self, results: dict) -> dict:
        factors = 1 + np.random.uniform(-1, 1, 3) * self.amount
        results["keypoint"] = scale(results["keypoint"], factors)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(amount={self.amount})"


@TRANSFORMS.register_module()
class RandomMove2D(BaseTransform):
    """Rotate, scale, and shift 2D poses as if the camera moved.

    The camera moves linearly from a random pose in the first frame to another random pose
    in the last frame. It rotates about the origin, so move the image center to the origin
    before this transform.

    Args:
        degrees: angles to choose from, in degrees.
        scales: scale factors to choose from.
        shifts: shifts in x and y to choose from, in the unit of `keypoint`.

    Required and modified key: `keypoint` [M, T, V, C]. Only x and y change.
    """

    def __init__(
        self,
        degrees: Sequence[float] = (-10, -5, 0, 5, 10),
        scales: Sequence[float] = (0.9, 1.0, 1.1),
        shifts: Sequence[float] = (-0.2, -0.1, 0.0, 0.1, 0.2),
    ) -> None:
        self.degrees, self.scales, self.shifts = degrees, scales, shifts

    def transform(self, results: dict) -> dict:
        frames = results["keypoint"].shape[1]
        camera = []
        for choices in (self.degrees, self.scales, self.shifts, self.shifts):
            start, end = np.random.choice(choices, 2)
            camera.append(np.linspace(start, end, frames))
        results["keypoint"] = move_2d(results["keypoint"], *camera)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(degrees={self.degrees}, scales={self.scales}, "
            f"shifts={self.shifts})"
        )


@TRANSFORMS.register_module()
class JointDropout(BaseTransform):
    """Set some joints of a person to zero (absent) in one random span of frames.

    Put this after all transforms that move the origin, and before bones and motions.
    SkeletonFeatures with `mask_absent=True` then masks bones and motions of absent
    joints.

    Args:
        prob: probability that a person loses joints, independent for each person.
        ratio: maximum fraction of the joints that are dropped, 0 to 1. An arm or a leg is
            about a quarter. All numbers of joints up to the maximum are equally likely.
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary. If
            specified, connected joints are dropped, that is, a random joint and all its
            descendants in the tree of bones, such as elbow, wrist, and hand. Joints with
            too many descendants are never chosen. By default, joints are chosen
            independently.
        span: minimum fraction of the frames in which joints are absent, 0 to 1. The span
            has a random length of at least this fraction, and a random position.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified key: `keypoint_score` [M, T, V], set to 0 for dropped joints.

    Raises:
        ConfigError: a fraction is out of range (kind `option`), or the layout is unknown
            (kind `layout`).
        DataError: a sample does not match the layout (kind `layout`).

    Example:
        >>> drop = JointDropout(prob=1, layout='kinect20')
        >>> kept = drop(dict(keypoint=np.ones((1, 80, 20, 3))))['keypoint'].any(-1)
        >>> bool(15 <= kept.all(1).sum() < 20)
        True
    """

    def __init__(
        self,
        prob: float = 0.5,
        ratio: float = 0.25,
        layout: Layout | None = None,
        span: float = 0.5,
    ) -> None:
        for name, value in (("prob", prob), ("ratio", ratio), ("span", span)):
            if not 0 <= value <= 1:
                raise ConfigError(
                    f"JointDropout got {name}={value}, expected a value from 0 to 1",
                    kind="option",
                    field=name,
                )
        self.prob, self.ratio, self.layout, self.span = prob, ratio, layout, span
        self._limbs = None if layout is None else limbs(skeleton(layout))  # (V, V)

    def transform(self, results: dict) -> dict:
        keypoint = results["keypoint"]
        if self._limbs is not None and keypoint.shape[2] != len(self._limbs):
            raise _layout_error(keypoint, len(self._limbs), "C", self.layout)
        kept = np.ones(keypoint.shape[:3], dtype=bool)
        for person in kept:  # (T, V)
            if np.random.rand() < self.prob:
                person[self._frames(len(person)), self._joints(person.shape[1])] = False
        results["keypoint"] = keypoint * kept[..., None]
        if "keypoint_score" in results:
            results["keypoint_score"] = results["keypoint_score"] * kept
        return results

    def _frames(self, frames: int) -> slice:
        length = max(1, round(np.random.uniform(self.span, 1) * frames))
        start = np.random.randint(frames - length + 1)
        return slice(start, start + length)

    def _joints(self, joints: int) -> np.ndarray:
        """Draw the joints to drop, and return their indices or a mask [V]."""
        maximum = max(1, int(self.ratio * joints))
        if self._limbs is None:
            number = np.random.randint(1, maximum + 1)
            return np.random.choice(joints, number, replace=False)
        small = self._limbs[self._limbs.sum(1) <= maximum]
        return small[np.random.randint(len(small))]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, ratio={self.ratio}, "
            f"layout={self.layout!r}, span={self.span})"
        )


@TRANSFORMS.register_module()
class MirrorBody(BaseTransform):
    """Mirror the body, like MMAction2's Flip but for every layout, in 2D and 3D.

    For example, a raised left hand becomes a raised right hand. In contrast, Flip requires
    lists of joints, supports pixels only, does not mirror joints on the left edge of the
    image, and modifies the array of the sample. Random numbers and labels are the same.

    If the classes depend on the side (raise the left hand, circle clockwise, draw a
    letter), mirroring produces wrong labels. In this case, do not use this transform, or
    map the classes with `flip_label_map`.

    Put this before bones and motions. After normalization, the axis across the body is
    x: AlignSkeleton3D, AlignView, and PreNormalize3D rotate the shoulders onto it.
    Mirroring along another axis is also correct, but changes the facing direction.

    Args:
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary with `joints`
            whose names begin with `left_` and `right_`.
        flip_ratio: probability that a sample is mirrored.
        about: 'origin' to mirror at zero (for 3D data, and for 2D data after
            PreNormalize2D or CenterPose2D), or 'image' to mirror at half the image width
            (for pixels or fractions of the image). With 'image', x becomes width - x.
        axis: the coordinate to mirror: 0 for x, 1 for y, 2 for z.
        flip_label_map: new label of each label that changes with the side. Specify both
            directions, such as {3: 4, 4: 3}.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified keys: `keypoint_score` [M, T, V]; `label`, with
    `flip_label_map`.
    Required key for about='image': `img_shape`, (height, width) in the unit of
    `keypoint`.
    Added keys: `flip` (whether the sample is mirrored) and `flip_direction`.

    Raises:
        ConfigError: the layout is unknown or has no symmetric joints (kind `layout`), or
            `about` is unknown (kind `option`).
        DataError: a sample does not match the layout (kind `layout`), or has no
            `img_shape` although it is required (kind `img-shape`).

    Example:
        >>> mirror = MirrorBody('kinect20', flip_ratio=1)
        >>> pose = np.zeros((1, 1, 20, 3))
        >>> pose[..., 7, :] = 0.5, 1, 2  # left hand
        >>> mirror(dict(keypoint=pose))['keypoint'][0, 0, 11]  # right hand
        array([-0.5,  1. ,  2. ])
    """

    def __init__(
        self,
        layout: Layout,
        flip_ratio: float = 0.5,
        about: str = "origin",
        axis: int = 0,
        flip_label_map: dict[int, int] | None = None,
    ) -> None:
        if about not in PLACES:
            raise ConfigError(
                f"MirrorBody got about={about!r}, expected "
                f"{' or '.join(map(repr, PLACES))}",
                kind="option",
                field="about",
            )
        self.layout, self.about, self.axis = layout, about, axis
        self.flip_ratio, self.flip_label_map = flip_ratio, flip_label_map
        self._order = mirrored_order(layout)

    def transform(self, results: dict) -> dict:
        self._check(results)
        flip = np.random.rand() < self.flip_ratio
        results.update(flip=flip, flip_direction="horizontal")
        if not flip:
            return results
        if self.flip_label_map is not None:
            label = results["label"]
            results["label"] = self.flip_label_map.get(label, label)
        width = results["img_shape"][1] if self.about == "image" else 0
        results["keypoint"] = mirror(results["keypoint"], self._order, self.axis, width)
        if results.get("keypoint_score") is not None:
            results["keypoint_score"] = results["keypoint_score"][:, :, self._order]
        return results

    def _check(self, results: dict) -> None:
        keypoint, joints = results["keypoint"], len(self._order)
        shape = keypoint.shape
        if len(shape) != 4 or shape[2] != joints or not self.axis < shape[3]:
            raise _layout_error(keypoint, joints, f"C > {self.axis}", self.layout)
        if self.about == "image" and "img_shape" not in results:
            raise DataError(
                "'img_shape' is missing, but MirrorBody(about='image') requires it. Add "
                "img_shape=(height, width) to the annotation, or use about='origin' after "
                "moving the image center to zero.",
                kind="img-shape",
                field="img_shape",
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, "
            f"flip_ratio={self.flip_ratio}, about={self.about!r}, axis={self.axis}, "
            f"flip_label_map={self.flip_label_map})"
        )


def _layout_error(
    keypoint: np.ndarray, joints: int, channels: str, layout: Layout | None
) -> DataError:
    return DataError(
        f"keypoint has shape {keypoint.shape}, expected [M, T, V={joints}, {channels}] "
        f"for skeleton layout {layout!r}. Pass the layout of the file.",
        kind="layout",
        field="keypoint",
    )
