"""Select the persons and the joints that the network sees."""

from typing import Dict, Union

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import ConfigError
from ...preprocessing.persons import RULES, select_persons
from ...skeletons.convert import gather_joints, joint_sources


@TRANSFORMS.register_module()
class SelectPersons(BaseTransform):
    """Keep the best persons by a rule, best first: `preprocessing.persons`.

    MMAction2's FormatGCNInput keeps the first persons of the file, whoever they are,
    and pads the missing ones with zeros.

    It belongs first in a pipeline: view alignment turns all persons with the first,
    PreNormalize2D makes absent joints -1, and GenSkeFeat merges scores into `keypoint`.

    Args:
        num_person: how many to keep at most, M'.
        by: the rule: 'energy', 'score', 'frame_score', 'area' or 'length'.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M', T, V, C], in any unit;
    `keypoint_score` [M, T, V] -> [M', T, V], if there is one.

    Raises:
        ConfigError: `num_person` is below 1, or `by` is unknown; kind "option".
        DataError: the rule needs scores and the sample has none; kind "score".
    """

    def __init__(self, num_person: int = 2, by: str = "energy") -> None:
        if num_person < 1:
            raise ConfigError(
                f"SelectPersons got num_person={num_person}, expected at least 1",
                kind="option",
                field="num_person",
            )
        if by not in RULES:
            raise ConfigError(
                f"SelectPersons got by={by!r}, expected one of {sorted(RULES)}",
                kind="option",
                field="by",
            )
        self.num_person, self.by = num_person, by

    def transform(self, results: Dict) -> Dict:
        results["keypoint"], score = select_persons(
            results["keypoint"],
            self.num_person,
            self.by,
            results.get("keypoint_score"),
        )
        if score is not None:
            results["keypoint_score"] = score
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_person={self.num_person}, by={self.by!r})"


@TRANSFORMS.register_module()
class ConvertLayout(BaseTransform):
    """Convert data of one layout for a model of another: `skeletons.convert_layout`.

    Belongs before everything that depends on the model's layout: normalization, bones.

    Args:
        source: layout of the file: a name, or a dictionary with `joints`.
        target: layout of the model.
        missing: 'error', or 'zero' to leave joints without counterpart absent.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, T, V', C];
    `keypoint_score` [M, T, V] -> [M, T, V'] likewise, if there is one (a mean of
    which one joint has score 0 has score 0).

    Raises:
        MSG3DError: unknown layout, a joint without counterpart, or keypoints of
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
