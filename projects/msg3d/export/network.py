"""Traceable module that maps the clips of samples to the scores of a recognizer."""

import logging
from collections.abc import Iterable

import torch
from mmaction.models import RecognizerGCN
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ..apis.trained import calibrated
from ..errors import ConfigError
from ..models import MSG3D, MaskedRecognizerGCN
from ..models.inference import FoldedMSG3D

# Example sizes differ and exceed 1, since the exporter uses the same symbol for equal
# sizes and treats size 1 as a constant.
SAMPLES, CLIPS, FRAMES = 2, 3, 16


class ExportedNetwork(nn.Module):
    """Inference module of a recognizer, without control flow that depends on values.

    The MSG3D backbone is exported in folded form, in which BatchNorms are folded into the
    weights and graphs are summed. Eager inference and ONNX files skip absent persons to
    save time. This module computes the features of all persons, with the same result.

    Args:
        model: recognizer with a GCNHead. It is modified and must not be used afterwards.
        features: also return the features before the last layer, for a classification
            network.
        temperature: temperature of the class probabilities; None to leave the scores
            unchanged.

    Raises:
        ConfigError: the head does not average the clips.
    """

    def __init__(
        self,
        model: RecognizerGCN,
        features: bool = False,
        temperature: float | None = None,
    ) -> None:
        super().__init__()
        self.temperature = temperature
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
        self.classify = nn.Identity()
        if features:
            self.classify, model.cls_head.fc = model.cls_head.fc, nn.Identity()
        self.outputs = ("scores", "features") if features else ("scores",)
        backbone, self.folded = model.backbone, None
        if isinstance(backbone, MSG3D):
            self.folded = FoldedMSG3D(backbone, torch.float32)
            del model.backbone  # otherwise, its weights would also be exported

    def forward(self, keypoint: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return the scores of B samples, and optionally their features.

        Args:
            keypoint: float32 [B, clips, M, T, V, C].

        Returns:
            float32 [B, classes] for classification or [B, targets] for regression, and
            the features [B, D] if they were requested.
        """
        clips = keypoint.flatten(0, 1)  # (N, M, T, V, C)
        if self.folded is None:
            values = self.model.extract_feat(keypoint, stage="head")[0]
        else:
            rows = self.folded.normalize(clips).flatten(0, 1)
            x = self.folded(rows).permute(0, 3, 1, 2)  # (NM, C', T', V)
            present = (clips != 0).flatten(2).any(2)
            values = self.head(x.unflatten(0, clips.shape[:2]), present)
        return self.averaged(values.unflatten(0, keypoint.shape[:2]))

    @property
    def masked(self) -> bool:
        """True if the head needs the mask of present persons."""
        return isinstance(self.model, MaskedRecognizerGCN)

    def head(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Map [N, M, C', T', V] to the scores or features of each clip, [N, values]."""
        options = {"present": present} if self.masked else {}
        return self.model.cls_head(x, **options)

    def averaged(self, values: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Map outputs of the head [B, clips, values] to the outputs for B samples."""
        scores = self.classify(values)
        if self.average == "prob":
            scores = scores.softmax(2)
        scores = scores.mean(1)
        if self.temperature is not None:
            scores = calibrated(scores, self.average, self.temperature)
        return (scores, values.mean(1)) if "features" in self.outputs else scores


class ExportedHead(nn.Module):
    """Last part of an `ExportedNetwork` with MSG3D, after pooling over T' and V."""

    def __init__(self, network: ExportedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, features: Tensor, present: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return the outputs for B samples, as `ExportedNetwork` does.

        Args:
            features: pooled features of each person, [B, clips, M, C'].
            present: mask of present persons, bool [B, clips, M], if the head needs it.
        """
        x = features.flatten(0, 1)[..., None, None]
        if present is not None:
            present = present.flatten(0, 1)
        values = self.network.head(x, present)
        return self.network.averaged(values.unflatten(0, features.shape[:2]))


def trace(
    network: nn.Module, *examples: Tensor, dynamic: Iterable[int]
) -> ExportedProgram:
    """Trace a module with torch.export.

    Args:
        network: module in eval mode.
        *examples: arguments of the module. Dynamic sizes must differ and exceed 1.
        dynamic: axes of variable size of each argument.
    """
    # Silence warnings about unsolved inequalities, which contain long stack traces.
    logging.getLogger("torch.fx.experimental.symbolic_shapes").setLevel(logging.ERROR)
    # Named dimensions require proofs, for example that 37 frames halve like 16.
    shapes = tuple(dict.fromkeys(dynamic, Dim.DYNAMIC) for _ in examples)
    with torch.no_grad():
        return torch.export.export(network, examples, dynamic_shapes=shapes)


def trace_network(
    network: ExportedNetwork, persons: int, joints: int, channels: int
) -> ExportedProgram:
    """Trace a network for any number of samples, clips, and frames.

    Args:
        network: network on the CPU.
        persons, joints, channels: fixed sizes M, V, and C of the input.
    """
    example = torch.rand(SAMPLES, CLIPS, persons, FRAMES, joints, channels)
    return trace(network, example, dynamic=(0, 1, 3))
