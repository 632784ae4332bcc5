"""Responses, saliency, and scores over time of a trained network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import Tensor

from ..apis import Recognizer
from ..apis.groups import Group
from ..apis.keypoint_input import to_sample
from ..apis.trained import class_names, has_targets, load_model, load_network
from ..errors import ConfigError, DataError
from ..evaluation import Scores
from .clip_pipeline import ClipPipeline, Clips
from .saliency import integrated_gradients
from .scene import ScoresOverTime


class Explainer:
    """Explanations of the predictions of a trained network.

    Args:
        config: the config that it was trained with, a file or a `Config`; or a
            checkpoint that contains it.
        checkpoint: file or URL. Nothing in it is executed, and every entry must fit.
        device: such as "cpu"; None for a GPU if there is one.

    Attributes:
        model: the network, in eval mode.
        classes: names of the classes.
        expected: layout, dimensions, and persons that the network takes.

    Raises:
        ConfigError: config and checkpoint do not define a network with classes.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path | None = None,
        device: str | None = None,
    ) -> None:
        cfg, checkpoint = load_network(config, checkpoint)
        self._pipeline = ClipPipeline(cfg)
        model, saved = load_model(cfg, checkpoint, device)
        if has_targets(model):
            raise ConfigError(
                "the network regresses targets and has no classes, whose scores are "
                "explained",
                kind="config",
                file=cfg.filename,
                field="cls_head",
            )
        self.model: Any = model.eval()  # a recognizer
        self.classes = class_names(None, saved, self.model.cls_head.num_classes)
        self.expected = self._pipeline.expected

    def clips(self, sample: dict) -> Clips:
        """The clips of a sample of an annotation file.

        Raises:
            DataError: keypoints that the network cannot take.
        """
        return self._pipeline.clips(to_sample(sample, self.expected))

    def to_network(self, inputs: Sequence[np.ndarray]) -> Tensor:
        """Batch B inputs [clips, M, T, V, C] of the same shape for the model."""
        data = {
            "inputs": [torch.from_numpy(one) for one in inputs],
            "data_samples": [ActionDataSample() for _ in inputs],
        }
        return self.model.data_preprocessor(data)["inputs"]

    @torch.no_grad()
    def response(self, clips: Clips) -> np.ndarray:
        """The neural response of each joint in each frame.

        The magnitude of the last feature map over its channels, before it is pooled:
        how ST-GCN's demonstration shows what the network attends to (Yan et al., AAAI
        2018, https://arxiv.org/abs/1801.07455).

        Returns:
            [M, T, V] of the clips' sequence, 0 to 1.

        Raises:
            ConfigError: the backbone pools persons or joints (`config`).
        """
        features, _ = self.model.extract_feat(self.to_network([clips.inputs]))
        count, persons, frames, joints = clips.inputs.shape[:4]
        shape = tuple(features.shape)
        if features.dim() != 5 or (*shape[:2], shape[4]) != (count, persons, joints):
            raise ConfigError(
                f"the features have shape {shape}, expected [clips={count}, "
                f"M={persons}, C, T, V={joints}]: this backbone pools persons or "
                "joints. Use the saliency instead.",
                kind="config",
                field="backbone",
            )
        size = features.float().norm(dim=2)  # (clips, M, T', V)
        size = size.permute(0, 1, 3, 2).flatten(0, 2)[:, None]
        size = F.interpolate(size, frames, mode="linear", align_corners=False)
        size = size[:, 0].unflatten(0, (count, persons, joints)).permute(0, 1, 3, 2)
        return _unit(clips.on_sequence(size.cpu().numpy()))

    def saliency(
        self, clips: Clips, label: int | None = None, steps: int = 16
    ) -> tuple[np.ndarray, int]:
        """The saliency of each joint in each frame for a class.

        Args:
            clips: of a sequence.
            label: of the class; None for the predicted one.
            steps: of the integral, see `integrated_gradients`.

        Returns:
            [M, T, V] of the clips' sequence, negative if a joint opposes the class, and
            the label.
        """
        inputs = self.to_network([clips.inputs])
        if label is None:
            label = int(self.probabilities(inputs)[0].argmax())
        saliency = integrated_gradients(
            self.model, inputs, torch.tensor([label]).to(inputs.device), steps
        )
        return clips.on_sequence(saliency[0].cpu().numpy()), label

    @torch.no_grad()
    def probabilities(self, inputs: Tensor) -> np.ndarray:
        """Probabilities [B, classes] of inputs [B, clips, M, T, V, C], mean over clips."""
        logits, _ = self.model.extract_feat(inputs, stage="head")
        each = logits.float().softmax(-1).unflatten(0, inputs.shape[:2])
        return each.mean(1).cpu().numpy()


def sizes_of(saliency: np.ndarray) -> np.ndarray:
    """Positive saliency [M, T, V] as sizes from 0 to 1."""
    positive = np.maximum(saliency, 0)
    most = positive.max()
    return positive / most if most > 0 else positive


def scores_over_time(
    recognizer: Recognizer, sample: dict, window: int = 32, step: int = 4
) -> ScoresOverTime:
    """Scores of the windows of a sequence.

    Args:
        recognizer: the trained network.
        sample: of an annotation file.
        window: frames per window; a shorter sequence is one window.
        step: frames between the starts of two windows.

    Returns:
        At the middle of each window; NaN for windows without a person.

    Raises:
        DataError: no window contains a person (`no-person`).
    """
    sample = recognizer.prepare(sample)
    persons, frames = sample["keypoint"].shape[:2]
    window = min(window, frames)
    starts = np.arange(0, frames - window + 1, step)
    values = np.full((len(starts), len(recognizer.classes)), np.nan)
    seen, parts = [], []
    for number, start in enumerate(starts):
        group = Group(tuple(range(persons)), int(start), int(start) + window)
        part = group.of(sample)
        if part["keypoint"].any():
            seen.append(number)
            parts.append(part)
    if not parts:
        raise DataError("no window contains a person", kind="no-person")
    found = np.stack([one.scores for one in recognizer.predict_each(parts)])
    values[seen] = Scores("windows", "", found).as_probabilities().values
    return ScoresOverTime(starts + (window - 1) / 2, values, recognizer.classes)


def _unit(values: np.ndarray) -> np.ndarray:
    """Values scaled to 0..1, from the 5th percentile to the maximum."""
    low, high = np.percentile(values, 5), values.max()
    return np.clip((values - low) / max(high - low, 1e-12), 0, 1)
