"""The error of traits that a model gives to persons, chunk by chunk."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError
from .traits import (
    Traits,
    person_mean,
    squared_errors,
    write_traits,
)

BY = ("sessions", "chunks", "samples")


@METRICS.register_module()
class PersonTraitMetric(BaseMetric):
    """Mean squared error over persons, of each trait and of all.

    A person is seen in chunks of one or more sessions. What the model says of them is
    averaged to one vector a person, which is compared with the person's own: chunks
    are no independent samples. Results are `mse/TRAIT` and `mse/mean`; for
    CheckpointHook, `save_best='mse/mean', rule='less'`.

    Data samples need `pred_targets` and `gt_targets` (TraitHead, PackTargetInputs),
    and the fields `person_id` and `session` of their annotation.

    Args:
        traits: names of the K targets; the challenge's five if not given.
        by: 'sessions': chunks to a mean a session, sessions to a mean a person;
            'chunks': the mean over all chunks of a person, as Erkoç et al. (2022) do,
            which needs no `session`; 'samples': each sample for itself, for
            regressions without persons.
        csv: where to write the predictions as the challenge takes them, a row a
            person; nowhere if not given.
        collect_device, prefix: as in MMEngine.

    Raises:
        DataError: a sample without what is needed, or a person with two truths.
    """

    default_prefix = "mse"

    def __init__(
        self,
        traits: Sequence[str] = CHALLENGE_TRAITS,
        by: str = "sessions",
        csv: Optional[str] = None,
        collect_device: str = "cpu",
        prefix: Optional[str] = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if by not in BY:
            raise ValueError(
                f"PersonTraitMetric got by={by!r}: expected one of {list(BY)}"
            )
        self.traits, self.by, self.csv = tuple(traits), by, csv

    def process(self, data_batch: Any, data_samples: Sequence[Dict]) -> None:
        """Keeps of each sample its person, session, prediction and truth."""
        for sample in data_samples:
            name = sample.get("frame_dir")
            vectors = {}
            for field in ("pred_targets", "gt_targets"):
                vector = sample.get(field)
                if vector is None or vector.shape != (len(self.traits),):
                    found = "no" if vector is None else tuple(vector.shape)
                    raise DataError(
                        f"sample {name!r} has {found} {field}, expected one number "
                        f"for each of {list(self.traits)}: set the metric's `traits`, "
                        "model.cls_head to TraitHead and the pipeline's last step to "
                        "PackTargetInputs"
                    )
                vectors[field] = vector.double().cpu().numpy()
            needed = dict(sessions=("person_id", "session"), chunks=("person_id",))
            for field in needed.get(self.by, ()):
                if sample.get(field) is None:
                    raise DataError(
                        f"sample {name!r} has no {field}: add it to the annotations "
                        "and to PackTargetInputs' meta_keys, or set the metric's `by` "
                        "to 'chunks' (no session) or 'samples' (no person)"
                    )
            person = sample.get("person_id")
            if self.by == "samples":
                person = name if name is not None else len(self.results)
            self.results.append(
                dict(person=str(person), session=sample.get("session"), **vectors)
            )

    def compute_metrics(self, results: List[Dict]) -> Dict[str, float]:
        """The errors of all that was kept; writes the predictions, if asked for."""
        persons: Dict[str, List[Dict]] = {}
        for one in results:
            persons.setdefault(one["person"], []).append(one)
        predicted, truth = {}, {}
        for person, ones in persons.items():
            first = truth[person] = ones[0]["gt_targets"]
            for one in ones:
                if not np.array_equal(one["gt_targets"], first):
                    raise DataError(
                        f"person {person!r} has gt_targets {first.tolist()} and "
                        f"{one['gt_targets'].tolist()}, expected the same in all "
                        "samples: mend the annotations, or set the metric's "
                        "by='samples'"
                    )
            chunks = np.stack([one["pred_targets"] for one in ones])
            sessions = [one["session"] for one in ones]
            sessions = sessions if self.by == "sessions" else None
            predicted[person] = person_mean(chunks, sessions)
        predictions = Traits("predictions", self.traits, predicted)
        if self.csv is not None:
            write_traits(predictions, self.csv)
        return squared_errors(predictions, Traits("annotations", self.traits, truth))
