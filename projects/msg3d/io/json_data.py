"""Parser for untrusted JSON, and lossless encoding of plain data as JSON.

`read_json` to `stack_numbers` parse JSON files and check their structure. `encode` and
`decode` store plain data losslessly, for packed stores and `.safetensors` files. JSON has
no tuples and NumPy arrays, so these are encoded as an object with a single key that begins
with `~`. For example, `(480, 640)` is `{"~tuple": [480, 640]}`. Decoding restores values
and types, except that an OrderedDict becomes a dict.
"""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError

_MARK = "~"
_KINDS = "biufcSUMm"
_JSON_TYPES = (str, int, float, bool, type(None))
_SEQUENCES = {f"{_MARK}{kind.__name__}": kind for kind in (tuple, set, frozenset)}


def read_json(content: bytes) -> Any:
    """Parse a JSON file in UTF-8, UTF-16, or UTF-32.

    Raises:
        DataError: the content is not JSON, or is truncated.
    """
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"the file is truncated or not valid JSON ({error.msg} at column "
            f"{error.colno})",
            kind="syntax",
            line=error.lineno,
        ) from error
    except (ValueError, RecursionError) as error:
        kind = "encoding" if isinstance(error, UnicodeDecodeError) else "syntax"
        raise DataError(f"the file is not valid JSON ({error})", kind=kind) from error


def parse_json_string(text: str, where: str) -> Any:
    """Parse JSON that is stored as a string in a JSON file.

    Raises:
        DataError: the string is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} is the string {text!r:.40}, expected JSON",
            kind="syntax",
            field=where,
        ) from error


def list_of_objects(value: Any, where: str) -> list[dict[str, Any]]:
    """Return `value` if it is a list of JSON objects.

    Args:
        value: part of a JSON file.
        where: location in the file, for messages. Empty for the entire file.

    Raises:
        DataError: `value` is not a list of objects.
    """
    where = where or "the file"
    if not isinstance(value, list):
        raise DataError(
            f"{where} is not a list of objects", kind="structure", field=where
        )
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise DataError(
                f"entry {index} of {where} is {entry!r:.40}, expected an object",
                kind="structure",
                field=where,
            )
    return value


def need_fields(value: Any, fields: tuple[str, ...], where: str) -> None:
    """Check that `value` is a JSON object with the given fields.

    Raises:
        DataError: `value` is not an object, or a field is missing.
    """
    if not isinstance(value, dict) or not set(fields) <= set(value):
        raise DataError(
            f"{where} has an unexpected structure, expected an object with "
            f"{' and '.join(map(repr, fields))}",
            kind="structure",
            field=where,
        )


def stack_numbers(
    values: Sequence[Any], shape: tuple[int, ...], where: Callable[[int], str]
) -> np.ndarray:
    """Stack nested lists of numbers with equal shapes into an array.

    Args:
        values: P nested lists.
        shape: shape of each list.
        where: callable that returns the location of a list in the file from its index,
            for messages.

    Returns:
        Finite numbers, float32 [P, *shape].

    Raises:
        DataError: a list has another shape, or contains values that are not numbers, NaN,
            infinite, or outside the range of float32.
    """
    if not len(values):
        return np.zeros((0, *shape), dtype=np.float32)
    array = _as_array(values)
    if array is None or array.shape[1:] != shape:
        index, invalid = next(
            (index, invalid)
            for index, invalid in enumerate(map(_as_array, values))
            if invalid is None or invalid.shape != shape
        )
        expected = " x ".join(map(str, shape)) + " numbers" if shape else "a number"
        raise DataError(
            f"{where(index)} is {_describe(invalid)}, expected {expected}",
            kind="number" if invalid is None else "shape",
            field=where(index),
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        field = where(int(np.argmin(finite)))
        raise DataError(
            f"{field} contains NaN, infinity, or a number outside the range of float32",
            kind="not-finite",
            field=field,
        )
    return array


def _as_array(value: Any) -> np.ndarray | None:
    """Return a numeric array, or None if `value` is not a regular list of numbers."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "fiu" else None


def _describe(array: np.ndarray | None) -> str:
    if array is None:
        return "not a regular list of numbers"
    if array.ndim == 0:
        return "a single number"
    return " x ".join(map(str, array.shape)) + " numbers"


def encode(value: Any) -> bytes:
    """Encode plain data as JSON in ASCII.

    Args:
        value: None, numbers, strings, bytes, NumPy scalars and arrays, and lists, tuples,
            sets, and dictionaries of these types.

    Raises:
        DataError: `value` contains other types.
    """
    return json.dumps(_to_json(value), separators=(",", ":")).encode("ascii")


def decode(text: bytes) -> Any:
    """Decode the output of `encode`.

    Raises:
        DataError: the text is not an output of `encode`.
    """
    try:
        return _DECODER.decode(text.decode("ascii"))
    except DataError:
        raise
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise DataError(
            f"the encoded data is invalid ({error})", kind="corrupt"
        ) from error


def _to_json(value: Any) -> Any:
    kind = type(value)
    if kind in _JSON_TYPES:
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
        f"the data has unsupported type {getattr(value, 'dtype', kind.__name__)}, "
        "expected numbers, strings, lists, tuples, sets, dictionaries, or NumPy arrays of "
        "numbers or strings",
        kind="dtype",
    )


def _from_object(value: dict[str, Any]) -> Any:
    """Decode an object with a single marked key, and return other objects unchanged."""
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
        raise DataError(
            f"the encoded data has an unknown mark {key!r:.40}", kind="corrupt"
        )
    dtype, shape, text = content
    numbers = bytearray(base64.b64decode(text))  # a bytearray is writable
    kind = np.dtype(dtype) if isinstance(dtype, str) else None
    if kind is None or kind.kind not in _KINDS or not kind.itemsize:
        raise DataError(
            f"the encoded data has an array of unsupported dtype {dtype!r:.40}",
            kind="dtype",
        )
    array = np.frombuffer(numbers, dtype=kind).reshape(shape)
    return array if key == f"{_MARK}array" else array[()]


def _as_text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_DECODER = json.JSONDecoder(object_hook=_from_object)
