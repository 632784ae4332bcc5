"""Joints, bones and their motions, the streams of a skeleton network.

Source: MMAction2's GenSkeFeat, made of its JointToBone and ToMotion. They know three
data sets by name; these know every layout.
"""

from typing import Dict, Optional, Sequence, Union

import numpy as np
from mmaction.datasets.transforms import JointToBone, ToMotion
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...skeletons import STREAMS, skeleton


@TRANSFORMS.register_module()
class SkeletonFeatures(BaseTransform):
    """MMAction2's GenSkeFeat for every layout, the same numbers for its three.

    A third channel that came as `keypoint_score` is averaged over the two ends of a
    bone or a motion, not subtracted. A third channel of `keypoint` itself is z, in
    every layout (GenSkeFeat takes it for a score in 'coco' and 'openpose'), and
    scores may come with every layout (GenSkeFeat refuses them in 'nturgb+d').

    Args:
        layout: a name of `msg3d.skeletons`, or a dictionary as in `graph_cfg`.
        feats: any of 'j' joints, 'b' bones (joint less parent), 'jm' and 'bm' their
            motions (next frame less this one, the last zero), in the order wanted.
            None: the one that the data set names (`SkeletonDataset(stream='b')`).
        axis: along which several features are joined.
        mask_absent: whether a bone or motion with an absent end is zero. MMAction2
            computes it like any other, so it points at the origin. A joint is absent
            where its score is 0 or, without scores, where it is exactly zero, so
            this is not for keypoints whose centre was moved to the origin in every
            frame: the centre is then at zero, and its bones would go.

    Required and modified keys: `keypoint` [M, T, V, C], C = 2 or 3, becomes
    [M, T, V, len(feats) * C'] (for axis=-1), C' with the score.
    Optional key: `stream`, 'j' where it is missing.
    Removed keys: `keypoint_score` [M, T, V], where there is one, and then C = 2.

    Raises:
        ValueError: unknown feature; other joints than the layout's; other channels.
    """

    def __init__(
        self,
        layout: Union[str, Dict],
        feats: Optional[Sequence[str]] = None,
        axis: int = -1,
        mask_absent: bool = False,
    ) -> None:
        if feats is not None and (not feats or set(feats) - set(STREAMS)):
            raise ValueError(
                f"SkeletonFeatures got feats={feats!r}: expected a list of some of "
                f"{list(STREAMS)}"
            )
        self.layout, self.feats, self.axis = layout, feats, axis
        self.mask_absent = mask_absent
        self.bones = skeleton(layout).bones

    def transform(self, results: Dict) -> Dict:
        self._check(results)
        feats = self.feats or [results.get("stream", "j")]
        joints, scored = results["keypoint"], "keypoint_score" in results
        if scored:
            score = results.pop("keypoint_score")
            joints = np.concatenate([joints, score[..., None]], -1)
        # MMAction2's parts ask for the data set only to know whether there are scores.
        kind = "coco" if scored else "nturgb+d"
        streams = dict(j=joints)
        if {"b", "bm"} & set(feats):
            streams["b"] = self._bones(joints, kind)
        for name in ("jm", "bm"):
            if name in feats:
                streams[name] = self._motion(streams[name[0]], kind)
        results["keypoint"] = np.concatenate(
            [streams[name] for name in feats], axis=self.axis
        )
        return results

    def _bones(self, joints: np.ndarray, kind: str) -> np.ndarray:
        to_bone = JointToBone(dataset=kind)
        to_bone.pairs = self.bones
        bones = to_bone.transform(dict(keypoint=joints))["keypoint"]
        if self.mask_absent:
            present = _present(joints, kind)  # (M, T, V)
            parents = [parent for _, parent in self.bones]
            bones *= (present & present[..., parents])[..., None]
        return bones

    def _motion(self, stream: np.ndarray, kind: str) -> np.ndarray:
        motion = ToMotion(dataset=kind).transform(dict(keypoint=stream))["motion"]
        if self.mask_absent:
            present = _present(stream, kind)
            motion[:, :-1] *= (present[:, :-1] & present[:, 1:])[..., None]
        return motion

    def _check(self, results: Dict) -> None:
        shape, scored = results["keypoint"].shape, "keypoint_score" in results
        expected = (2,) if scored else (2, 3)
        if len(shape) != 4 or shape[2] != len(self.bones):
            raise ValueError(
                f"SkeletonFeatures got keypoints of shape {shape}, expected [M, T, "
                f"V={len(self.bones)}, C]: set layout to that of the data"
            )
        if shape[3] not in expected:
            mend = (
                "leave keypoint_score out of data with z"
                if scored
                else "give x, y and z, or x and y with the score in keypoint_score"
            )
            raise ValueError(
                f"SkeletonFeatures got keypoints of {shape[3]} channels"
                f"{' and keypoint_score' if scored else ''} (shape {shape}), expected "
                f"{' or '.join(map(str, expected))}: {mend}"
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, feats={self.feats}, "
            f"axis={self.axis}, mask_absent={self.mask_absent})"
        )


def _present(stream: np.ndarray, kind: str) -> np.ndarray:
    """Which entries of a stream are there, bool [M, T, V]."""
    return stream[..., 2] != 0 if kind == "coco" else stream.any(-1)
