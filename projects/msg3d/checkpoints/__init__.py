"""Published weights, turned into checkpoints of this package and back."""

from .convert import convert_back, convert_checkpoint
from .formats import CheckpointError

__all__ = ["CheckpointError", "convert_back", "convert_checkpoint"]
