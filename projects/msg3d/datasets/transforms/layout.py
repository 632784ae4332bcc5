"""The joints of another layout, in a pipeline."""

from typing import Dict, Union

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...skeletons.convert import gather_joints, joint_sources


@TRANSFORMS.register_module()
class ConvertLayout(BaseTransform):
    """Data of one layout for a model of another, see `msg3d.skeletons.convert_layout`.

    Belongs before everything that counts on the model's layout: normalisation, bones.

    Args:
        source: layout of the file: a name, or a dictionary with `joints`.
        target: layout of the model.
        missing: 'error', or 'zero' to leave joints without counterpart absent.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, T, V', C];
    `keypoint_score` [M, T, V] -> [M, T, V'] likewise, where there is one (a mean of
    which one joint has score 0 has score 0).

    Raises:
        ValueError: unknown layout, a joint without counterpart, or keypoints of
            another number of joints.
    """

    def __init__(
        self,
        source: Union[str, Dict],
        target: Union[str, Dict],
        missing: str = "error",
    ) -> None:
        self.source, self.target, self.missing = source, target, missing
        self._sources = joint_sources(source, target, missing)

    def transform(self, results: Dict) -> Dict:
        results["keypoint"] = self._convert(results["keypoint"])
        if "keypoint_score" in results:
            score = results["keypoint_score"][..., None]
            results["keypoint_score"] = self._convert(score)[..., 0]
        return results

    def _convert(self, keypoint):
        return gather_joints(keypoint, self._sources, self.source)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(source={self.source!r}, target={self.target!r}, "
            f"missing={self.missing!r})"
        )
