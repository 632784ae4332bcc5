"""Read, convert, and rewrite the weights of checkpoints."""

from ..errors import CheckpointError
from .convert import convert_back, convert_checkpoint, is_published, rewrite

__all__ = [
    "CheckpointError",
    "convert_back",
    "convert_checkpoint",
    "is_published",
    "rewrite",
]
