"""Loader for trained networks, their class names, and their test pipelines."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from numpy.typing import NDArray

from ..annotations import Sample
from ..checkpoints.reading import first_mismatch, state_of
from ..checkpoints.stored_config import StoredConfig, known_types, stored_config
from ..checkpoints.temperature import stored_temperature
from ..engine.hooks.random_state import random_state_kept
from ..errors import CheckpointError, ConfigError
from ..evaluation.calibration import TINY
from ..models.regression_head import TraitHead
from .config_files import SUFFIXES, find_config, shipped_configs
from .exported import is_exported, with_clips
from .keypoint_input import Expected

if TYPE_CHECKING:
    from mmaction.models.recognizers.base import BaseRecognizer

_STEPS_3D = ("AlignView", "LabanEffort")
# Sequences to predict have no targets, so _PACK replaces _PACK_TARGETS.
_PACK_TARGETS, _PACK = "PackTargetInputs", "PackActionInputs"


class TestPipeline:
    """Test pipeline of a config, for samples in memory.

    Args:
        cfg: config of the network, with `test_dataloader`.
        clips: number of clips per sequence; None for the number in the config.

    Attributes:
        expected: properties of the keypoints that the network was trained on.
        steps: list of the pipeline steps, in the form of the config.

    Raises:
        ConfigError: the test data set or the graph of the network is missing.
    """

    __test__ = False  # not a test class for pytest

    def __init__(self, cfg: Config, clips: int | None = None) -> None:
        with _building(cfg):
            self._build(cfg, clips)

    def _build(self, cfg: Config, clips: int | None) -> None:
        dataset = cfg.get("test_dataloader", {}).get("dataset", {})
        while "dataset" in dataset:
            dataset = dataset["dataset"]
        graph = cfg.model.get("backbone", {}).get("graph_cfg")
        if "pipeline" not in dataset or not graph:
            missing = (
                "backbone.graph_cfg" if "pipeline" in dataset else "test_dataloader"
            )
            raise ConfigError(
                f"{missing!r} is missing. Use the config that the network was trained "
                "with, or inherit its data set with _base_.",
                kind="config",
                file=cfg.filename,
                field=missing,
            )
        pipeline = [
            dict(step, type=_PACK) if step["type"] == _PACK_TARGETS else step
            for step in dataset.pipeline
        ]
        steps = {step["type"]: step for step in pipeline}
        converted = steps.get("ConvertLayout", {}).get("source")
        self.expected = Expected(
            layout=converted or graph.get("layout", "coco"),
            dimensions=_dimensions(list(steps)),
            stream=dataset.get("stream"),
            num_person=steps.get("FormatGCNInput", {}).get("num_person", 2),
            fps=dataset.get("fps"),
            missing_marker=dataset.get("missing_marker", "auto"),
        )
        self.steps = with_clips(pipeline, clips)
        self._steps = Compose(self.steps)

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        """Return the network input for a sample.

        Args:
            sample: result of `keypoint_input.to_sample`. Its arrays may be modified.

        Returns:
            float32 [clips, M, T, V, C].
        """
        with random_state_kept():  # UniformSampleFrames seeds NumPy
            inputs: NDArray[np.float32] = self._steps(sample)["inputs"].numpy()
        return inputs


class TorchScores:
    """Callable that computes the scores of a network in eval mode.

    Args:
        model: recognizer such as RecognizerGCN, which is set to eval mode.
        temperature: temperature of the class probabilities, see
            `evaluation.calibration`; None to leave the scores unchanged.
    """

    def __init__(
        self, model: "BaseRecognizer", temperature: float | None = None
    ) -> None:
        self.model, self._temperature = model.eval(), temperature
        self._field = "pred_targets" if has_targets(model) else "pred_score"

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of equal shape.

        Returns:
            float32 [B, classes] for classification (`pred_score` of `mim test`, with
            the temperature applied) or [B, targets] for regression (`pred_targets`).
        """
        results = self.model.test_step(
            {
                "inputs": [torch.from_numpy(clips) for clips in inputs],
                "data_samples": [ActionDataSample() for _ in inputs],
            }
        )
        values = torch.stack([sample.get(self._field) for sample in results]).float()
        if self._temperature is not None:
            average = self.model.cls_head.average_clips
            values = calibrated(values, average, self._temperature)
        scores: NDArray[np.float32] = values.cpu().numpy()
        return scores

    @torch.no_grad()
    def features(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the input of the head's last layer `fc`, averaged over the clips.

        Args:
            inputs: B arrays [clips, M, T, V, C] of equal shape.

        Returns:
            float32 [B, D].

        Raises:
            ConfigError: the head has no layer `fc` (kind `config`).
        """
        layer = getattr(self.model.cls_head, "fc", None)
        if layer is None:
            raise ConfigError(
                f"{type(self.model.cls_head).__name__} has no layer 'fc', whose input is "
                "the features. Use a network with GCNHead.",
                kind="config",
                field="model.cls_head",
            )
        pooled: list[torch.Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, args: pooled.append(args[0]))
        try:
            self(inputs)
        finally:
            hook.remove()
        (clips,) = pooled  # (B * clips, D)
        means = clips.view(len(inputs), -1, clips.shape[-1]).mean(1)
        features: NDArray[np.float32] = means.float().cpu().numpy()
        return features


def calibrated(
    scores: torch.Tensor, average_clips: str | None, temperature: float
) -> torch.Tensor:
    """Apply a temperature to scores, like `evaluation.apply_temperature`.

    Args:
        scores: scores of the head, averaged over clips, float32 [B, classes].
        average_clips: property of the head: the scores are probabilities if it is "prob",
            and logits otherwise.
        temperature: temperature T.

    Returns:
        Probabilities, float32 [B, classes].
    """
    if average_clips == "prob":
        scores = scores.clamp_min(TINY).log()
    return (scores / temperature).softmax(-1)


def has_targets(model: "BaseRecognizer") -> bool:
    """Return whether a recognizer predicts regression targets instead of classes."""
    return isinstance(model.cls_head, TraitHead)


def feature_hash(model: "BaseRecognizer", pipeline: TestPipeline) -> str:
    """Return the SHA-256 hash of everything that the features of a sequence depend on.

    These are the weights and the test pipeline, except the number of clips.
    """
    steps = {"pipeline": with_clips(pipeline.steps, 1), **vars(pipeline.expected)}
    digest = hashlib.sha256(json.dumps(steps, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_network(
    model: str | Path | Config, checkpoint: str | Path | None = None
) -> tuple[Config, str]:
    """Return the config of a trained network, and the path or URL of its checkpoint.

    Args:
        model: path or URL of a checkpoint that contains its training config. If
            `checkpoint` is passed, `model` is a config instead: a path, the name of a
            shipped config, or a `Config`.
        checkpoint: path or URL of the checkpoint.

    Raises:
        ConfigError: a file does not exist (kind `not-found`), or a config is passed
            without a checkpoint (kind `option`).
        CheckpointError: the checkpoint cannot be read, contains no config, or contains a
            config that is not plain data; see `checkpoints.stored_config`.
    """
    if checkpoint is not None:
        return load_config(model), str(checkpoint)
    if isinstance(model, StoredConfig):
        return model, model.filename
    name = model.filename if isinstance(model, Config) else str(model)
    if (
        isinstance(model, Config)
        or Path(name).suffix in SUFFIXES
        or name in shipped_configs()
    ):
        raise ConfigError(
            "a config contains no weights, expected a checkpoint. Pass the checkpoint as "
            "well (--checkpoint FILE or checkpoint=...).",
            kind="option",
            file=name,
            field="checkpoint",
        )
    if is_exported(name):
        raise ConfigError(
            "the file is an exported network, expected a checkpoint, or a config with "
            "--checkpoint",
            kind="wrong-file-type",
            file=name,
        )
    return stored_config(read_meta(name), name), name


def load_config(config: str | Path | Config) -> Config:
    """Load a config.

    Args:
        config: path or name of a config, or a `Config`, which is returned unchanged.

    Raises:
        ConfigError: see `config_files.find_config`.
    """
    if isinstance(config, Config):
        return config
    return Config.fromfile(find_config(str(config)))


class Trained(NamedTuple):
    """Trained network and the metadata of its checkpoint.

    Attributes:
        model: recognizer.
        names: names of its classes or targets; None if the checkpoint has no names.
        temperature: temperature of the class probabilities; None if the checkpoint is not
            calibrated, or for a regression network.
    """

    model: "BaseRecognizer"
    names: Sequence[str] | None
    temperature: float | None


def load_model(cfg: Config, checkpoint: str, device: str | None = None) -> Trained:
    """Load a trained network, the names of its outputs, and its temperature.

    MMEngine only logs missing entries of the state dict and continues with random
    weights. This function requires that all entries match.

    Args:
        cfg: config of the network.
        checkpoint: path or URL of the checkpoint, which is loaded without executing code.
        device: device such as "cpu"; None for a GPU if available.

    Returns:
        The network on the device, and its metadata.

    Raises:
        ConfigError: the checkpoint does not exist, its weights do not match the network,
            or the network is not a recognizer.
        CheckpointError: the file cannot be read as weights, or its temperature is not a
            positive number (kind `number`).
    """
    loaded = _read(str(checkpoint))
    with _building(cfg):
        model = MODELS.build(cfg.model)
    if not hasattr(model, "cls_head"):
        raise ConfigError(
            f"the model has type {type(model).__name__} and no cls_head, expected a "
            "recognizer such as RecognizerGCN",
            kind="config",
            file=cfg.filename,
            field="model",
        )
    state = state_of(loaded, str(checkpoint))
    mismatch = first_mismatch(model.state_dict(), state)
    if mismatch:
        raise ConfigError(
            f"the checkpoint does not match the network in {cfg.filename}: {mismatch}. "
            "Use the config that the network was trained with.",
            kind="weights",
            file=str(checkpoint),
        )
    model.load_state_dict(state)
    meta = _meta(loaded)
    dataset, temperature = meta.get("dataset_meta"), None
    if not has_targets(model):
        temperature = stored_temperature(meta, str(checkpoint))
    names = "targets" if has_targets(model) else "classes"
    saved = dataset.get(names) if isinstance(dataset, dict) else None
    saved = saved if isinstance(saved, (list, tuple)) else None
    return Trained(model.to(device or get_device()), saved, temperature)


def read_meta(checkpoint: str) -> dict[str, Any]:
    """Return the metadata of a checkpoint, which is empty if it contains none.

    Args:
        checkpoint: path or URL, which is loaded without executing code.

    Raises:
        ConfigError: the checkpoint does not exist (kind `not-found`).
        CheckpointError: the file cannot be read as weights.
    """
    return _meta(_read(checkpoint))


def _meta(loaded: dict[str, Any]) -> dict[str, Any]:
    meta = loaded.get("meta")
    return meta if isinstance(meta, dict) else {}


def _read(checkpoint: str) -> dict[str, Any]:
    try:
        loaded = CheckpointLoader.load_checkpoint(
            checkpoint, map_location="cpu", logger="silent"
        )
    except FileNotFoundError as error:
        raise ConfigError(
            "the checkpoint does not exist. Pass the path of an existing file.",
            kind="not-found",
            file=checkpoint,
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f"the checkpoint contains an object of type {type(loaded).__name__}, expected "
            "a state dict",
            kind="weights",
            file=checkpoint,
        )
    return loaded


def read_class_names(path: str | Path) -> list[str]:
    """Read names of classes or targets from a text file with one name per line.

    Blank lines are ignored.
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


def class_names(
    passed: Sequence[str] | None, saved: Sequence[str] | None, count: int
) -> tuple[str, ...]:
    """Select the names of a network's classes or targets.

    Args:
        passed: names from the user, which take precedence, or None.
        saved: names from the checkpoint, or None.
        count: number of classes or targets.

    Returns:
        `count` names. If `passed` and `saved` are None, these are "0", "1", and so on.

    Raises:
        ConfigError: the number of names is not `count` (kind `label`).
    """
    names = passed if passed is not None else saved
    if names is None:
        return tuple(map(str, range(count)))
    if isinstance(names, str) or len(names) != count:
        source = (
            "'classes' contains" if passed is not None else "the checkpoint contains"
        )
        raise ConfigError(
            f"{source} {len(names)} names, but the network has {count} classes or "
            "targets. Pass all names as classes=[...], or a file with --classes.",
            kind="label",
            field="classes",
        )
    return tuple(map(str, names))


def _dimensions(steps: list[str]) -> int | None:
    """Return 2 or 3, inferred from the names of pipeline steps, or None if unknown."""
    if any(name.endswith("2D") for name in steps):
        return 2
    is_3d = any(name.endswith("3D") or name in _STEPS_3D for name in steps)
    return 3 if is_3d else None


@contextmanager
def _building(cfg: Config) -> Iterator[None]:
    """Set the default scope of a config, to build modules from it.

    For a config from a checkpoint, only known types can be built.
    """
    scope = cfg.get("default_scope", "mmaction")
    stored = isinstance(cfg, StoredConfig)
    with (
        DefaultScope.overwrite_default_scope(scope),
        known_types(cfg.filename) if stored else nullcontext(),
    ):
        yield
