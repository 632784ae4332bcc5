"""Parts registered in `mmaction.registry.MODELS`."""

from .msg3d import MSG3D

__all__ = ["MSG3D"]
