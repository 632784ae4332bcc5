"""Skeletons in, labels out: a trained network for programs.

NOTE: `msg3d_onnx` reads this module where there is neither torch nor MMAction2: what
needs them is imported where it is used.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy as np

from ..errors import ConfigError, DataError
from .groups import Group, closest_pairs, everybody, single_persons
from .keypoint_input import Layout, Prepared, to_sample
from .prediction import Prediction

if TYPE_CHECKING:
    from mmengine.config import Config


class _Job(NamedTuple):
    """A group of a sample, to be scored."""

    sample: int
    kind: str  # "all", "persons" or "pairs"
    group: Group
    inputs: np.ndarray


class Recognizer:
    """A trained network, with the test pipeline that its scores were measured with.

    Args:
        config: the recipe that it was trained with, a file or read already.
        checkpoint: file or URL; nothing in it is executed, and every entry must fit.
        classes: names of the classes; None for those in the checkpoint, which training
            puts there if the annotation file has them, else their numbers.
        device: as torch names it; None for a GPU if there is one.
        batch_size: samples, persons and pairs that go through the network together.
        clips: clips of a sequence whose scores are averaged; None for the config's
            test, mostly 10. One is ten times as fast, and a little less sure.

    Attributes:
        classes: names of the classes.
        expected: layout, dimensions and persons that the network is for.

    Raises:
        ConfigError: config and checkpoint do not make a network with classes.

    Example:
        >>> recognizer = Recognizer("my_config.py", "best.pth")
        >>> recognizer.predict(keypoint).name
        'hand waving'
    """

    def __init__(
        self,
        config: Union[str, Path, "Config"],
        checkpoint: Union[str, Path],
        classes: Optional[Sequence[str]] = None,
        device: Optional[str] = None,
        batch_size: int = 16,
        clips: Optional[int] = None,
    ) -> None:
        from . import trained

        _check_counts(batch_size, clips)
        cfg = trained.load_config(config)
        pipeline = trained.TestPipeline(cfg, clips)
        model, saved = trained.load_model(cfg, str(checkpoint), device)
        names = trained.class_names(classes, saved, model.cls_head.num_classes)
        self._take(pipeline, trained.TorchScores(model), names, batch_size)

    @classmethod
    def from_exported(
        cls,
        file: Union[str, Path],
        batch_size: int = 16,
        clips: Optional[int] = None,
    ) -> "Recognizer":
        """A recogniser of a file that `tools/export.py` wrote.

        Args:
            file: `.onnx`, for which onnxruntime must be installed, or `.pt2`.
            batch_size, clips: as of the class.

        Raises:
            CheckpointError: the file is missing, or none of ours.
            ImportError: onnxruntime is not installed.

        Example:
            >>> Recognizer.from_exported("model.onnx").predict(keypoint).name
            'hand waving'
        """
        from .exported import load_exported

        _check_counts(batch_size, clips)
        made = cls.__new__(cls)
        made._take(*load_exported(str(file), clips), batch_size)
        return made

    def _take(self, pipeline, scores, classes, batch_size) -> None:
        """What both ways of making one end in."""
        self._pipeline, self._scores = pipeline, scores
        self.classes, self.batch_size = classes, batch_size
        self.expected = pipeline.expected

    def predict(
        self, keypoints: Any, **options: Any
    ) -> Union[Prediction, list[Prediction]]:
        """Labels of one sequence or of many.

        Args:
            keypoints: a sequence, or a list or tuple of them. A sequence is an array
                [M persons, T frames, V joints, C], or a dictionary with `keypoint` and
                what it has of `keypoint_score` [M, T, V], `img_shape`, `layout`, `unit`
                and `frame_dir`, its name: a sample of an annotation file is one. C is
                3 in 3D; in 2D it is 2, or 3 with the score. A joint that is exactly
                zero is absent.
            **options: those of `predict_each`.

        Returns:
            Of a sequence its Prediction, of a list a list in the same order.

        Raises:
            DataError: keypoints that the network cannot take; the text says what,
                where, and what was expected.
        """
        if isinstance(keypoints, (list, tuple)):
            return list(self.predict_each(keypoints, **options))
        if isinstance(keypoints, (np.ndarray, Mapping)):
            return next(self.predict_each([keypoints], **options))
        raise DataError(
            f"keypoints are of type {type(keypoints).__name__}, expected an array [M, T, "
            "V, C], a dictionary with `keypoint`, or a list of these",
            kind="structure",
        )

    def predict_each(
        self,
        samples: Iterable[Any],
        *,
        layout: Optional[Layout] = None,
        unit: Optional[str] = None,
        img_shape: Optional[tuple[int, int]] = None,
        persons: bool = False,
        pairs: int = 0,
    ) -> Iterator[Prediction]:
        """The prediction of each sequence, in order, as batches are done.

        Args:
            samples: sequences, as `predict` takes them; any iterable, of which no more
                than a batch is held.
            layout: of the keypoints, a name of `msg3d.skeletons` or such a dictionary;
                None for the network's.
            unit: "m", "cm" or "mm" in 3D (default "m"); "px" or "normalized", parts
                of the image, in 2D (default "px").
            img_shape: (height, width) of the image that 2D keypoints are of.
            persons: whether to predict each person alone as well.
            pairs: how many pairs to predict as well, at most: the closest ones. For
                networks of two persons or more.

        Raises:
            DataError: as `predict`.
        """
        if pairs and self.expected.num_person < 2:
            raise DataError(
                f"pairs={pairs}, but this network takes one person at a time. Omit "
                "pairs, or use a network with num_person=2.",
                kind="option",
                field="pairs",
            )
        prepared = (
            self.prepare(sample, layout, unit, img_shape, name=f"sample {number}")
            for number, sample in enumerate(samples)
        )
        jobs = self._jobs(prepared, persons, pairs)
        current, found = 0, []
        for job, scores in self._scored(jobs):
            if job.sample != current:
                yield self._joined(found)
                current, found = job.sample, []
            found.append((job, scores))
        if found:
            yield self._joined(found)

    def prepare(
        self,
        sample: Any,
        layout: Optional[Layout] = None,
        unit: Optional[str] = None,
        img_shape: Optional[tuple[int, int]] = None,
        name: str = "sample",
    ) -> Prepared:
        """A checked copy of a sequence, as `predict` takes it without more options.

        Args and errors: those of `predict_each`; `name` is for errors.

        Returns:
            dict(keypoint, total_frames, ...), in the network's layout and units. A
            sample that was prepared for this network is returned unchanged.
        """
        if isinstance(sample, Prepared) and sample.expected == self.expected:
            return sample
        return to_sample(sample, self.expected, layout, unit, img_shape, name)

    def _jobs(self, samples, persons: bool, pairs: int) -> Iterator[_Job]:
        for number, sample in enumerate(samples):
            keypoint = sample["keypoint"]
            groups = [("all", everybody(keypoint))]
            if persons:
                groups += [("persons", one) for one in single_persons(keypoint)]
            if pairs:
                groups += [("pairs", one) for one in closest_pairs(keypoint, pairs)]
            for kind, group in groups:
                yield _Job(number, kind, group, self._pipeline(group.of(sample)))

    def _scored(self, jobs: Iterable[_Job]) -> Iterator[tuple[_Job, np.ndarray]]:
        """Each job with its scores [classes]; a batch's inputs have one shape."""
        batch: list[_Job] = []
        for job in jobs:
            if batch and (
                len(batch) == self.batch_size
                or job.inputs.shape != batch[0].inputs.shape
            ):
                yield from zip(batch, self._scores([one.inputs for one in batch]))
                batch = []
            batch.append(job)
        if batch:
            yield from zip(batch, self._scores([one.inputs for one in batch]))

    def _joined(self, found: list[tuple[_Job, np.ndarray]]) -> Prediction:
        """The prediction of a sample from those of its groups."""
        parts: dict[str, list] = dict(persons=[], pairs=[])
        (whole, scores), *others = found
        for job, values in others:
            parts[job.kind].append(self._prediction(job.group, values))
        return self._prediction(
            whole.group, scores, **{key: tuple(one) for key, one in parts.items()}
        )

    def _prediction(self, group: Group, scores: np.ndarray, **parts) -> Prediction:
        label = int(scores.argmax())
        return Prediction(
            label,
            self.classes[label],
            float(scores[label]),
            scores,
            self.classes,
            rows=group.rows,
            frames=(group.start, group.stop),
            **parts,
        )


def _check_counts(batch_size: int, clips: Optional[int]) -> None:
    for name, value in (("batch_size", batch_size), ("clips", clips)):
        if value is not None and value < 1:
            raise ConfigError(
                f"{name} is {value}, expected at least 1", kind="option", field=name
            )
