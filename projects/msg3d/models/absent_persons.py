"""The mean over persons, without those who are not there.

MMAction2's GCNHead takes the mean over all `num_person` places. In most samples of NTU
RGB+D one person acts alone and the second place is zero: half of the mean is then what
the network makes of nothing. Here the mean may leave such places out.
"""

from typing import Any

from mmaction.models import GCNHead, RecognizerGCN
from mmaction.registry import MODELS
from torch import Tensor

from ..errors import ConfigError


@MODELS.register_module()
class MaskedRecognizerGCN(RecognizerGCN):
    """RecognizerGCN that tells its head which persons are there.

    A person is absent from a clip if every number of theirs in the clip is exactly zero
    in the network's input, as FormatGCNInput pads.

    Args: RecognizerGCN's. A head that does not ask who is there, as MMAction2's
    GCNHead, gives what it gives with RecognizerGCN, bit for bit.
    """

    def extract_feat(
        self, inputs: Tensor, stage: str = "backbone", **kwargs: Any
    ) -> tuple[Tensor, dict]:
        """As RecognizerGCN's, with the mask for the head in the second result.

        Args:
            inputs: [B, clips, M, T, V, C].
            stage: 'backbone' or 'head'.

        Returns:
            The backbone's features [B * clips, M, C', T', V] or the head's scores
            [B * clips, classes], and `dict(present=...)`, bool [B * clips, M].
        """
        x, head_kwargs = super().extract_feat(inputs, "backbone")
        present = (inputs.flatten(0, 1) != 0).flatten(2).any(2)
        head_kwargs = dict(head_kwargs, present=present)
        if stage == "head" and self.with_cls_head:
            x = self.cls_head(x, **head_kwargs)
        return x, head_kwargs


@MODELS.register_module()
class MaskedGCNHead(GCNHead):
    """GCNHead whose mean over persons may leave out those who are absent.

    The parameters are GCNHead's, so are the checkpoints. Where nobody is there, the
    mean is over all, as in GCNHead.

    Args:
        *args, **kwargs: GCNHead's.
        ignore_absent: whether to leave them out. If not, this is GCNHead, bit for bit.
    """

    def __init__(self, *args: Any, ignore_absent: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ignore_absent = ignore_absent

    def forward(
        self, x: Tensor, present: Tensor | None = None, **kwargs: Any
    ) -> Tensor:
        """Scores of the classes.

        Args:
            x: the backbone's features [N, M, C, T, V].
            present: which persons are there, bool [N, M]; MaskedRecognizerGCN says.

        Returns:
            [N, classes].

        Raises:
            ConfigError: absent persons are to be left out, but the recognizer does not
                say who they are, or the backbone has joined the persons (kind
                "config").
        """
        if self.ignore_absent:
            if present is None:
                raise ConfigError(
                    "MaskedGCNHead(ignore_absent=True) was not told which persons are "
                    "present: set model.type='MaskedRecognizerGCN'",
                    kind="config",
                    field="model.type",
                )
            if present.shape != x.shape[:2]:
                raise ConfigError(
                    f"MaskedGCNHead(ignore_absent=True) got features of {x.shape[1]} "
                    f"persons for an input of {present.shape[1]}: this backbone joins "
                    "the persons; set model.cls_head.ignore_absent=False",
                    kind="config",
                    field="model.cls_head.ignore_absent",
                )
            mean = mean_of_present(x.mean((-2, -1)), present)
            x = mean[:, None, :, None, None]  # one person, frame and joint
        return super().forward(x, **kwargs)


def mean_of_present(features: Tensor, present: Tensor) -> Tensor:
    """Mean over the persons who are there; over all, where nobody is.

    Args:
        features: [N, M, C].
        present: bool [N, M].

    Returns:
        [N, C].
    """
    counted = (present | ~present.any(1, keepdim=True))[..., None]
    total = features.masked_fill(~counted, 0).sum(1)
    return total / counted.sum(1)
