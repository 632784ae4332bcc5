"""Export trained networks to ONNX and torch.export files."""

from .write import export

__all__ = ["export"]
