"""The network, the classes, and the test pipeline of a config and a checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader

from ..engine.hooks.random_state import random_state_kept
from ..errors import ConfigError
from ..models.regression_head import TraitHead
from .exported import with_clips
from .keypoint_input import Expected

_STEPS_3D = ("AlignView", "LabanEffort")


class TestPipeline:
    """The test pipeline of a config, for samples in memory.

    Args:
        cfg: a config with `test_dataloader`.
        clips: clips per sequence, instead of the config's number.

    Attributes:
        expected: what the pipeline and the network take.
        steps: the steps of the pipeline, as in the config.

    Raises:
        ConfigError: the config has no test data set, or no graph.
    """

    __test__ = False  # not a test class for pytest

    def __init__(self, cfg: Config, clips: Optional[int] = None) -> None:
        dataset = cfg.get("test_dataloader", {}).get("dataset", {})
        while "dataset" in dataset:
            dataset = dataset["dataset"]
        graph = cfg.model.get("backbone", {}).get("graph_cfg")
        if "pipeline" not in dataset or not graph:
            lacks = "backbone.graph_cfg" if "pipeline" in dataset else "test_dataloader"
            raise ConfigError(
                f"the config has no {lacks}. Use the config that the network was "
                "trained with, or inherit its data set with _base_.",
                kind="config",
                file=cfg.filename,
                field=lacks,
            )
        steps = {step["type"]: step for step in dataset.pipeline}
        converted = steps.get("ConvertLayout", {}).get("source")
        self.expected = Expected(
            layout=converted or graph.get("layout", "coco"),
            dimensions=_dimensions(list(steps)),
            stream=dataset.get("stream"),
            num_person=steps.get("FormatGCNInput", {}).get("num_person", 2),
        )
        self.steps = with_clips(dataset.pipeline, clips)
        with _scope(cfg):
            self._steps = Compose(self.steps)

    def __call__(self, sample: dict) -> np.ndarray:
        """The network's input.

        Args:
            sample: as `keypoint_input.to_sample` gives it; its arrays may be changed.

        Returns:
            float32 [clips, M, T, V, C].
        """
        with random_state_kept():  # UniformSampleFrames seeds NumPy's
            return self._steps(sample)["inputs"].numpy()


class TorchScores:
    """A network in eval mode, as a function from inputs to scores.

    Args:
        model: a recognizer such as RecognizerGCN.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model.eval()

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of one shape.

        Returns:
            float32 [B, classes]: what `mim test` gives as `pred_score`.
        """
        tested = self.model.test_step(
            dict(
                inputs=[torch.from_numpy(one) for one in inputs],
                data_samples=[ActionDataSample() for _ in inputs],
            )
        )
        return torch.stack([one.pred_score for one in tested]).float().cpu().numpy()


def load_config(config: Union[str, Path, Config]) -> Config:
    """The config, read if it is a file.

    Raises:
        ConfigError: the file does not exist, or is not a config.
    """
    if isinstance(config, Config):
        return config
    if not Path(config).is_file():
        raise ConfigError(
            "the config does not exist", kind="not-found", file=str(config)
        )
    if Path(config).suffix not in (".py", ".json", ".yaml", ".yml"):
        raise ConfigError(
            "not a config file, expected .py, .json, or .yaml",
            kind="wrong-file-type",
            file=str(config),
        )
    return Config.fromfile(config)


def load_model(
    cfg: Config, checkpoint: str, device: Optional[str] = None
) -> tuple[torch.nn.Module, Optional[list[str]]]:
    """Load a trained network, and the names of its classes if the checkpoint has them.

    MMEngine's loading only logs missing entries and continues with random weights; here
    every entry must fit.

    Args:
        cfg: config of the network.
        checkpoint: file or URL; nothing in it is executed.
        device: such as "cpu"; None for MMEngine's choice, a GPU if there is one.

    Raises:
        ConfigError: the file does not exist, the checkpoint does not fit the network, or
            the network has no classes.
    """
    try:
        loaded = CheckpointLoader.load_checkpoint(
            str(checkpoint), map_location="cpu", logger="silent"
        )
    except FileNotFoundError as error:
        raise ConfigError(
            "the checkpoint does not exist", kind="not-found", file=str(checkpoint)
        ) from error
    with _scope(cfg):
        model = MODELS.build(cfg.model)
    if isinstance(model.cls_head, TraitHead):
        raise ConfigError(
            "the network of this config regresses targets and has no classes. Use "
            "tools/personality/score_traits.py.",
            kind="config",
            file=cfg.filename,
            field="cls_head",
        )
    state = loaded.get("state_dict", loaded)
    state = {key.removeprefix("module."): value for key, value in state.items()}
    wrong = _misfits(model.state_dict(), state)
    if wrong:
        raise ConfigError(
            f"the checkpoint does not fit the network of {cfg.filename}: {wrong}. Use "
            "the config that it was trained with.",
            kind="weights",
            file=str(checkpoint),
        )
    model.load_state_dict(state)
    meta = loaded.get("meta") or {}
    classes = (meta.get("dataset_meta") or {}).get("classes")
    return model.to(device or get_device()), classes


def read_class_names(path: Union[str, Path]) -> list[str]:
    """The names in a text file, one per line; blank lines are ignored."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


def class_names(
    passed: Optional[Sequence[str]], saved: Optional[Sequence[str]], count: int
) -> tuple[str, ...]:
    """The names of `count` classes: those passed, else those saved, else their numbers.

    Raises:
        ConfigError: there are more or fewer names.
    """
    names = passed if passed is not None else saved
    if names is None:
        return tuple(map(str, range(count)))
    if isinstance(names, str) or len(names) != count:
        source = "classes=" if passed is not None else "the checkpoint"
        raise ConfigError(
            f"{source} has {len(names)} names of classes, but the network has {count} "
            "classes. Pass all names as classes=[...].",
            kind="label",
            field="classes",
        )
    return tuple(map(str, names))


def _misfits(expected: dict, state: dict) -> str:
    """The first difference between the entries, "" if they fit."""
    for key in expected:
        if key not in state:
            return f"{key} is missing"
        if state[key].shape != expected[key].shape:
            return (
                f"{key} has shape {tuple(state[key].shape)}, expected "
                f"{tuple(expected[key].shape)}"
            )
    extra = [key for key in state if key not in expected]
    return f"{extra[0]} is unexpected" if extra else ""


def _dimensions(steps: list[str]) -> Optional[int]:
    """2 or 3, as the names of the steps tell."""
    if any(name.endswith("2D") for name in steps):
        return 2
    solid = any(name.endswith("3D") or name in _STEPS_3D for name in steps)
    return 3 if solid else None


def _scope(cfg: Config):
    return DefaultScope.overwrite_default_scope(cfg.get("default_scope", "mmaction"))
