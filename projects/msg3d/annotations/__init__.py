"""Annotation files: the sample record, and how files are read, checked and written."""

from ..errors import AnnotationError
from .check import (
    Annotations,
    check_annotations,
)
from .files import load_annotations, save_annotations

__all__ = [
    "AnnotationError",
    "Annotations",
    "check_annotations",
    "load_annotations",
    "save_annotations",
]
