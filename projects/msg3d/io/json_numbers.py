"""JSON of unknown origin, taken apart with a sentence for what is not as expected."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError


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
