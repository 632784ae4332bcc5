"""Packed stores: annotations of any size, read one sample at a time."""

from .packing import load_any, pack
from .store import Store, load_store
from .writer import StoreWriter

__all__ = ["Store", "StoreWriter", "load_any", "load_store", "pack"]
