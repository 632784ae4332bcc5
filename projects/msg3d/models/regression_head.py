"""Regression head for traits, scores, or angles.

Source: Erkoç, Demirci, Sonlu and Güdükbay, "Skeleton-based Personality Recognition
using Laban Movement Analysis", PMLR 173, 2022. A linear layer on the pooled features of
MS-G3D is trained with the squared error of five traits.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models import GCNHead
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmaction.utils import SampleList
from torch import Tensor

from ..errors import ConfigError, DataError

LOSSES = {"mse": F.mse_loss, "l1": F.l1_loss}


@MODELS.register_module()
class TraitHead(GCNHead):
    """Regression head for RecognizerGCN with any number of targets.

    Samples have `gt_targets` instead of a label. PackTargetInputs packs them from the
    `targets` of the annotation file. The head sets `pred_targets`, float [num_targets],
    in the units of the targets, averaged over the clips of a sample.

    With `target_mean` and `target_std` of the training split, the linear layer predicts
    standardized targets, and the loss compares those. Targets of different spread then
    have equal weight. The checkpoint contains both values.

    Args:
        num_targets: number of targets, K.
        in_channels: channels of the features, C. For MSG3D, 4 * base_channels.
        target_mean: K numbers. By default, zeros.
        target_std: K positive numbers. By default, ones.
        loss: 'mse' or 'l1', averaged over samples and targets, and logged as `loss_mse`
            or `loss_l1`.
        dropout: dropout probability of the pooled features.
        init_cfg: initialization config of MMEngine. By default, that of GCNHead.

    Raises:
        ConfigError: the loss is unknown, the number of values is not K, or a standard
            deviation is not positive (kind `option`).

    Example:
        cls_head=dict(type='TraitHead', num_targets=5, in_channels=48)
    """

    def __init__(
        self,
        num_targets: int,
        in_channels: int,
        target_mean: Sequence[float] | None = None,
        target_std: Sequence[float] | None = None,
        loss: str = "mse",
        dropout: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        if loss not in LOSSES:
            raise ConfigError(
                f"TraitHead got loss={loss!r}, expected one of "
                f"{', '.join(sorted(LOSSES))}",
                kind="option",
                field="loss",
            )
        init_cfg = init_cfg or {"type": "Normal", "layer": "Linear", "std": 0.01}
        super().__init__(
            num_targets,
            in_channels,
            dropout=dropout,
            average_clips="score",  # in BaseHead: the plain mean
            init_cfg=init_cfg,
        )
        self.num_targets, self.loss_name = num_targets, loss
        mean = _numbers("target_mean", target_mean, num_targets, default=0.0)
        std = _numbers("target_std", target_std, num_targets, default=1.0)
        if not (std > 0).all():
            raise ConfigError(
                f"TraitHead got target_std={std.tolist()}, expected positive numbers. "
                "Remove targets that are constant over all samples.",
                kind="option",
                field="target_std",
            )
        self.register_buffer("target_mean", mean)
        self.register_buffer("target_std", std)

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Map features [N, M, C, T, V] to targets [N, K] in their original units."""
        return super().forward(x, **kwargs) * self.target_std + self.target_mean

    def loss_by_feat(
        self, predicted: Tensor, data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Compute the loss of standardized targets.

        Args:
            predicted: [N, K], from `forward`.
            data_samples: N samples with `gt_targets` [K].

        Returns:
            The loss under the key `loss_mse` or `loss_l1`.

        Raises:
            DataError: a sample has no `gt_targets`, or not K of them (kind `target`).
        """
        targets = torch.stack([self._targets(sample) for sample in data_samples])
        targets = targets.to(predicted)
        loss = LOSSES[self.loss_name](
            (predicted - self.target_mean) / self.target_std,
            (targets - self.target_mean) / self.target_std,
        )
        return {f"loss_{self.loss_name}": loss}

    def predict_by_feat(
        self, predicted: Tensor, data_samples: SampleList
    ) -> SampleList:
        """Set `pred_targets` [K] of each sample.

        Args:
            predicted: [B * clips, K], from `forward`.
            data_samples: B samples.
        """
        clips = len(predicted) // len(data_samples)
        averages = self.average_clip(predicted, clips)
        for sample, average in zip(data_samples, averages, strict=True):
            sample.set_field(average, "pred_targets", dtype=Tensor)
        return data_samples

    def _targets(self, sample: ActionDataSample) -> Tensor:
        targets = sample.get("gt_targets")
        if targets is None or targets.shape != (self.num_targets,):
            shape = "no values" if targets is None else f"shape {tuple(targets.shape)}"
            raise DataError(
                f"'gt_targets' has {shape}, but the head expects {self.num_targets} "
                "values. Add 'targets' to the annotation file and PackTargetInputs to "
                "the pipeline, and set model.cls_head.num_targets.",
                kind="target",
                sample=sample.get("frame_dir"),
                field="gt_targets",
            )
        return targets


def _numbers(
    name: str, values: Sequence[float] | None, count: int, default: float
) -> Tensor:
    numbers: list[float] = [default] * count if values is None else list(values)
    if len(numbers) != count:
        raise ConfigError(
            f"TraitHead got {len(numbers)} values for {name}, expected {count} (one "
            "per target)",
            kind="option",
            field=name,
        )
    return torch.tensor(numbers, dtype=torch.float32)
