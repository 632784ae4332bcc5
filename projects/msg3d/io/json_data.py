"""JSON of unknown origin, taken apart with a sentence for what is not as expected."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError

_MARK = "~"
_KINDS = "biufcSUMm"
_AS_THEY_ARE = (str, int, float, bool, type(None))
_SEQUENCES = {f"{_MARK}{kind.__name__}": kind for kind in (tuple, set, frozenset)}


def read_json(content: bytes) -> Any:
    """What a JSON file holds, in UTF-8, UTF-16 or UTF-32.

    Raises:
        DataError: it is not JSON, or cut off.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON, or cut off ({error})") from error


def json_of_text(text: str, where: str) -> Any:
    """What a JSON text within JSON holds.

    Raises:
        DataError: it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is the text {text!r:.40}, expected JSON") from error


def list_of_objects(found: Any, where: str) -> list[dict]:
    """`found`, known to be a list of JSON objects; otherwise DataError says where not."""
    where = where or "the file"
    if not isinstance(found, list):
        raise DataError(f"{where} is no list")
    for place, one in enumerate(found):
        if not isinstance(one, dict):
            raise DataError(
                f"{where}, entry {place}, is {one!r:.40}, expected an object"
            )
    return found


def need_fields(found: Any, fields: tuple[str, ...], where: str) -> None:
    """DataError, unless `found` is a JSON object with these fields."""
    if not isinstance(found, dict) or not set(fields) <= set(found):
        raise DataError(f"{where} is no object with {' and '.join(fields)}")


def stack_numbers(
    values: Sequence, shape: tuple[int, ...], where: Callable[[int], str]
) -> np.ndarray:
    """Equally shaped nested lists of numbers as one array.

    Args:
        values: P of them.
        shape: of each.
        where: number of a value -> its place in the file, for the sentence.

    Returns:
        float32 [P, *shape], finite.

    Raises:
        DataError: the first that has another shape, or holds something that is no
            number, or is NaN, infinite or beyond float32.
    """
    if not len(values):
        return np.zeros((0, *shape), dtype=np.float32)
    array = _as_array(values)
    if array is None or array.shape[1:] != shape:
        number, found = next(
            (number, found)
            for number, found in enumerate(map(_as_array, values))
            if found is None or found.shape != shape
        )
        wanted = " x ".join(map(str, shape)) + " numbers" if shape else "a number"
        raise DataError(f"{where(number)} is {_described(found)}, expected {wanted}")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{where(int(np.argmin(finite)))} holds NaN, infinity or a number beyond "
            "float32, expected finite numbers"
        )
    return array


def _as_array(value) -> np.ndarray | None:
    """An array of numbers; None if these are none, or lists of different lengths."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "fiu" else None


def _described(found: np.ndarray | None) -> str:
    if found is None:
        return "no regular list of numbers"
    if found.ndim == 0:
        return "one number"
    return " x ".join(map(str, found.shape)) + " numbers"


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
