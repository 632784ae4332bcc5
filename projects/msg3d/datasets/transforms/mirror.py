"""The body in a mirror, for training: left becomes right."""

from typing import Dict, Optional

import numpy as np
from mmaction.datasets.transforms import Flip
from mmaction.registry import TRANSFORMS

from ...skeletons import skeleton
from ...skeletons.body_axes import Layout

PLACES = ("origin", "image")


@TRANSFORMS.register_module()
class MirrorBody(Flip):
    """MMAction2's Flip for every layout, in 2D and 3D, with absent joints left absent.

    The coordinate across the body is mirrored, and the symmetric joints change their
    names: a raised left hand becomes a raised right hand. Flip takes lists of joints,
    knows pixels only, leaves a joint on the picture's left edge where it is, and writes
    into the array it was given. Chance, labels and order of joints are its own.

    Where the side is the class (raising the left hand, circling clockwise, a letter
    drawn in the air), the mirror makes wrong labels: leave it out, or say in
    `flip_label_map` which class becomes which.

    It belongs before bones and motions. Behind a normalisation the axis across the body
    is x: AlignSkeleton3D, AlignView and PreNormalize3D lay the shoulders on it. Any
    other plane mirrors as rightly, it only leaves the body facing another way.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary with `joints` whose
            names begin with `left_` and `right_`.
        flip_ratio: probability that a sample is mirrored.
        about: 'origin' where the mirror is at zero (all 3D data, 2D data after
            PreNormalize2D or CenterPose2D), 'image' for pixels or parts of the image:
            in the middle of its width, so that x becomes width - x.
        axis: the coordinate to mirror: 0 x, 1 y, 2 z.
        flip_label_map: labels that change with the side, each way.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified keys: `keypoint_score` [M, T, V]; `label`, with
    `flip_label_map`.
    Required key for 'image': `img_shape`, (height, width) in the unit of `keypoint`.
    Added keys: Flip's `flip` and `flip_direction`.

    Raises:
        ValueError: no such layout, or one without symmetric joints; no such place; a
            sample of another layout, or without the `img_shape` it needs.

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
        flip_label_map: Optional[Dict[int, int]] = None,
    ) -> None:
        body = skeleton(layout)
        if not body.pairs:
            raise ValueError(
                f"MirrorBody: skeleton layout {layout!r} has no symmetric joints: give "
                "it `joints` with names such as left_hand and right_hand"
            )
        if about not in PLACES:
            raise ValueError(
                f"MirrorBody got about={about!r}: expected one of {list(PLACES)}"
            )
        left, right = zip(*body.pairs)
        super().__init__(
            flip_ratio, left_kp=left, right_kp=right, flip_label_map=flip_label_map
        )
        self.layout, self.about, self.axis = layout, about, axis
        self._order = np.arange(len(body.joints))
        self._order[[*left, *right]] = [*right, *left]

    def transform(self, results: Dict) -> Dict:
        self._check(results)
        # Flip asks for both; a picture of no width is mirrored about zero.
        asked = dict(modality="Pose", img_shape=(0, 0))
        if self.about == "image":
            asked["img_shape"] = results["img_shape"]
        own = {key: results[key] for key in asked if key in results}
        results = super().transform(dict(results, **asked))
        for key in asked:
            del results[key]
        return dict(results, **own)

    def _flip_kps(self, kps, kpscores, img_width):
        """Called by Flip for a sample that is mirrored."""
        kps = kps[:, :, self._order]  # a copy
        across = kps[..., self.axis]
        kps[..., self.axis] = np.where(kps.any(-1), img_width - across, across)
        return kps, None if kpscores is None else kpscores[:, :, self._order]

    def _check(self, results: Dict) -> None:
        shape, joints = results["keypoint"].shape, len(self._order)
        if len(shape) != 4 or shape[2] != joints or not self.axis < shape[3]:
            raise ValueError(
                f"MirrorBody(axis={self.axis}) got keypoint of shape {shape}, expected "
                f"[M, T, V={joints}, C > {self.axis}] of skeleton layout "
                f"{self.layout!r}: name the layout that the file has"
            )
        if self.about == "image" and "img_shape" not in results:
            raise ValueError(
                "MirrorBody(about='image') got a sample without img_shape: give the "
                "annotation img_shape=(height, width), or use about='origin' behind "
                "what moves the middle of the picture to zero"
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, "
            f"flip_ratio={self.flip_ratio}, about={self.about!r}, axis={self.axis}, "
            f"flip_label_map={self.flip_label_map})"
        )
