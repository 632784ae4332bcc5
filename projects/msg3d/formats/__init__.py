"""Readers for pose files and labeled data sets, one module per file format."""

from .base import Format, ReadOptions, Source, all_formats, detect_format, read

__all__ = ["Format", "ReadOptions", "Source", "all_formats", "detect_format", "read"]
