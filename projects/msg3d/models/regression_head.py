"""A head that gives numbers instead of classes: traits, scores, angles.

As in Erkoç, Demirci, Sonlu and Güdükbay, "Skeleton-based Personality Recognition using
Laban Movement Analysis", PMLR 173, 2022: the pooled features of MS-G3D through one
linear map, trained on the squared error of five traits.
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
    """Regression of any number of targets, for RecognizerGCN.

    Samples bring `gt_targets`, as PackTargetInputs packs the annotation's `targets`,
    and no label. They get `pred_targets`, float [num_targets], in the units of the
    targets: the mean over the clips of a sample.

    With `target_mean` and `target_std`, those of the training split, the linear map
    gives standardised targets, and the loss is taken of these: targets of different
    spread weigh the same. Both are kept in the checkpoint, with the weights that they
    belong to.

    Args:
        num_targets: K.
        in_channels: C of the features; four times MSG3D's base_channels.
        target_mean: K numbers; zeros if not given.
        target_std: K positive numbers; ones if not given.
        loss: 'mse' or 'l1', the mean over samples and targets; logged as `loss_mse`
            or `loss_l1`.
        dropout: probability, of the pooled features.
        init_cfg: as everywhere in MMEngine; GCNHead's if not given.

    Raises:
        ConfigError: an unknown loss, or not K numbers, or a std that is not positive
            (kind "option").

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
                f"TraitHead got loss={loss!r}, expected one of {sorted(LOSSES)}",
                kind="option",
                field="loss",
            )
        init_cfg = init_cfg or {"type": "Normal", "layer": "Linear", "std": 0.01}
        super().__init__(
            num_targets,
            in_channels,
            dropout=dropout,
            average_clips="score",  # BaseHead's name of the plain mean
            init_cfg=init_cfg,
        )
        self.num_targets, self.loss_name = num_targets, loss
        mean = _numbers("target_mean", target_mean, num_targets, default=0.0)
        std = _numbers("target_std", target_std, num_targets, default=1.0)
        if not (std > 0).all():
            raise ConfigError(
                f"TraitHead got target_std={std.tolist()}, expected positive numbers: "
                "leave out a target that is the same in all samples",
                kind="option",
                field="target_std",
            )
        self.register_buffer("target_mean", mean)
        self.register_buffer("target_std", std)

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Features [N, M, C, T, V] -> targets [N, K], in their own units."""
        return super().forward(x, **kwargs) * self.target_std + self.target_mean

    def loss_by_feat(
        self, predicted: Tensor, data_samples: SampleList
    ) -> dict[str, Tensor]:
        """The loss of standardised targets.

        Args:
            predicted: [N, K], as `forward` gives them.
            data_samples: N, with `gt_targets` [K].

        Raises:
            DataError: a sample has none, or not K (kind "target").
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
        """Gives each of B samples its `pred_targets` [K].

        Args:
            predicted: [B * clips, K], as `forward` gives them.
            data_samples: B.
        """
        clips = len(predicted) // len(data_samples)
        for sample, one in zip(
            data_samples, self.average_clip(predicted, clips), strict=True
        ):
            sample.set_field(one, "pred_targets", dtype=Tensor)
        return data_samples

    def _targets(self, sample: ActionDataSample) -> Tensor:
        targets = sample.get("gt_targets")
        if targets is None or targets.shape != (self.num_targets,):
            shape = "no" if targets is None else f"{tuple(targets.shape)}"
            raise DataError(
                f"has {shape} gt_targets, but the head has {self.num_targets}: "
                "annotations need `targets`, the pipeline PackTargetInputs, and "
                "model.cls_head.num_targets their number",
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
            f"TraitHead got {len(numbers)} numbers as {name}, expected one for each of "
            f"its {count} targets",
            kind="option",
            field=name,
        )
    return torch.tensor(numbers, dtype=torch.float32)
