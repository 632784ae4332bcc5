"""Which persons of a sample the network sees.

A file may hold any number of persons, the network has room for `num_person`, and
MMAction2's FormatGCNInput keeps the first of the file. Trackers number persons as they
find them: the first may be a bystander, or a chair taken for one.
"""

from typing import Dict

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class SelectPersons(BaseTransform):
    """Keeps the `num_person` persons that come first by a stated rule, best first.

    - `'energy'`: how far the joints spread, the sum over the coordinates of their
      standard deviation over all frames with the person. MS-G3D's and 2s-AGCN's rule
      for NTU RGB+D.
    - `'score'`: mean `keypoint_score` over all frames and joints; a frame without the
      person counts as 0.
    - `'frame_score'`: the same, but sorted anew in every frame. ST-GCN's rule for
      Kinetics, where nobody is tracked: a place then holds different persons over time.
    - `'area'`: mean area of the box around the joints, in x and y, over the frames with
      the person.
    - `'length'`: number of frames with the person.

    Of equals, the first of the file comes first. A joint that is exactly zero is absent
    and belongs to no box and no deviation. Persons without any frame are left out, for
    FormatGCNInput to pad with zeros; where nobody is seen, one absent person stays.

    It belongs first in a pipeline: view alignment turns all persons with the first,
    PreNormalize2D makes absent joints -1, and GenSkeFeat merges scores into `keypoint`.

    Args:
        num_person: how many to keep at most, M'.
        by: the rule.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M', T, V, C], in any unit;
    `keypoint_score` [M, T, V] -> [M', T, V], where there is one.

    Raises:
        ValueError: `num_person` is below 1, or `by` unknown; scores decide, and a
            sample has none.
    """

    def __init__(self, num_person: int = 2, by: str = "energy") -> None:
        if num_person < 1:
            raise ValueError(
                f"SelectPersons got num_person={num_person}: expected at least 1"
            )
        if by not in _RULES:
            raise ValueError(
                f"SelectPersons got by={by!r}: expected one of {sorted(_RULES)}"
            )
        self.num_person, self.by = num_person, by

    def transform(self, results: Dict) -> Dict:
        keypoint = results["keypoint"]
        if "score" in self.by and results.get("keypoint_score") is None:
            raise ValueError(
                f"SelectPersons(by={self.by!r}) got a sample without keypoint_score: "
                "put it before GenSkeFeat, which merges scores into keypoint, or "
                "choose by='energy', 'area' or 'length'"
            )
        present = keypoint.any(-1)  # (M, T, V)
        seen = present.any(-1)
        # (M, T), or (M, 1) where one order serves all frames.
        value = _RULES[self.by](results, present)
        if self.by != "frame_score":
            value, seen = value[:, None], seen.any(1, keepdims=True)
        order = np.argsort(-np.where(seen, value, -np.inf), axis=0, kind="stable")
        order = order[: min(self.num_person, max(seen.sum(0).max(), 1))]
        for key in ("keypoint", "keypoint_score"):
            if results.get(key) is not None:
                results[key] = results[key][order, np.arange(keypoint.shape[1])]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_person={self.num_person}, by={self.by!r})"


# Each rule: (results, which joints are there [M, T, V]) -> [M], frame_score's [M, T].


def _energy(results: Dict, present: np.ndarray) -> np.ndarray:
    keypoint = results["keypoint"].astype(np.float64)
    return np.array(
        [
            joints[there].std(axis=0).sum() if there.any() else 0
            for joints, there in zip(keypoint, present)
        ]
    )


def _score(results: Dict, present: np.ndarray) -> np.ndarray:
    return _frame_score(results, present).mean(1)


def _frame_score(results: Dict, present: np.ndarray) -> np.ndarray:
    score = results["keypoint_score"].mean(-1, dtype=np.float64)
    return score * present.any(-1)


def _area(results: Dict, present: np.ndarray) -> np.ndarray:
    seen = present.any(-1)  # (M, T)
    points, there = results["keypoint"][..., :2].astype(np.float64), present[..., None]
    low = np.where(there, points, np.inf).min(axis=2)
    high = np.where(there, points, -np.inf).max(axis=2)
    area = np.where(seen[..., None], high - low, 0).prod(-1)
    return area.sum(1) / np.maximum(seen.sum(1), 1)


def _length(results: Dict, present: np.ndarray) -> np.ndarray:
    return present.any(-1).sum(1)


_RULES = dict(
    energy=_energy, score=_score, frame_score=_frame_score, area=_area, length=_length
)
