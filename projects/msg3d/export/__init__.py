"""Trained networks as files for other runtimes: ONNX, and torch.export's."""

from .write import export

__all__ = ["export"]
