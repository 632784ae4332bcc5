"""Packed stores: annotations that are read from disk sample by sample."""

from .packing import load_any, pack
from .store import Store, load_store
from .writer import StoreWriter

__all__ = ["Store", "StoreWriter", "load_any", "load_store", "pack"]
