"""Traceable module that maps the clips of samples to the scores of a recognizer."""

import logging

import torch
from mmaction.models import RecognizerGCN
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ..errors import ConfigError
from ..models import MSG3D, MaskedRecognizerGCN
from ..models.inference import FoldedMSG3D

# Example sizes differ and exceed 1, since the exporter uses the same symbol for equal
# sizes and treats size 1 as a constant.
SAMPLES, CLIPS, FRAMES = 2, 3, 16


class ExportedNetwork(nn.Module):
    """Inference module of a recognizer, without control flow that depends on values.

    The MSG3D backbone is exported in folded form, in which BatchNorms are folded into the
    weights and graphs are summed. Eager inference skips absent persons to save time. The
    exported network computes the features of all persons, with the same result.

    Args:
        model: recognizer with a GCNHead. It is modified and must not be used afterwards.

    Raises:
        ConfigError: the head does not average the clips.
    """

    def __init__(self, model: RecognizerGCN) -> None:
        super().__init__()
        self.model = model.float().eval().requires_grad_(False)
        self.average = model.cls_head.average_clips
        if self.average not in ("prob", "score"):
            raise ConfigError(
                f"'cls_head.average_clips' is {self.average!r}, expected 'prob' or "
                "'score'. Set it in the config, since an exported network returns one "
                "row of scores per sample.",
                kind="config",
                field="cls_head.average_clips",
            )
        backbone, self.folded = model.backbone, None
        if isinstance(backbone, MSG3D):
            self.folded = FoldedMSG3D(backbone, torch.float32)
            del model.backbone  # otherwise, its weights would also be exported

    def forward(self, keypoint: Tensor) -> Tensor:
        """Return the scores of B samples.

        Args:
            keypoint: float32 [B, clips, M, T, V, C].

        Returns:
            float32 [B, classes] for classification or [B, targets] for regression.
        """
        samples, clips = keypoint.shape[:2]
        scores = self._scores(keypoint).unflatten(0, (samples, clips))
        if self.average == "prob":
            scores = scores.softmax(2)
        return scores.mean(1)

    def _scores(self, keypoint: Tensor) -> Tensor:
        """Return the scores of each clip, [B * clips, classes or targets]."""
        if self.folded is None:
            return self.model.extract_feat(keypoint, stage="head")[0]
        rows = keypoint.flatten(0, 1)  # (N, M, T, V, C)
        x = self.folded(self.folded.normalize(rows).flatten(0, 1))  # (NM, T', V, C')
        x = x.permute(0, 3, 1, 2).unflatten(0, rows.shape[:2])
        if not isinstance(self.model, MaskedRecognizerGCN):
            return self.model.cls_head(x)
        return self.model.cls_head(x, present=(rows != 0).flatten(2).any(2))


def trace(
    model: RecognizerGCN, persons: int, joints: int, channels: int
) -> ExportedProgram:
    """Trace a recognizer with torch.export for any number of samples, clips, and frames.

    Args:
        model: recognizer on the CPU. It is modified and must not be used afterwards.
        persons, joints, channels: fixed sizes M, V, and C of the input.

    Returns:
        Program of an `ExportedNetwork`.

    Raises:
        ConfigError: see `ExportedNetwork`.
    """
    network = ExportedNetwork(model)
    example = torch.rand(SAMPLES, CLIPS, persons, FRAMES, joints, channels)
    # Silence warnings about unsolved inequalities, which contain long stack traces.
    logging.getLogger("torch.fx.experimental.symbolic_shapes").setLevel(logging.ERROR)
    # Named dimensions require proofs, for example that 37 frames halve like 16.
    dynamic = dict.fromkeys((0, 1, 3), Dim.DYNAMIC)
    with torch.no_grad():
        return torch.export.export(
            network, (example,), dynamic_shapes={"keypoint": dynamic}
        )
