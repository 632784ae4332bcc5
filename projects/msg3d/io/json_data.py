"""JSON of unknown origin, and plain data as JSON.

The first functions parse JSON files and check their structure. `encode` and `decode`
store plain data as JSON exactly, as packed stores and `.safetensors` files keep it: JSON
has no tuples and no NumPy arrays, so these become an object with one key that begins
with `~`. `(480, 640)` is `{"~tuple": [480, 640]}`. Decoding returns what was encoded,
types included (an OrderedDict becomes a dict).
"""

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
    """Parse a JSON file in UTF-8, UTF-16, or UTF-32.

    Raises:
        DataError: it is not JSON, or truncated.
    """
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"is not valid JSON, or truncated ({error.msg} at column {error.colno})",
            kind="syntax",
            line=error.lineno,
        ) from error
    except (ValueError, RecursionError) as error:
        kind = "encoding" if isinstance(error, UnicodeDecodeError) else "syntax"
        raise DataError(f"is not valid JSON ({error})", kind=kind) from error


def json_of_text(text: str, where: str) -> Any:
    """Parse a JSON text that is a value within a JSON file.

    Raises:
        DataError: it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} is the text {text!r:.40}, expected JSON",
            kind="syntax",
            field=where,
        ) from error


def list_of_objects(value: Any, where: str) -> list[dict[str, Any]]:
    """Return `value` if it is a list of JSON objects.

    Args:
        value: part of a JSON file.
        where: its place in the file, for the error; empty for the file itself.

    Raises:
        DataError: it is anything else.
    """
    where = where or "the file"
    if not isinstance(value, list):
        raise DataError(f"{where} is not a list", kind="structure", field=where)
    for place, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise DataError(
                f"{where}, entry {place}, is {entry!r:.40}, expected an object",
                kind="structure",
                field=where,
            )
    return value


def need_fields(value: Any, fields: tuple[str, ...], where: str) -> None:
    """Check that `value` is a JSON object with these fields.

    Raises:
        DataError: it is anything else.
    """
    if not isinstance(value, dict) or not set(fields) <= set(value):
        raise DataError(
            f"{where} is not an object with {' and '.join(fields)}",
            kind="structure",
            field=where,
        )


def stack_numbers(
    values: Sequence[Any], shape: tuple[int, ...], where: Callable[[int], str]
) -> np.ndarray:
    """Stack equally shaped nested lists of numbers in one array.

    Args:
        values: P nested lists.
        shape: of each.
        where: position of a value -> its place in the file, for the error.

    Returns:
        float32 [P, *shape], finite.

    Raises:
        DataError: the first value of another shape, or with anything that is not a
            number, or that is NaN, infinite, or outside the range of float32.
    """
    if not len(values):
        return np.zeros((0, *shape), dtype=np.float32)
    array = _as_array(values)
    if array is None or array.shape[1:] != shape:
        position, odd = next(
            (position, odd)
            for position, odd in enumerate(map(_as_array, values))
            if odd is None or odd.shape != shape
        )
        expected = " x ".join(map(str, shape)) + " numbers" if shape else "a number"
        raise DataError(
            f"{where(position)} is {_described(odd)}, expected {expected}",
            kind="number" if odd is None else "shape",
            field=where(position),
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        place = where(int(np.argmin(finite)))
        raise DataError(
            f"{place} contains NaN, infinity, or a number outside the range of float32, "
            "expected finite numbers",
            kind="not-finite",
            field=place,
        )
    return array


def _as_array(value: Any) -> np.ndarray | None:
    """An array of numbers; None for anything else and for lists of unequal lengths."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "fiu" else None


def _described(array: np.ndarray | None) -> str:
    if array is None:
        return "not a regular list of numbers"
    if array.ndim == 0:
        return "one number"
    return " x ".join(map(str, array.shape)) + " numbers"


def encode(value: Any) -> bytes:
    """Write plain data as JSON text in ASCII.

    Args:
        value: None, numbers, text, bytes, NumPy numbers and arrays, and lists, tuples,
            sets, and dictionaries of those.

    Raises:
        DataError: it contains anything else.
    """
    return json.dumps(_to_json(value), separators=(",", ":")).encode("ascii")


def decode(text: bytes) -> Any:
    """Return what was encoded, executing nothing.

    Raises:
        DataError: the text is not what `encode` writes.
    """
    try:
        return _DECODER.decode(text.decode("ascii"))
    except DataError:
        raise
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise DataError(f"is not plain data ({error})", kind="corrupt") from error


def _to_json(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is list:
        return [_to_json(item) for item in value]
    if kind in (tuple, set, frozenset):
        return {f"{_MARK}{kind.__name__}": [_to_json(item) for item in value]}
    if isinstance(value, dict):
        if any(type(key) is not str or key.startswith(_MARK) for key in value):
            pairs = [[_to_json(key), _to_json(item)] for key, item in value.items()]
            return {f"{_MARK}dict": pairs}
        return {key: _to_json(item) for key, item in value.items()}
    if kind is bytes:
        return {f"{_MARK}bytes": _as_text(value)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in _KINDS:
        name = "array" if isinstance(value, np.ndarray) else "number"
        parts = [value.dtype.str, list(value.shape), _as_text(value.tobytes())]
        return {f"{_MARK}{name}": parts}
    raise DataError(
        f"holds a value of type {getattr(value, 'dtype', kind.__name__)}, expected "
        "numbers, text, lists, tuples, sets, dictionaries, or NumPy arrays of numbers "
        "or text",
        kind="dtype",
    )


def _from_object(value: dict[str, Any]) -> Any:
    """The object itself, or what its one marked key stands for."""
    if len(value) != 1:
        return value
    ((key, content),) = value.items()
    if not key.startswith(_MARK):
        return value
    if key in _SEQUENCES:
        return _SEQUENCES[key](content)
    if key == f"{_MARK}dict":
        return dict(content)
    if key == f"{_MARK}bytes":
        return base64.b64decode(content)
    if key not in (f"{_MARK}array", f"{_MARK}number"):
        raise DataError(f"has an unknown mark {key!r:.40}", kind="corrupt")
    dtype, shape, text = content
    numbers = bytearray(base64.b64decode(text))  # writable, as the array was
    kind = np.dtype(dtype) if isinstance(dtype, str) else None
    if kind is None or kind.kind not in _KINDS or not kind.itemsize:
        raise DataError(f"has an array of type {dtype!r:.40}", kind="dtype")
    array = np.frombuffer(numbers, dtype=kind).reshape(shape)
    return array if key == f"{_MARK}array" else array[()]


def _as_text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_DECODER = json.JSONDecoder(object_hook=_from_object)
