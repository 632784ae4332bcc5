"""Published weights, turned into checkpoints of this package and back."""

from .convert import convert_back, convert_checkpoint, is_published, rewrite
from .formats import CheckpointError

__all__ = [
    "CheckpointError",
    "convert_back",
    "convert_checkpoint",
    "is_published",
    "rewrite",
]
