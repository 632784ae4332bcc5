"""Published weights, turned into checkpoints of this package and back."""

from ..errors import CheckpointError
from .convert import convert_back, convert_checkpoint, is_published, rewrite

__all__ = [
    "CheckpointError",
    "convert_back",
    "convert_checkpoint",
    "is_published",
    "rewrite",
]
