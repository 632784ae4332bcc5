"""Recognizer and head that exclude absent persons from the mean over persons.

MMAction2's GCNHead averages the features of all `num_person` persons. Most samples of
NTU RGB+D have one person, and the second is padded with zeros, so half of the mean
comes from padding. The head of this module can exclude the padding.
"""

from typing import Any

from mmaction.models import GCNHead, RecognizerGCN
from mmaction.registry import MODELS
from torch import Tensor

from ..errors import ConfigError


@MODELS.register_module()
class MaskedRecognizerGCN(RecognizerGCN):
    """RecognizerGCN that passes the mask of present persons to its head.

    A person is absent from a clip if all its input values are exactly zero, as padded
    by FormatGCNInput.

    The arguments are those of RecognizerGCN. Heads that ignore the mask, such as
    MMAction2's GCNHead, give the same results as with RecognizerGCN, bit for bit.
    """

    def extract_feat(
        self, inputs: Tensor, stage: str = "backbone", **kwargs: Any
    ) -> tuple[Tensor, dict]:
        """Extract features as RecognizerGCN does, and add the mask for the head.

        Args:
            inputs: [B, clips, M, T, V, C].
            stage: 'backbone' or 'head'.

        Returns:
            The features of the backbone [B * clips, M, C', T', V] or the scores of the
            head [B * clips, classes], and `dict(present=...)`, bool [B * clips, M].
        """
        x, head_kwargs = super().extract_feat(inputs, "backbone")
        present = (inputs.flatten(0, 1) != 0).flatten(2).any(2)
        head_kwargs = dict(head_kwargs, present=present)
        if stage == "head" and self.with_cls_head:
            x = self.cls_head(x, **head_kwargs)
        return x, head_kwargs


@MODELS.register_module()
class MaskedGCNHead(GCNHead):
    """GCNHead that can exclude absent persons from the mean.

    Checkpoints of GCNHead and of this head are interchangeable. If all persons are
    absent, the mean is over all of them, as in GCNHead.

    Args:
        *args, **kwargs: arguments of GCNHead.
        ignore_absent: exclude absent persons. If false, the results are those of
            GCNHead, bit for bit.
    """

    def __init__(self, *args: Any, ignore_absent: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ignore_absent = ignore_absent

    def forward(
        self, x: Tensor, present: Tensor | None = None, **kwargs: Any
    ) -> Tensor:
        """Compute the class scores.

        Args:
            x: features of the backbone [N, M, C, T, V].
            present: mask of present persons from MaskedRecognizerGCN, bool [N, M].

        Returns:
            [N, classes].

        Raises:
            ConfigError: `ignore_absent` is set, but the recognizer does not provide the
                mask, or the backbone merges the persons (kind `config`).
        """
        if self.ignore_absent:
            if present is None:
                raise ConfigError(
                    "MaskedGCNHead(ignore_absent=True) got no mask of present persons. "
                    "Set model.type='MaskedRecognizerGCN'.",
                    kind="config",
                    field="model.type",
                )
            if present.shape != x.shape[:2]:
                raise ConfigError(
                    f"MaskedGCNHead(ignore_absent=True) got features of M={x.shape[1]} "
                    f"persons, expected M={present.shape[1]} as in the input. This "
                    "backbone merges the persons. Set "
                    "model.cls_head.ignore_absent=False.",
                    kind="config",
                    field="model.cls_head.ignore_absent",
                )
            mean = mean_of_present(x.mean((-2, -1)), present)
            x = mean[:, None, :, None, None]  # one person, frame and joint
        return super().forward(x, **kwargs)


def mean_of_present(features: Tensor, present: Tensor) -> Tensor:
    """Average features over the present persons, or over all if none is present.

    Args:
        features: [N, M, C].
        present: bool [N, M].

    Returns:
        [N, C].
    """
    counted = (present | ~present.any(1, keepdim=True))[..., None]
    total = features.masked_fill(~counted, 0).sum(1)
    return total / counted.sum(1)
