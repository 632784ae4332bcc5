"""Differences between configs, and formatting of configs as Python code."""

from collections.abc import Mapping
from typing import Any


class Name(str):
    """Name of a variable in generated code, printed without quotes."""

    __repr__ = str.__str__


def difference(base: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that a config must override to turn `base` into `target`.

    A nested dictionary without some of the entries in `base` is replaced completely,
    with `_delete_=True`. At the top level, entries that are only in `base` are ignored.
    """
    changes: dict[str, Any] = {}
    for key, value in target.items():
        if key not in base:
            changes[key] = value
        elif base[key] != value:
            if isinstance(value, dict) and isinstance(base[key], dict):
                removed = set(base[key]) - set(value)
                changes[key] = (
                    dict(_delete_=True, **value)
                    if removed
                    else difference(base[key], value)
                )
            elif isinstance(value, dict):
                changes[key] = dict(_delete_=True, **value)
            else:
                changes[key] = value
    return changes


def code(values: Mapping[str, Any]) -> str:
    """Return one Python assignment per entry, formatted like the shipped configs."""
    from yapf.yapflib.yapf_api import FormatCode  # comes with MMEngine

    text = "\n".join(f"{key} = {_expression(value)}" for key, value in values.items())
    style = {
        "based_on_style": "pep8",
        "split_before_expression_after_opening_paren": True,
        "each_dict_entry_on_separate_line": True,
    }
    formatted: str = FormatCode(text, style_config=style)[0]
    return formatted


def _expression(value: Any) -> str:
    if isinstance(value, dict):
        if all(isinstance(key, str) and key.isidentifier() for key in value):
            items = (f"{key}={_expression(item)}" for key, item in value.items())
            return f"dict({', '.join(items)})"
        items = (f"{key!r}: {_expression(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_expression, value))}]"
    if isinstance(value, tuple):
        comma = "," * (len(value) == 1)
        return f"({', '.join(map(_expression, value))}{comma})"
    return repr(value)
