"""Plain data as JSON, exactly: what a packed store keeps beside its arrays.

JSON executes nothing and is read by everyone, but knows neither tuples nor numpy. Those
become an object of one key that begins with `~`: `(480, 640)` is
`{"~tuple": [480, 640]}`. What is decoded equals what was encoded, types included
(an OrderedDict becomes a dict).
"""

import base64
import json
from typing import Any

import numpy as np

_MARK = "~"
_KINDS = "biufcSUMm"
_AS_THEY_ARE = (str, int, float, bool, type(None))
_SEQUENCES = {f"{_MARK}{kind.__name__}": kind for kind in (tuple, set, frozenset)}


def encode(value: Any) -> bytes:
    """Plain data as JSON text in ASCII.

    Args:
        value: None, numbers, text, bytes, numpy numbers and arrays, and lists, tuples,
            sets and dictionaries of those.

    Raises:
        TypeError: something else is in it; the text names its type.
    """
    return json.dumps(_to_json(value), separators=(",", ":")).encode("ascii")


def decode(text: bytes) -> Any:
    """What was encoded, executing nothing.

    Raises:
        ValueError: the text is not what `encode` gives.
    """
    try:
        return _DECODER.decode(text.decode("ascii"))
    except (TypeError, KeyError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"no plain data: {error}") from error


def _to_json(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is list:
        return [_to_json(one) for one in value]
    if kind in (tuple, set, frozenset):
        return {f"{_MARK}{kind.__name__}": [_to_json(one) for one in value]}
    if isinstance(value, dict):
        if any(type(key) is not str or key.startswith(_MARK) for key in value):
            pairs = [[_to_json(key), _to_json(one)] for key, one in value.items()]
            return {f"{_MARK}dict": pairs}
        return {key: _to_json(one) for key, one in value.items()}
    if kind is bytes:
        return {f"{_MARK}bytes": _as_text(value)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in _KINDS:
        name = "array" if isinstance(value, np.ndarray) else "number"
        parts = [value.dtype.str, list(value.shape), _as_text(value.tobytes())]
        return {f"{_MARK}{name}": parts}
    named = getattr(value, "dtype", kind.__name__)
    raise TypeError(
        f"holds something of type {named}, expected numbers, text, lists, tuples, "
        "sets, dictionaries or numpy arrays of numbers or text"
    )


def _from_object(found: dict) -> Any:
    """The object itself, or what its one marked key stands for."""
    if len(found) != 1:
        return found
    ((key, value),) = found.items()
    if not key.startswith(_MARK):
        return found
    if key in _SEQUENCES:
        return _SEQUENCES[key](value)
    if key == f"{_MARK}dict":
        return dict(value)
    if key == f"{_MARK}bytes":
        return base64.b64decode(value)
    if key not in (f"{_MARK}array", f"{_MARK}number"):
        raise ValueError(f"no plain data: an unknown kind {key!r}")
    dtype, shape, text = value
    content = bytearray(base64.b64decode(text))  # writable, as the array was
    kind = np.dtype(dtype) if isinstance(dtype, str) else None
    if kind is None or kind.kind not in _KINDS or not kind.itemsize:
        raise ValueError(f"no plain data: an array of type {dtype!r:.40}")
    array = np.frombuffer(content, dtype=kind).reshape(shape)
    return array if key == f"{_MARK}array" else array[()]


def _as_text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_DECODER = json.JSONDecoder(object_hook=_from_object)
