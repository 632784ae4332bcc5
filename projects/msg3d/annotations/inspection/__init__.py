"""Annotation checker that finds all faults in a file, and the values for a config."""

from .inspect import inspect_annotations
from .report import as_json, as_text
from .result import Inspection

__all__ = ["Inspection", "as_json", "as_text", "inspect_annotations"]
