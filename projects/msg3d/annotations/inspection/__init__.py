"""The checker of annotation files: every fault, and what a config needs to know.

`inspect_annotations` looks; `report` and `picture` show what it saw.
"""

from .inspect import Inspection, inspect_annotations
from .report import as_json, as_text

__all__ = ["Inspection", "as_json", "as_text", "inspect_annotations"]
