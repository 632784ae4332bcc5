"""Load a trained network, its class names, and its test pipeline."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from ..engine.hooks.random_state import random_state_kept
from ..errors import CheckpointError, ConfigError
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
        cfg: a config with `test_dataloader`.
        clips: clips per sequence; None for the number in the config.

    Attributes:
        expected: input of the pipeline and the network.
        steps: steps of the pipeline, as in the config.

    Raises:
        ConfigError: the config has no test data set, or no graph.
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
                f"the config has no {missing}. Use the config that the network was "
                "trained with, or inherit its data set with _base_.",
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
        )
        self.steps = with_clips(pipeline, clips)
        self._steps = Compose(self.steps)

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        """Return the network's input.

        Args:
            sample: result of `keypoint_input.to_sample`. Its arrays may be modified.

        Returns:
            float32 [clips, M, T, V, C].
        """
        with random_state_kept():  # UniformSampleFrames seeds NumPy
            inputs: NDArray[np.float32] = self._steps(sample)["inputs"].numpy()
        return inputs


class TorchScores:
    """Network in eval mode that maps inputs to scores or targets.

    Args:
        model: a recognizer such as RecognizerGCN.
    """

    def __init__(self, model: "BaseRecognizer") -> None:
        self.model = model.eval()
        self._field = "pred_targets" if has_targets(model) else "pred_score"

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of equal shape.

        Returns:
            float32 [B, classes], the `pred_score` of `mim test`; or [B, targets], its
            `pred_targets`.
        """
        results = self.model.test_step(
            {
                "inputs": [torch.from_numpy(clips) for clips in inputs],
                "data_samples": [ActionDataSample() for _ in inputs],
            }
        )
        values = torch.stack([sample.get(self._field) for sample in results])
        scores: NDArray[np.float32] = values.float().cpu().numpy()
        return scores


def has_targets(model: "BaseRecognizer") -> bool:
    """Return whether a recognizer regresses targets instead of predicting classes."""
    return isinstance(model.cls_head, TraitHead)


def load_network(
    model: str | Path | Config, checkpoint: str | Path | None = None
) -> tuple[Config, str]:
    """Return the config of a trained network, and its checkpoint.

    Args:
        model: file or URL of a checkpoint that contains its config; with `checkpoint`, a
            config: a file, the name of a shipped config, or a `Config`.
        checkpoint: file or URL.

    Raises:
        ConfigError: a file does not exist (`not-found`), or a config is passed without a
            checkpoint (`option`).
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
            "is a config, which has no weights. Pass a checkpoint as well: --checkpoint "
            "FILE, or checkpoint=...",
            kind="option",
            file=name,
            field="checkpoint",
        )
    if is_exported(name):
        raise ConfigError(
            "is an exported network, expected a checkpoint, or a config with --checkpoint",
            kind="wrong-file-type",
            file=name,
        )
    return stored_config(_meta(_read(name)), name), name


def load_config(config: str | Path | Config) -> Config:
    """Return a `Config`, or load it from a file.

    Raises:
        ConfigError: see `config_files.find_config`.
    """
    if isinstance(config, Config):
        return config
    return Config.fromfile(find_config(str(config)))


def load_model(
    cfg: Config, checkpoint: str, device: str | None = None
) -> tuple["BaseRecognizer", Sequence[str] | None]:
    """Load a trained network, and the names of its outputs.

    MMEngine only logs missing entries and continues with random weights. Here, every
    entry must match.

    Args:
        cfg: config of the network.
        checkpoint: file or URL; it is loaded without executing code.
        device: device such as "cpu"; None for a GPU if available.

    Returns:
        The network, and the names of its classes or targets, or None if the checkpoint
        does not contain them.

    Raises:
        ConfigError: the file does not exist, the weights do not match the network, or
            the network is not a recognizer.
        CheckpointError: the file cannot be read as weights.
    """
    loaded = _read(str(checkpoint))
    with _building(cfg):
        model = MODELS.build(cfg.model)
    if not hasattr(model, "cls_head"):
        raise ConfigError(
            f"the model is a {type(model).__name__} without cls_head, expected a "
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
            "Use the config that it was trained with.",
            kind="weights",
            file=str(checkpoint),
        )
    model.load_state_dict(state)
    dataset = _meta(loaded).get("dataset_meta")
    names = "targets" if has_targets(model) else "classes"
    saved = dataset.get(names) if isinstance(dataset, dict) else None
    saved = saved if isinstance(saved, (list, tuple)) else None
    return model.to(device or get_device()), saved


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
            "the checkpoint does not exist", kind="not-found", file=checkpoint
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f"the checkpoint contains a {type(loaded).__name__}, expected a state dict",
            kind="weights",
            file=checkpoint,
        )
    return loaded


def read_class_names(path: str | Path) -> list[str]:
    """Read names from a text file, one per line; blank lines are ignored."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


def class_names(
    passed: Sequence[str] | None, saved: Sequence[str] | None, count: int
) -> tuple[str, ...]:
    """Return the names of `count` classes or targets.

    These are the names passed, else the names saved, else indices.

    Raises:
        ConfigError: the number of names is not `count`.
    """
    names = passed if passed is not None else saved
    if names is None:
        return tuple(map(str, range(count)))
    if isinstance(names, str) or len(names) != count:
        source = "classes=" if passed is not None else "the checkpoint"
        raise ConfigError(
            f"{source} has {len(names)} names, but the network has {count} classes or "
            "targets. Pass all names as classes=[...], or a file with --classes.",
            kind="label",
            field="classes",
        )
    return tuple(map(str, names))


def _dimensions(steps: list[str]) -> int | None:
    """Infer the dimensions, 2 or 3, from the names of the steps; None if unknown."""
    if any(name.endswith("2D") for name in steps):
        return 2
    is_3d = any(name.endswith("3D") or name in _STEPS_3D for name in steps)
    return 3 if is_3d else None


@contextmanager
def _building(cfg: Config) -> Iterator[None]:
    """Build modules in a config's scope, restricted if it comes from a checkpoint."""
    scope = cfg.get("default_scope", "mmaction")
    stored = isinstance(cfg, StoredConfig)
    with (
        DefaultScope.overwrite_default_scope(scope),
        known_types(cfg.filename) if stored else nullcontext(),
    ):
        yield
