"""Mean squared error of the traits that a model predicts for persons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import ConfigError, DataError
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

    A person appears in chunks of one or more sessions. The predictions for them are
    averaged to one vector per person, which is compared with the person's targets:
    chunks are not independent samples. Results are `mse/TRAIT` and `mse/mean`; for
    CheckpointHook, `save_best='mse/mean', rule='less'`.

    Data samples need `pred_targets` and `gt_targets` (TraitHead, PackTargetInputs),
    and the fields `person_id` and `session` of their annotation.

    Args:
        traits: names of the K targets; by default the challenge's five.
        by: 'sessions': the mean over a person's sessions of the mean over their chunks;
            'chunks': the mean over all chunks of a person, as Erkoç et al. (2022) do,
            which needs no `session`; 'samples': each sample separately, for
            regressions without persons.
        csv: file for the predictions in the challenge's format, one row per person; by
            default they are not written.
        collect_device, prefix: as in MMEngine.

    Raises:
        ConfigError: an unknown `by`.
        DataError: a sample lacks a field, or a person has two different targets.
    """

    default_prefix = "mse"

    def __init__(
        self,
        traits: Sequence[str] = CHALLENGE_TRAITS,
        by: str = "sessions",
        csv: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if by not in BY:
            raise ConfigError(
                f"PersonTraitMetric got by={by!r}: expected one of {list(BY)}",
                kind="option",
                field="by",
            )
        self.traits, self.by, self.csv = tuple(traits), by, csv

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the person, session, prediction, and targets of each sample."""
        for sample in data_samples:
            name = sample.get("frame_dir")
            vectors = {}
            for field in ("pred_targets", "gt_targets"):
                vector = sample.get(field)
                if vector is None or vector.shape != (len(self.traits),):
                    shape = "no" if vector is None else tuple(vector.shape)
                    raise DataError(
                        f"has {shape} {field}, expected one number for each of "
                        f"{list(self.traits)}: set the metric's `traits`, "
                        "model.cls_head to TraitHead, and the pipeline's last step to "
                        "PackTargetInputs",
                        kind="target",
                        sample=name,
                        field=field,
                    )
                vectors[field] = vector.double().cpu().numpy()
            needed = {"sessions": ("person_id", "session"), "chunks": ("person_id",)}
            for field in needed.get(self.by, ()):
                if sample.get(field) is None:
                    raise DataError(
                        f"has no {field}: add it to the annotations and to "
                        "PackTargetInputs' meta_keys, or set the metric's `by` to "
                        "'chunks' (no session) or 'samples' (no person)",
                        kind="structure",
                        sample=name,
                        field=field,
                    )
            person = sample.get("person_id")
            if self.by == "samples":
                person = name if name is not None else len(self.results)
            self.results.append(
                dict(person=str(person), session=sample.get("session"), **vectors)
            )

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Return the errors of all kept samples; write the predictions if configured."""
        persons: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            persons.setdefault(result["person"], []).append(result)
        predicted, truth = {}, {}
        for person, kept in persons.items():
            first = truth[person] = kept[0]["gt_targets"]
            for result in kept:
                if not np.array_equal(result["gt_targets"], first):
                    raise DataError(
                        f"person {person!r} has gt_targets {first.tolist()} and "
                        f"{result['gt_targets'].tolist()}, expected the same in all "
                        "samples: correct the annotations, or set the metric's "
                        "by='samples'",
                        kind="target",
                        field="gt_targets",
                    )
            chunks = np.stack([result["pred_targets"] for result in kept])
            sessions = [result["session"] for result in kept]
            predicted[person] = person_mean(
                chunks, sessions if self.by == "sessions" else None
            )
        predictions = Traits("predictions", self.traits, predicted)
        if self.csv is not None:
            write_traits(predictions, self.csv)
        return squared_errors(predictions, Traits("annotations", self.traits, truth))
