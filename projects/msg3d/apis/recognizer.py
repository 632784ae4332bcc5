"""Predict actions or regression targets in skeleton sequences.

Exported networks run without torch and MMAction2, so these are imported lazily.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Union, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from .exported import Pipeline, Scorer, is_exported, load_exported
from .groups import Group, all_persons, closest_pairs, single_persons
from .keypoint_input import Layout, Prepared, to_sample
from .prediction import Prediction

if TYPE_CHECKING:
    from mmengine.config import Config


class _Job(NamedTuple):
    """A group of persons in a sample, with the network's input."""

    sample: int
    kind: str  # "all", "persons", or "pairs"
    group: Group
    inputs: NDArray[np.float32]


class Recognizer:
    """Trained network with the test pipeline of its config.

    Args:
        config: the training config: a file, the name of a shipped config, or a `Config`.
            Without `checkpoint`: a checkpoint, which contains its training config, or an
            exported network, as in `from_exported`.
        checkpoint: file or URL. It is loaded without executing code, and every entry
            must match the network.
        classes: names of the classes or regression targets. The default are the names in
            the checkpoint, which training saves if the annotation file has them, or else
            indices.
        device: device such as "cpu" or "cuda:1". The default is a GPU if available.
        batch_size: samples, persons, and pairs per batch.
        clips: clips per sequence whose scores are averaged. The default is the number in
            the config's test pipeline, usually 10. A single clip is ten times faster and
            slightly less accurate.

    Attributes:
        classes: names of the classes; empty for a regression network.
        targets: names of the regression targets; empty for a classification network.
        expected: layout, dimensions, and number of persons of the network's input.

    Raises:
        ConfigError: an option is invalid, or config and checkpoint do not match.
        CheckpointError: a file is invalid, or loading it would execute code.
        ImportError: PyTorch or MMAction2 is not installed.

    Example:
        >>> recognizer = Recognizer("best.pth")
        >>> recognizer.predict(keypoint).name
        'hand waving'
    """

    def __init__(
        self,
        config: Union[str, Path, "Config"],
        checkpoint: str | Path | None = None,
        classes: Sequence[str] | None = None,
        device: str | None = None,
        batch_size: int = 16,
        clips: int | None = None,
    ) -> None:
        _check_counts(batch_size, clips)
        if is_exported(config):
            if checkpoint is not None or classes is not None or device is not None:
                raise ConfigError(
                    "is an exported network, which contains weights and classes and "
                    "runs on the CPU. Omit checkpoint, classes, and device",
                    kind="option",
                    file=str(config),
                )
            self._initialize(*load_exported(str(config), clips), batch_size)
            return
        try:
            from . import trained
        except ModuleNotFoundError as error:
            raise ImportError(
                f"loading a checkpoint requires PyTorch and MMAction2 ({error}). Install "
                "all requirements of msg3d, or export the network on a machine that has "
                "them and use Recognizer.from_exported."
            ) from error

        cfg, checkpoint = trained.load_network(config, checkpoint)
        pipeline = trained.TestPipeline(cfg, clips)
        model, saved = trained.load_model(cfg, checkpoint, device)
        names = trained.class_names(classes, saved, model.cls_head.num_classes)
        classes, targets = ((), names) if trained.has_targets(model) else (names, ())
        self._initialize(
            pipeline, trained.TorchScores(model), classes, targets, batch_size
        )

    @classmethod
    def from_exported(
        cls,
        file: str | Path,
        batch_size: int = 16,
        clips: int | None = None,
    ) -> "Recognizer":
        """Load a file written by `msg3d export`.

        Args:
            file: `.onnx`, which requires onnxruntime, or `.pt2`, which requires torch.
            batch_size, clips: see `Recognizer`.

        Raises:
            CheckpointError: the file does not exist, or was not written by
                `msg3d export`.
            ImportError: onnxruntime or torch is not installed.

        Example:
            >>> Recognizer.from_exported("model.onnx").predict(keypoint).name
            'hand waving'
        """
        _check_counts(batch_size, clips)
        recognizer = cls.__new__(cls)
        recognizer._initialize(*load_exported(str(file), clips), batch_size)
        return recognizer

    def _initialize(
        self,
        pipeline: Pipeline,
        scores: Scorer,
        classes: tuple[str, ...],
        targets: tuple[str, ...],
        batch_size: int,
    ) -> None:
        self._pipeline, self._scores = pipeline, scores
        self.classes, self.targets, self.batch_size = classes, targets, batch_size
        self.expected = pipeline.expected

    @overload
    def predict(
        self, keypoints: np.ndarray | Mapping[str, Any], **options: Any
    ) -> Prediction: ...

    @overload
    def predict(
        self, keypoints: list[Any] | tuple[Any, ...], **options: Any
    ) -> list[Prediction]: ...

    def predict(self, keypoints: Any, **options: Any) -> Prediction | list[Prediction]:
        """Predict the action or targets of one or several sequences.

        Args:
            keypoints: a sequence, or a list or tuple of sequences. A sequence is an
                array [M persons, T frames, V joints, C], or a dictionary such as a
                sample of an annotation file, with `keypoint` and optionally
                `keypoint_score` [M, T, V], `img_shape`, `layout`, `unit`, and its name
                `frame_dir`. C is 3 in 3D; in 2D it is 2, or 3 with the score. A joint
                that is exactly zero is absent.
            **options: see `predict_each`.

        Returns:
            The Prediction of a sequence, or a list of Predictions in the same order.

        Raises:
            DataError: the keypoints do not suit the network.
        """
        if isinstance(keypoints, (list, tuple)):
            return list(self.predict_each(keypoints, **options))
        if isinstance(keypoints, (np.ndarray, Mapping)):
            return next(self.predict_each([keypoints], **options))
        raise DataError(
            f"keypoints have type {type(keypoints).__name__}, expected an array [M, T, "
            "V, C], a dictionary with `keypoint`, or a list of these",
            kind="structure",
        )

    def predict_each(
        self,
        samples: Iterable[Any],
        *,
        layout: Layout | None = None,
        unit: str | None = None,
        img_shape: tuple[int, int] | None = None,
        persons: bool = False,
        pairs: int = 0,
    ) -> Iterator[Prediction]:
        """Yield the prediction of each sequence in order, batch by batch.

        Args:
            samples: any iterable of sequences, see `predict`. At most one batch is kept
                in memory.
            layout: layout of the keypoints, a name in `msg3d.skeletons` or a dictionary
                that defines a layout. The default is the network's.
            unit: "m", "cm", or "mm" in 3D (default "m"); "px" or "normalized" in 2D
                (default "px").
            img_shape: (height, width) of the image, for 2D.
            persons: whether to also predict each person separately.
            pairs: maximum number of pairs to also predict, closest first. Requires a
                network for two or more persons.

        Raises:
            DataError: see `predict`.
        """
        if pairs and self.expected.num_person < 2:
            raise DataError(
                f"pairs={pairs}, but this network takes a single person. Omit pairs "
                "(--pairs), or use a network with num_person=2.",
                kind="option",
                field="pairs",
            )
        prepared = (
            self.prepare(sample, layout, unit, img_shape, name=f"sample {number}")
            for number, sample in enumerate(samples)
        )
        jobs = self._jobs(prepared, persons, pairs)
        current = 0
        done: list[tuple[_Job, NDArray[np.float32]]] = []
        for job, scores in self._score(jobs):
            if job.sample != current:
                yield self._merge(done)
                current, done = job.sample, []
            done.append((job, scores))
        if done:
            yield self._merge(done)

    def prepare(
        self,
        sample: Any,
        layout: Layout | None = None,
        unit: str | None = None,
        img_shape: tuple[int, int] | None = None,
        name: str = "sample",
    ) -> Prepared:
        """Return a checked copy of a sequence, which `predict` accepts without options.

        Arguments and exceptions are those of `predict_each`; `name` is for errors.

        Returns:
            dict(keypoint, total_frames, ...) in the network's layout and units. A sample
            that is already prepared for this network is returned unchanged.
        """
        if isinstance(sample, Prepared) and sample.expected == self.expected:
            return sample
        return to_sample(sample, self.expected, layout, unit, img_shape, name)

    def _jobs(
        self, samples: Iterable[Prepared], persons: bool, pairs: int
    ) -> Iterator[_Job]:
        for number, sample in enumerate(samples):
            keypoint = sample["keypoint"]
            groups = [("all", all_persons(keypoint))]
            if persons:
                groups += [("persons", person) for person in single_persons(keypoint)]
            if pairs:
                groups += [("pairs", pair) for pair in closest_pairs(keypoint, pairs)]
            for kind, group in groups:
                yield _Job(number, kind, group, self._pipeline(group.crop(sample)))

    def _score(
        self, jobs: Iterable[_Job]
    ) -> Iterator[tuple[_Job, NDArray[np.float32]]]:
        """Yield each job with its scores [classes]; a batch has inputs of equal shape."""
        batch: list[_Job] = []
        for job in jobs:
            if batch and (
                len(batch) == self.batch_size
                or job.inputs.shape != batch[0].inputs.shape
            ):
                yield from zip(
                    batch,
                    self._scores([queued.inputs for queued in batch]),
                    strict=True,
                )
                batch = []
            batch.append(job)
        if batch:
            yield from zip(
                batch, self._scores([queued.inputs for queued in batch]), strict=True
            )

    def _merge(self, done: list[tuple[_Job, NDArray[np.float32]]]) -> Prediction:
        """Combine the scores of the groups of a sample into one prediction."""
        parts: dict[str, list[Prediction]] = {"persons": [], "pairs": []}
        (main_job, scores), *others = done
        for job, values in others:
            parts[job.kind].append(self._to_prediction(job.group, values))
        return self._to_prediction(
            main_job.group, scores, tuple(parts["persons"]), tuple(parts["pairs"])
        )

    def _to_prediction(
        self,
        group: Group,
        scores: NDArray[np.float32],
        persons: tuple[Prediction, ...] = (),
        pairs: tuple[Prediction, ...] = (),
    ) -> Prediction:
        frames = (group.start, group.stop)
        if self.targets:
            targets = dict(zip(self.targets, scores.tolist(), strict=True))
            return Prediction(
                None,
                None,
                None,
                scores[:0],
                self.classes,
                group.rows,
                frames,
                persons,
                pairs,
                targets,
            )
        label = int(scores.argmax())
        return Prediction(
            label,
            self.classes[label],
            float(scores[label]),
            scores,
            self.classes,
            group.rows,
            frames,
            persons,
            pairs,
        )


def _check_counts(batch_size: int, clips: int | None) -> None:
    for name, value in (("batch_size", batch_size), ("clips", clips)):
        if value is not None and value < 1:
            raise ConfigError(
                f"{name} is {value}, expected at least 1", kind="option", field=name
            )
