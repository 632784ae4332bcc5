"""Metric for personality traits: mean squared error over persons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import ConfigError, DataError
from .traits import Traits, person_mean, squared_errors, write_traits

BY = ("sessions", "chunks", "samples")


@METRICS.register_module()
class PersonTraitMetric(BaseMetric):
    """Mean squared error over persons, per trait and averaged over traits.

    A person appears in chunks of one or more sessions. Because chunks are not independent
    samples, their predictions are averaged to one vector per person before they are
    compared with the person's targets. Results are `mse/TRAIT` and `mse/mean`. For
    CheckpointHook, use `save_best='mse/mean', rule='less'`.

    Data samples must contain `pred_targets` (from TraitHead) and `gt_targets` (from
    PackTargetInputs), and the fields `person_id` and `session` of the annotations.

    Args:
        traits: names of the K targets. By default, the five traits of the DYAD challenge.
        by: how predictions are averaged. 'sessions' averages over the chunks of each
            session, then over sessions. 'chunks' averages over all chunks of a person, as
            in Erkoç et al. (2022), and does not require `session`. 'samples' does not
            average, for regression without persons.
        csv: CSV file for the predictions in the format of the DYAD challenge, with one
            row per person; None to write no file.
        collect_device, prefix: see `BaseMetric` of MMEngine.

    Raises:
        ConfigError: `by` is unknown (kind `option`).
        DataError: a sample lacks a field, or the samples of a person have different
            targets.
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
                f"PersonTraitMetric got by={by!r}, expected one of {', '.join(BY)}",
                kind="option",
                field="by",
            )
        self.traits, self.by, self.csv = tuple(traits), by, csv

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Store the person, session, prediction, and targets of each sample."""
        for sample in data_samples:
            name = sample.get("frame_dir")
            vectors = {}
            for field in ("pred_targets", "gt_targets"):
                vector = sample.get(field)
                if vector is None or vector.shape != (len(self.traits),):
                    problem = (
                        "is missing"
                        if vector is None
                        else f"has shape {tuple(vector.shape)}"
                    )
                    raise DataError(
                        f"{field!r} {problem}, expected one number for each of "
                        f"{', '.join(self.traits)}. Set `traits` of the metric, use "
                        "TraitHead as model.cls_head, and use PackTargetInputs as the "
                        "last step of the pipeline.",
                        kind="target",
                        sample=name,
                        field=field,
                    )
                vectors[field] = vector.double().cpu().numpy()
            required = {"sessions": ("person_id", "session"), "chunks": ("person_id",)}
            for field in required.get(self.by, ()):
                if sample.get(field) is None:
                    raise DataError(
                        f"{field!r} is missing. Add it to the annotations and to "
                        "meta_keys of PackTargetInputs, or set `by` of the metric to "
                        "'chunks' (without sessions) or 'samples' (without persons).",
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
        """Return the mean squared errors over persons, and write `csv` if it is set."""
        persons: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            persons.setdefault(result["person"], []).append(result)
        predicted, truth = {}, {}
        for person, samples in persons.items():
            first = truth[person] = samples[0]["gt_targets"]
            for sample in samples:
                if not np.array_equal(sample["gt_targets"], first):
                    raise DataError(
                        f"person {person!r} has 'gt_targets' {first.tolist()} and "
                        f"{sample['gt_targets'].tolist()}, expected the same in all "
                        "samples. Correct the annotations, or set by='samples' in the "
                        "metric.",
                        kind="target",
                        field="gt_targets",
                    )
            chunks = np.stack([sample["pred_targets"] for sample in samples])
            sessions = [sample["session"] for sample in samples]
            predicted[person] = person_mean(
                chunks, sessions if self.by == "sessions" else None
            )
        predictions = Traits("predictions", self.traits, predicted)
        if self.csv is not None:
            write_traits(predictions, self.csv)
        return squared_errors(predictions, Traits("annotations", self.traits, truth))
