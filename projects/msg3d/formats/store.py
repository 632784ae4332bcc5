"""Packed stores, as `msg3d pack` writes them."""

import os

from ..stores.store import load_store
from ..stores.store_format import HEADER
from .annotation_file import sequences_of
from .base import Format, ReadOptions, Source


def _read(source: Source, options: ReadOptions) -> list[dict]:
    return sequences_of(load_store(source.path).unpack(), source, options)


FORMAT = Format(
    name="store",
    title="Packed store",
    suffixes=(),
    detect=lambda source: (
        source.is_folder and os.path.isfile(os.path.join(source.path, HEADER))
    ),
    read=_read,
    needs=("layout",),
)
