"""Recognizer that predicts actions or regression targets from skeleton sequences.

Exported networks run without PyTorch and MMAction2, so both are imported lazily.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Union, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from ..formats.result_objects import are_results
from .enrolled import EnrolledClasses
from .exported import Pipeline, Scorer, is_exported, load_exported
from .groups import Group, all_persons, closest_pairs, single_persons
from .keypoint_input import Layout, Prepared, to_sample
from .prediction import Prediction

if TYPE_CHECKING:
    from mmengine.config import Config


class _Job(NamedTuple):
    """Network input for a group of persons in a sample."""

    sample: int  # position in the iterable of samples
    kinds: tuple[str, ...]  # the parts of a prediction: "all", "persons", "pairs"
    group: Group
    inputs: NDArray[np.float32]  # [clips, M, T, V, C]


class Recognizer:
    """Trained network that predicts actions or regression targets from keypoints.

    Keypoints are checked, converted to the layout and unit of the network, and passed
    through its test pipeline. If the checkpoint contains a temperature (see
    `msg3d calibrate`), the scores are calibrated probabilities. An exported network contains its weights and names, and
    runs on the CPU. Omit `checkpoint`, `classes`, and `device` for it.

    Args:
        config: training config of the network: a path, the name of a shipped config, or
            a `Config`. If `checkpoint` is None, `config` is instead the path or URL of a
            checkpoint that contains its training config, or the path of an exported
            network (see `from_exported`).
        checkpoint: path or URL of the weights. The file is loaded without executing
            code. All weights must match the network.
        classes: names of the classes or regression targets. By default, the names in the
            checkpoint are used, which training saves if the annotation file contains
            them. If the checkpoint has no names, they are "0", "1", and so on.
        device: device of the network, such as "cpu" or "cuda:1". By default, a GPU is
            used if available.
        batch_size: maximum number of inputs per batch. Each sequence is one input, and
            so is each person or pair that is predicted separately.
        clips: number of clips sampled per sequence. The scores of the clips are averaged.
            By default, the number in the test pipeline is used, usually 10. A single
            clip is about ten times faster and slightly less accurate. Pipelines that use
            full sequences ignore this argument.

    Attributes:
        classes: tuple of class names, in the order of the scores. Empty for a regression
            network.
        targets: tuple of target names. Empty for a classification network.
        batch_size: maximum number of inputs per batch.
        enrolled: classes added by `enroll`, with `names` and `counts` of examples.
        expected: layout, dimensions, stream, and number of persons of the keypoints that
            the network was trained on.

    Raises:
        ConfigError: an argument is invalid, the config or checkpoint does not exist, or
            config and checkpoint do not match.
        CheckpointError: the checkpoint or exported network cannot be read, or loading it
            would execute code.
        ImportError: a required package is not installed. Checkpoints require PyTorch and
            MMAction2, `.onnx` files require ONNX Runtime, and `.pt2` files require
            PyTorch.

    Example:
        >>> recognizer = Recognizer("best.pth")
        >>> keypoint = np.load("wave.npy")
        >>> keypoint.shape  # [M persons, T frames, V joints, C coordinates]
        (1, 103, 25, 3)
        >>> prediction = recognizer.predict(keypoint)
        >>> prediction.name, prediction.scores.shape
        ('hand waving', (60,))
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
                    "an exported network contains weights and classes and runs on the "
                    "CPU. Omit checkpoint, classes, and device.",
                    kind="option",
                    file=str(config),
                )
            self._load(str(config), clips, batch_size)
            return
        try:
            from . import trained
        except ModuleNotFoundError as error:
            raise ImportError(
                f"loading a checkpoint requires PyTorch and MMAction2 ({error}). Install "
                "all requirements of msg3d, or export the network on another machine and "
                "load it with Recognizer.from_exported."
            ) from error

        cfg, checkpoint = trained.load_network(config, checkpoint)
        pipeline = trained.TestPipeline(cfg, clips)
        model, saved, temperature = trained.load_model(cfg, checkpoint, device)
        names = trained.class_names(classes, saved, model.cls_head.num_classes)
        classes, targets = ((), names) if trained.has_targets(model) else (names, ())
        feature_hash = partial(trained.feature_hash, model, pipeline)
        self._initialize(
            pipeline,
            trained.TorchScores(model, temperature),
            classes,
            targets,
            feature_hash,
            batch_size,
        )

    @classmethod
    def from_exported(
        cls,
        file: str | Path,
        batch_size: int = 16,
        clips: int | None = None,
    ) -> "Recognizer":
        """Load an exported network, without its config and checkpoint.

        Args:
            file: path of a file written by `msg3d export`. `.onnx` files require ONNX
                Runtime, and `.pt2` files require PyTorch.
            batch_size, clips: see `Recognizer`.

        Returns:
            The recognizer, which runs on the CPU.

        Raises:
            ConfigError: `batch_size` or `clips` is below 1.
            CheckpointError: the file does not exist, or was not written by
                `msg3d export`.
            ImportError: ONNX Runtime or PyTorch is not installed.

        Example:
            >>> Recognizer.from_exported("model.onnx").predict(keypoint).name
            'hand waving'
        """
        _check_counts(batch_size, clips)
        recognizer = cls.__new__(cls)
        recognizer._load(str(file), clips, batch_size)
        return recognizer

    def _load(self, file: str, clips: int | None, batch_size: int) -> None:
        network = load_exported(file, clips)
        self._initialize(*network[:4], lambda: network.feature_hash, batch_size)

    def _initialize(
        self,
        pipeline: Pipeline,
        scores: Scorer,
        classes: tuple[str, ...],
        targets: tuple[str, ...],
        feature_hash: Callable[[], str],
        batch_size: int,
    ) -> None:
        self._pipeline, self._scores = pipeline, scores
        self._feature_hash, self.enrolled = feature_hash, EnrolledClasses()
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
        """Predict the action or regression targets of one or several sequences.

        Args:
            keypoints: a sequence, or a list or tuple of sequences. A sequence is an
                array [M persons, T frames, V joints, C coordinates] (of NumPy, PyTorch,
                or any type with `__array__`); a list of `Results` of Ultralytics or
                `PoseLandmarkerResult` of MediaPipe, one per frame; or a dictionary with
                an array as `keypoint`, such as a sample of an annotation file. A
                dictionary can also contain `keypoint_score` [M, T, V]; `frame_dir`, the
                name of the sequence; and `layout`, `unit`, and `img_shape`, which
                override the options. C is 3 for 3D keypoints. For 2D keypoints, C is 2,
                or 3 if the last channel is the score. Absent joints are exactly zero.
            **options: keyword arguments of `predict_each`.

        Returns:
            A `Prediction` for a sequence, or a list of them, in the same order, for a
            list or tuple of sequences.

        Raises:
            DataError: the keypoints are invalid or do not match the network.
        """
        sequences, single = _sequences(keypoints)
        predictions = list(self.predict_each(sequences, **options))
        return predictions[0] if single else predictions

    def predict_each(
        self,
        samples: Iterable[Any],
        *,
        layout: Layout | None = None,
        unit: str | None = None,
        img_shape: tuple[int, int] | None = None,
        persons: bool = False,
        pairs: int = 0,
        enrolled: bool = False,
    ) -> Iterator[Prediction]:
        """Yield the prediction for each sequence of an iterable, in order.

        Sequences are predicted in batches, and at most one batch is kept in memory.

        Args:
            samples: iterable of sequences, see `predict`.
            layout: skeleton layout of the keypoints, as a name in `msg3d.skeletons` or a
                dictionary that defines the layout. By default, the network's layout.
            unit: unit of the keypoints: "m" (default), "cm", "mm", or "unscaled" in 3D;
                "px" (default) or "normalized" in 2D.
            img_shape: (height, width) of the image in pixels, for 2D keypoints.
            persons: whether to predict each person separately as well. The results are
                in `Prediction.persons`.
            pairs: maximum number of pairs of persons to predict as well, closest first.
                The results are in `Prediction.pairs`. Requires a network for two or more
                persons.
            enrolled: whether to predict the enrolled classes (see `enroll`) instead of
                the classes that the network was trained on. The scores sum to 1.

        Raises:
            ConfigError: `enrolled` is set, but no class is enrolled (kind `empty`).
            DataError: `pairs` is set, but the network takes a single person; or the
                keypoints are invalid or do not match the network.
        """
        if pairs and self.expected.num_person < 2:
            raise DataError(
                f"pairs={pairs}, but this network takes a single person. Omit pairs "
                "(--pairs), or use a network with num_person=2.",
                kind="option",
                field="pairs",
            )
        if enrolled:
            self.enrolled.check_any()
        prepared = (
            self.prepare(sample, layout, unit, img_shape, name=f"sample {number}")
            for number, sample in enumerate(samples)
        )
        jobs = self._jobs(prepared, persons, pairs)
        score = self._enrolled_scores if enrolled else self._scores
        classes = tuple(self.enrolled.names) if enrolled else self.classes
        current = 0
        done: list[tuple[_Job, NDArray[np.float32]]] = []
        for job, scores in self._batches(jobs, score):
            if job.sample != current:
                yield self._merge(done, classes)
                current, done = job.sample, []
            done.append((job, scores))
        if done:
            yield self._merge(done, classes)

    def features(
        self,
        keypoints: Any,
        *,
        layout: Layout | None = None,
        unit: str | None = None,
        img_shape: tuple[int, int] | None = None,
    ) -> NDArray[np.float32]:
        """Return the features of one or several sequences.

        The features are the input of the network's last layer: the activations of the
        last block, averaged over joints, frames, persons, and clips. Similar actions have
        similar features, even if the network was not trained on them.

        Args:
            keypoints: see `predict`.
            layout, unit, img_shape: see `predict_each`.

        Returns:
            float32 [D] for a sequence, or [sequences, D] for a list or tuple. For MS-G3D,
            D is 4 * base_channels.

        Raises:
            DataError: see `predict`.
            ConfigError: the network predicts regression targets, or is an exported file
                without features, such as a `.pt2` file (kind `config`).

        Example:
            >>> recognizer.features(keypoint).shape
            (384,)
        """
        if self.targets:
            raise ConfigError(
                "the network predicts regression targets, expected a classification "
                "network for features",
                kind="config",
                field="model.cls_head",
            )
        sequences, single = _sequences(keypoints)
        prepared = (
            self.prepare(sample, layout, unit, img_shape, name=f"sample {number}")
            for number, sample in enumerate(sequences)
        )
        jobs = self._jobs(prepared, persons=False, pairs=0)
        rows = [row for _, row in self._batches(jobs, self._scores.features)]
        if not rows:
            raise DataError(
                "the list of sequences is empty, expected at least one", kind="empty"
            )
        return rows[0] if single else np.stack(rows)

    def enroll(self, name: str, clips: Any, **options: Any) -> None:
        """Add a class from a few examples, without training.

        Then, `predict(..., enrolled=True)` returns the enrolled class with the nearest
        mean of `features`. Five to ten examples from several persons and viewpoints are
        more reliable than one. `docs/results.md` reports the accuracy. To distinguish a
        new class from classes of the network, enroll examples of those as well.

        Args:
            name: name of the class. If it is already enrolled, the examples are added.
            clips: a sequence, or a list or tuple of sequences, see `predict`.
            **options: `layout`, `unit`, and `img_shape` of `predict_each`.

        Raises:
            DataError, ConfigError: see `features`.

        Example:
            >>> recognizer.enroll("wave", waves)  # a list of arrays [M, T, V, C]
            >>> recognizer.enroll("nod", nods)
            >>> recognizer.predict(keypoint, enrolled=True).name
            'wave'
        """
        self.enrolled.add(name, np.atleast_2d(self.features(clips, **options)))

    def save_enrolled(self, file: str | Path) -> None:
        """Write the enrolled classes to an `.npz` file atomically.

        The file contains the names of the classes, the features of their examples, and a
        hash of the network's weights and test pipeline.

        Args:
            file: path of the file. Its folder is created if necessary.

        Raises:
            ConfigError: no class is enrolled (kind `empty`).
            OSError: the file cannot be written.
        """
        self.enrolled.save(file, self._feature_hash())

    def load_enrolled(self, file: str | Path) -> None:
        """Replace the enrolled classes with those in a file of `save_enrolled`.

        The file is read without executing code. It can be used with the checkpoint and
        with the `.onnx` file exported from it, with any number of clips.

        Args:
            file: path of the file.

        Raises:
            ConfigError: the file does not exist (kind `not-found`), or its classes were
                enrolled with another network (kind `weights`).
            DataError: the file is corrupt or has another format.
            OSError: the file cannot be read.
        """
        self.enrolled = EnrolledClasses.load(file, self._feature_hash())

    def _enrolled_scores(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        return self.enrolled.scores(self._scores.features(inputs))

    def prepare(
        self,
        sample: Any,
        layout: Layout | None = None,
        unit: str | None = None,
        img_shape: tuple[int, int] | None = None,
        name: str = "sample",
    ) -> Prepared:
        """Check a sequence and convert it to the layout and unit of the network.

        Args:
            sample: a sequence, see `predict`.
            layout, unit, img_shape: see `predict_each`.
            name: name of a sequence without `frame_dir`, for error messages.

        Returns:
            A dictionary with copies of the arrays, which `predict` accepts without
            options. A sample already prepared for this network is returned unchanged.

        Raises:
            DataError: see `predict`.
        """
        if isinstance(sample, Prepared) and sample.expected == self.expected:
            return sample
        return to_sample(sample, self.expected, layout, unit, img_shape, name)

    def _jobs(
        self, samples: Iterable[Prepared], persons: bool, pairs: int
    ) -> Iterator[_Job]:
        for number, sample in enumerate(samples):
            keypoint = sample["keypoint"]
            kinds: dict[Group, list[str]] = {all_persons(keypoint): ["all"]}
            parts = {
                "persons": single_persons(keypoint) if persons else [],
                "pairs": closest_pairs(keypoint, pairs) if pairs else [],
            }
            # The only person, or the only pair, can be all persons: compute them once.
            for kind, groups in parts.items():
                for group in groups:
                    kinds.setdefault(group, []).append(kind)
            for group, names in kinds.items():
                inputs = self._pipeline(group.crop(sample))
                yield _Job(number, tuple(names), group, inputs)

    def _batches(
        self,
        jobs: Iterable[_Job],
        compute: Callable[[Sequence[np.ndarray]], NDArray[np.float32]],
    ) -> Iterator[tuple[_Job, NDArray[np.float32]]]:
        """Yield each job with its row of the results of a batch, such as its scores.

        A batch contains only inputs of equal shape.
        """
        batch: list[_Job] = []
        for job in jobs:
            if batch and (
                len(batch) == self.batch_size
                or job.inputs.shape != batch[0].inputs.shape
            ):
                rows = compute([queued.inputs for queued in batch])
                yield from zip(batch, rows, strict=True)
                batch = []
            batch.append(job)
        if batch:
            rows = compute([queued.inputs for queued in batch])
            yield from zip(batch, rows, strict=True)

    def _merge(
        self, done: list[tuple[_Job, NDArray[np.float32]]], classes: tuple[str, ...]
    ) -> Prediction:
        """Combine the scores of the groups of a sample into one prediction."""
        parts: dict[str, list[Prediction]] = {"persons": [], "pairs": []}
        for job, values in done:
            for kind in parts.keys() & set(job.kinds):
                parts[kind].append(self._to_prediction(job.group, values, classes))
        (main_job, scores), *_ = done
        return self._to_prediction(
            main_job.group,
            scores,
            classes,
            tuple(parts["persons"]),
            tuple(parts["pairs"]),
        )

    def _to_prediction(
        self,
        group: Group,
        scores: NDArray[np.float32],
        classes: tuple[str, ...],
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
            classes[label],
            float(scores[label]),
            scores,
            classes,
            group.rows,
            frames,
            persons,
            pairs,
        )


def _sequences(keypoints: Any) -> tuple[Sequence[Any], bool]:
    """Return a list of sequences, and whether `keypoints` is a single sequence."""
    if isinstance(keypoints, (list, tuple)) and not are_results(keypoints):
        return keypoints, False
    if (
        isinstance(keypoints, (list, tuple, Mapping))
        or hasattr(keypoints, "__array__")
        or hasattr(keypoints, "detach")
    ):
        return [keypoints], True
    raise DataError(
        f"keypoints have type {type(keypoints).__name__}, expected an array [M, T, V, C], "
        "a dictionary with this array as 'keypoint', or a list of these",
        kind="structure",
    )


def _check_counts(batch_size: int, clips: int | None) -> None:
    for name, value in (("batch_size", batch_size), ("clips", clips)):
        if value is not None and value < 1:
            raise ConfigError(
                f"{name} is {value}, expected at least 1", kind="option", field=name
            )
