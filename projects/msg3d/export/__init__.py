"""Export of trained networks to ONNX (`.onnx`) and torch.export (`.pt2`) files."""

from .write import export

__all__ = ["export"]
