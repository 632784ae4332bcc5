"""Neural responses, saliency, and scores over time of a trained network."""

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
    """Explainer for the predictions of a trained network.

    Args:
        config: config that the network was trained with, as a file or a `Config`, or a
            checkpoint that contains the config.
        checkpoint: path or URL of the weights. Code in it is never executed, and every
            entry must match the network.
        device: device, such as "cpu". By default, a GPU is used if available.

    Attributes:
        model: network in eval mode.
        classes: class names.
        expected: layout, dimensions, and number of persons of the network's input.

    Raises:
        ConfigError: config and checkpoint do not define a classifier (kind `config`).
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path | None = None,
        device: str | None = None,
    ) -> None:
        cfg, checkpoint = load_network(config, checkpoint)
        self._pipeline = ClipPipeline(cfg)
        model, saved, _ = load_model(cfg, checkpoint, device)
        if has_targets(model):
            raise ConfigError(
                "the network is a regression model, expected a classifier. Explanations "
                "require class scores",
                kind="config",
                file=cfg.filename,
                field="cls_head",
            )
        self.model: Any = model.eval()  # a recognizer
        self.classes = class_names(None, saved, self.model.cls_head.num_classes)
        self.expected = self._pipeline.expected

    def clips(self, sample: dict) -> Clips:
        """Return the clips of a sample of an annotation file.

        Raises:
            DataError: the keypoints do not match the network's input.
        """
        return self._pipeline.clips(to_sample(sample, self.expected))

    def to_network(self, inputs: Sequence[np.ndarray]) -> Tensor:
        """Collate B inputs [clips, M, T, V, C] into a batch [B, clips, M, T, V, C]."""
        data = {
            "inputs": [torch.from_numpy(clips) for clips in inputs],
            "data_samples": [ActionDataSample() for _ in inputs],
        }
        return self.model.data_preprocessor(data)["inputs"]

    @torch.no_grad()
    def response(self, clips: Clips) -> np.ndarray:
        """Return the neural response of each joint in each frame.

        The response is the norm of the last feature map over its channels, before
        pooling. The demo of ST-GCN visualizes the same quantity (Yan et al., AAAI 2018,
        https://arxiv.org/abs/1801.07455).

        Returns:
            Response per joint of `clips.sequence`, [M, T, V], 0 to 1.

        Raises:
            ConfigError: the backbone pools persons or joints (kind `config`).
        """
        features, _ = self.model.extract_feat(self.to_network([clips.inputs]))
        count, persons, frames, joints = clips.inputs.shape[:4]
        shape = tuple(features.shape)
        if features.dim() != 5 or (*shape[:2], shape[4]) != (count, persons, joints):
            raise ConfigError(
                f"the features have shape {shape}, expected [clips={count}, "
                f"M={persons}, C, T, V={joints}]. The backbone pools persons or joints. "
                "Use the saliency instead.",
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
        """Return the saliency of each joint in each frame for one class.

        Args:
            clips: clips of a sequence.
            label: index of the class. None for the predicted class.
            steps: number of integration steps, see `integrated_gradients`.

        Returns:
            Saliency per joint of `clips.sequence`, [M, T, V], and the index of the
            class. Values are negative where a joint opposes the class.
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
        """Return class probabilities [B, classes] for inputs [B, clips, M, T, V, C].

        Probabilities are averaged over clips. The temperature of a calibrated checkpoint is
        not applied.
        """
        logits, _ = self.model.extract_feat(inputs, stage="head")
        per_clip = logits.float().softmax(-1).unflatten(0, inputs.shape[:2])
        return per_clip.mean(1).cpu().numpy()


def sizes_of(saliency: np.ndarray) -> np.ndarray:
    """Return marker sizes [M, T, V] from 0 to 1, in proportion to positive saliency."""
    positive = np.maximum(saliency, 0)
    maximum = positive.max()
    return positive / maximum if maximum > 0 else positive


def scores_over_time(
    recognizer: Recognizer, sample: dict, window: int = 32, step: int = 4
) -> ScoresOverTime:
    """Return the class scores of sliding windows over a sequence.

    Args:
        recognizer: trained network.
        sample: sample of an annotation file.
        window: frames per window. A shorter sequence is a single window.
        step: stride of the windows in frames.

    Returns:
        Probabilities at the center of each window. Windows without a person are NaN.

    Raises:
        DataError: no window contains a person (kind `no-person`).
    """
    sample = recognizer.prepare(sample)
    persons, frames = sample["keypoint"].shape[:2]
    window = min(window, frames)
    starts = np.arange(0, frames - window + 1, step)
    values = np.full((len(starts), len(recognizer.classes)), np.nan)
    rows, parts = [], []
    for row, start in enumerate(starts):
        group = Group(tuple(range(persons)), int(start), int(start) + window)
        part = group.crop(sample)
        if part["keypoint"].any():
            rows.append(row)
            parts.append(part)
    if not parts:
        raise DataError("no window of the sequence contains a person", kind="no-person")
    scores = np.stack([result.scores for result in recognizer.predict_each(parts)])
    values[rows] = Scores("windows", "", scores).as_probabilities().values
    return ScoresOverTime(starts + (window - 1) / 2, values, recognizer.classes)


def _unit(values: np.ndarray) -> np.ndarray:
    """Scale values to 0..1, from the 5th percentile to the maximum."""
    low, high = np.percentile(values, 5), values.max()
    return np.clip((values - low) / max(high - low, 1e-12), 0, 1)
