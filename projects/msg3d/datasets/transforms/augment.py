"""Random changes of training poses: `preprocessing.augment` with drawn parameters.

Sources: rotation and scale of entire sequences as in the strong augmentation of Duan et
al., "DG-STGCN", 2022, and the usual NW-UCLA feeders. The moving camera is that of Yan et
al., "Spatial Temporal Graph Convolutional Networks", AAAI 2018, section 4.2, with the
ranges of the authors' code (BSD-2-Clause). Lost joints are the joint mask of Rao et al.,
"AS-CAL", Information Sciences 2021, and connected ones follow Cheng et al., "Decoupling
GCN with DropGraph Module", ECCV 2020: a single joint is guessed from its neighbors in
the graph, so drop connected joints. DropGraph drops features inside the network.
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
    """Turn a sequence about the origin by one random angle per axis.

    Args:
        degrees: greatest angle about x, y and z; each is uniform in +-degrees.

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
    """Stretch a sequence by one random factor per axis.

    Args:
        amount: each factor is uniform in 1 +- amount.

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
    """Turn, scale and shift 2D poses as a moving camera does.

    The camera moves linearly from one random pose in the first frame to another in the
    last. It turns about the origin, so put this after what moves the image center
    there.

    Args:
        degrees: the angles to choose from.
        scales: the factors to choose from.
        shifts: the shifts in x and y to choose from, in the unit of `keypoint`.

    Required and modified key: `keypoint` [M, T, V, C]; of C the first two.
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
    """Make some joints of a person absent, in one random span of frames.

    Absent joints are exactly zero, so this belongs after everything that moves the
    origin, and before bones and motions: SkeletonFeatures with `mask_absent=True`
    leaves out what connects an absent joint to another.

    Args:
        prob: probability that a person loses joints, separately for each person.
        ratio: largest part of the joints that a person loses, 0 to 1. A quarter is
            an arm or a leg of the usual layouts. All numbers of joints from one to
            this are equally likely.
        layout: with a layout (a name of `msg3d.skeletons`, or such a dictionary) the
            joints are connected: one joint and all behind it, seen from the root of
            its bones, such as elbow, wrist and hand. All joints with few enough behind
            them are equally likely. Without a layout they are any joints.
        span: shortest part of the frames in which they are absent, 0 to 1; the span
            has a random length from this to all frames, at a random place.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified key: `keypoint_score` [M, T, V], 0 where a joint is absent.

    Raises:
        ConfigError: a part is out of its range (kind "option"), or unknown layout.
        DataError: a sample of another layout; kind "layout".

    Example:
        >>> drop = JointDropout(prob=1, layout='kinect20')
        >>> left = drop(dict(keypoint=np.ones((1, 80, 20, 3))))['keypoint'].any(-1)
        >>> bool(15 <= left.all(1).sum() < 20)
        True
    """

    def __init__(
        self,
        prob: float = 0.5,
        ratio: float = 0.25,
        layout: Layout | None = None,
        span: float = 0.5,
    ) -> None:
        for name, part in (("prob", prob), ("ratio", ratio), ("span", span)):
            if not 0 <= part <= 1:
                raise ConfigError(
                    f"JointDropout got {name}={part}, expected a part, from 0 to 1",
                    kind="option",
                    field=name,
                )
        self.prob, self.ratio, self.layout, self.span = prob, ratio, layout, span
        self._limbs = None if layout is None else limbs(skeleton(layout))  # (V, V)

    def transform(self, results: dict) -> dict:
        keypoint = results["keypoint"]
        if self._limbs is not None and keypoint.shape[2] != len(self._limbs):
            raise _other_layout(keypoint, len(self._limbs), "C", self.layout)
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
        """Draw the joints to drop: numbers, or bool [V]."""
        most = max(1, int(self.ratio * joints))
        if self._limbs is None:
            number = np.random.randint(1, most + 1)
            return np.random.choice(joints, number, replace=False)
        small = self._limbs[self._limbs.sum(1) <= most]
        return small[np.random.randint(len(small))]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, ratio={self.ratio}, "
            f"layout={self.layout!r}, span={self.span})"
        )


@TRANSFORMS.register_module()
class MirrorBody(BaseTransform):
    """Mirror the body: MMAction2's Flip for every layout, in 2D and 3D.

    A raised left hand becomes a raised right hand. Flip takes lists of joints, supports
    pixels only, leaves a joint on the left edge of the image where it is, and writes
    into the array of the sample. Random numbers and labels are Flip's.

    If the side is the class (raise the left hand, circle clockwise, draw a letter),
    mirroring makes wrong labels: leave it out, or map the classes in `flip_label_map`.

    It belongs before bones and motions. After a normalization the axis across the body
    is x: AlignSkeleton3D, AlignView and PreNormalize3D turn the shoulders onto it. Any
    other plane is a correct mirror too, but the body then faces another way.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary with `joints` whose
            names begin with `left_` and `right_`.
        flip_ratio: probability that a sample is mirrored.
        about: 'origin' if the mirror is at zero (all 3D data, 2D data after
            PreNormalize2D or CenterPose2D), 'image' for pixels or parts of the image:
            in the middle of its width, so that x becomes width - x.
        axis: the coordinate to mirror: 0 x, 1 y, 2 z.
        flip_label_map: labels that change with the side, in both directions.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified keys: `keypoint_score` [M, T, V]; `label`, with
    `flip_label_map`.
    Required key for 'image': `img_shape`, (height, width) in the unit of `keypoint`.
    Added keys: `flip`, whether the sample is mirrored, and `flip_direction`.

    Raises:
        ConfigError: unknown layout, or one without symmetric joints; unknown `about`
            (kind "option").
        DataError: a sample of another layout (kind "layout"), or without the
            `img_shape` that is required (kind "img-shape").

    Example:
        >>> mirror = MirrorBody('kinect20', flip_ratio=1)
        >>> hand = np.zeros((1, 1, 20, 3))
        >>> hand[..., 7, :] = 0.5, 1, 2  # the left one
        >>> mirror(dict(keypoint=hand))['keypoint'][0, 0, 11]
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
                f"MirrorBody got about={about!r}, expected one of {list(PLACES)}",
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
            raise _other_layout(keypoint, joints, f"C > {self.axis}", self.layout)
        if self.about == "image" and "img_shape" not in results:
            raise DataError(
                "MirrorBody(about='image') got a sample without img_shape: give the "
                "annotation img_shape=(height, width), or use about='origin' after the "
                "image center has been moved to zero",
                kind="img-shape",
                field="img_shape",
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, "
            f"flip_ratio={self.flip_ratio}, about={self.about!r}, axis={self.axis}, "
            f"flip_label_map={self.flip_label_map})"
        )


def _other_layout(
    keypoint: np.ndarray, joints: int, channels: str, layout: Layout | None
) -> DataError:
    return DataError(
        f"keypoint has shape {keypoint.shape}, expected [M, T, V={joints}, {channels}] "
        f"of skeleton layout {layout!r}: name the layout that the file has",
        kind="layout",
        field="keypoint",
    )
