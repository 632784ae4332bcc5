"""Stand-ins for the globals that a pickle of NumPy arrays and plain data names.

NumPy's own `__setstate__` trusts a file: a type whose fields are said to hold no
objects makes it follow pointers that the file contains, and an array of objects takes
the memory that its shape asks for, before anything is compared. A pickle therefore gets
the stand-ins below, and `resolved` replaces them by arrays once everything is read.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, Literal, cast

import numpy as np

from ..errors import PickleError

_CODE = re.compile(r"\?|[bB]1?|[iufc]\d{1,2}|[SUV]\d{0,9}|[mMO]8?")
_UNIT = re.compile(r"[A-Za-z]{1,7}")
_ORDERS = ("<", ">", "=", "|")
_MOST_AXES = 32
# Wherever this NumPy keeps it.
_scalar = cast(Callable[[np.dtype, bytes], np.generic], np.float64(0).__reduce__()[0])


class PickledType:
    """Stands for a `numpy.dtype`; a file may set its state, and nothing else."""

    __slots__ = ("code", "state")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # no key of a dictionary

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise PickleError(
                f"an array of the unknown type {_short(code)}", kind="corrupt"
            )
        self.code = code
        self.state: tuple[Any, ...] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    @property
    def holds_objects(self) -> bool:
        return self.code[0] == "O"

    def real(self) -> np.dtype:
        """Return the type, built from the description in the file.

        Raises:
            Exception: the description is not that of a type.
        """
        if self.holds_objects:
            raise PickleError(
                "objects where numbers or text are expected", kind="corrupt"
            )
        if self.state is None:
            return np.dtype(self.code)
        _, order, base, names, fields, size, *rest = self.state
        if base is not None:
            return np.dtype((base[0].real(), _shape(base[1])))
        if names is not None:
            kinds = [fields[name][0].real() for name in names]
            offsets = [fields[name][1] for name in names]
            return np.dtype(
                {
                    "names": list(names),
                    "formats": kinds,
                    "offsets": offsets,
                    "itemsize": size,
                }
            )
        kind = np.dtype(self.code)
        if kind.kind in "mM" and len(rest) > 2:
            unit, count, *_ = rest[2][1]
            unit = unit.decode("ascii") if isinstance(unit, bytes) else unit
            if not _UNIT.fullmatch(unit) or type(count) is not int or count < 1:
                raise PickleError("a time of an unknown unit", kind="corrupt")
            if unit != "generic":
                kind = np.dtype(f"{kind.kind}8[{count}{unit}]")
        if order not in _ORDERS:
            raise PickleError("numbers in an unknown byte order", kind="corrupt")
        return kind.newbyteorder(order)


class PickledArray:
    """Stands for a `numpy.ndarray` until the file has been read."""

    __slots__ = ("array", "objects")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.array: np.ndarray = np.empty((0,), np.int8)
        self.objects: list[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *_, shape, kind, by_columns, values = state
        shape = _shape(shape)
        order: Literal["C", "F"] = "F" if by_columns else "C"
        if type(kind) is not PickledType:
            raise PickleError("an array without a type", kind="corrupt")
        if kind.holds_objects:
            if type(values) is not list or len(values) != math.prod(shape):
                raise PickleError(
                    f"{len(values)} objects for the shape {shape}", kind="corrupt"
                )
            self.array = np.empty(shape, object, order)
            self.objects = values
            return
        if isinstance(values, str):  # bytes of Python 2
            values = values.encode("latin-1")
        real = kind.real()
        _check_bytes(shape, real, len(values))
        array = np.ndarray(shape, real, bytearray(values), order=order)
        # As NumPy does with the bytes of another machine.
        self.array = array if real.isnative else array.astype(real.newbyteorder("="))


class Held:
    """Stands for any other object until the file has been read.

    A file can change what it has made, through its `__setstate__` or its attributes.
    """

    __slots__ = ("value",)
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = value

    def __setstate__(self, state: Any) -> None:
        raise PickleError("an object is changed after it was made", kind="corrupt")


class FromBuffer:
    """`numpy.core.numeric._frombuffer`: an array in protocol 5."""

    __slots__ = ()

    def __call__(
        self, buffer: Any, kind: Any, shape: Any, order: Any, axis_order: Any = None
    ) -> np.ndarray:
        real, shape = kind.real(), _shape(shape)
        _check_bytes(shape, real, memoryview(buffer).nbytes)
        array = np.ndarray(shape, real, buffer, order=order or "C")
        return array if axis_order is None else array.transpose(axis_order)


class Scalar:
    """`numpy.core.multiarray.scalar`: a number of numpy's, from its bytes."""

    __slots__ = ()

    def __call__(self, kind: Any, value: Any) -> np.generic:
        real = kind.real()
        if not isinstance(value, bytes) or len(value) != real.itemsize:
            raise PickleError("a scalar that is not plain", kind="corrupt")
        return _scalar(real, value)


class _Array:
    """Stands for `numpy.ndarray`, which a file names but must not call."""

    __slots__ = ()


class _Reconstruct:
    """`numpy.core.multiarray._reconstruct`: the empty array that is filled later."""

    __slots__ = ()

    def __call__(self, subtype: Any, shape: Any, typecode: Any) -> PickledArray:
        if subtype is not _ARRAY or shape != (0,):
            raise PickleError("an array of an unknown class", kind="corrupt")
        return PickledArray()


class _Type:
    """`numpy.dtype`, which a file calls and must not reach into."""

    __slots__ = ()

    def __call__(self, *args: Any) -> PickledType:
        return PickledType(*args)


class _Latin1:
    """`codecs.encode`: how protocols below 3 write bytes."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> Any:
        if encoding not in ("latin1", "latin-1"):
            raise PickleError(
                f"bytes in the encoding {_short(encoding)}", kind="corrupt"
            )
        return text.encode("latin-1")


class _NoBytes:
    """`builtins.bytes()`: how protocols below 3 write empty bytes."""

    __slots__ = ()

    def __call__(self) -> bytes:
        return b""


_ARRAY = _Array()
# What a file may name -> what is called in its place.
GLOBALS: dict[str, object] = {
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _NoBytes(),
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _Latin1(),
    "codecs.encode": _Latin1(),
    "numpy.ndarray": _ARRAY,
    "numpy.dtype": _Type(),
    "numpy._core.multiarray._reconstruct": _Reconstruct(),
    "numpy._core.multiarray.scalar": Scalar(),
    "numpy._core.numeric._frombuffer": FromBuffer(),
}


def resolved(data: Any) -> Any:
    """Replace the stand-ins in unpickled data by arrays and types.

    Lists and dictionaries are changed in place. Each is visited once, however often it
    occurs.

    Raises:
        PickleError: containers are nested deeper than Python's recursion limit.
    """
    try:
        return _Resolver()(data)
    except RecursionError:
        raise PickleError("containers are nested too deep", kind="corrupt") from None


class _Resolver:
    def __init__(self) -> None:
        self.done: dict[int, tuple[Any, Any]] = {}  # with the value: keeps its id

    def __call__(self, value: Any) -> Any:
        change = _CHANGES.get(type(value))
        if change is None:
            return value
        if id(value) not in self.done:
            self.done[id(value)] = value, value  # it may contain itself
            self.done[id(value)] = value, change(self, value)
        return self.done[id(value)][1]

    def _list(self, value: list[Any]) -> list[Any]:
        for place, one in enumerate(value):
            if type(one) in _CHANGES:
                value[place] = self(one)
        return value

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        for key, one in value.items():
            if type(one) in _CHANGES:
                value[key] = self(one)
        return value

    def _tuple(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(self, value))

    def _array(self, value: PickledArray) -> np.ndarray:
        if value.objects is not None:
            # Assigned one by one: numpy would take lists for further axes.
            flat = np.empty(len(value.objects), object)
            for place, one in enumerate(value.objects):
                flat[place] = self(one)
            value.array[...] = flat.reshape(
                value.array.shape,
                order="C" if value.array.flags.c_contiguous else "F",
            )
        return value.array

    def _type(self, value: PickledType) -> np.dtype:
        return np.dtype(object) if value.holds_objects else value.real()

    def _held(self, value: Held) -> Any:
        return value.value


_CHANGES: dict[type, Callable[[_Resolver, Any], Any]] = {
    list: _Resolver._list,
    dict: _Resolver._dict,
    OrderedDict: _Resolver._dict,
    tuple: _Resolver._tuple,
    PickledArray: _Resolver._array,
    PickledType: _Resolver._type,
    Held: _Resolver._held,
}


def _shape(shape: Any) -> tuple[int, ...]:
    if (
        not isinstance(shape, tuple)
        or len(shape) > _MOST_AXES
        or any(type(length) is not int or length < 0 for length in shape)
    ):
        raise PickleError(f"an array of the shape {_short(shape)}", kind="corrupt")
    return shape


def _check_bytes(shape: tuple[int, ...], kind: np.dtype, present: int) -> None:
    count = math.prod(shape)
    # Numbers of no bytes would be there without end.
    if count * kind.itemsize != present or count > max(present, 1):
        raise PickleError(
            f"an array of shape {shape} and type {kind} with {present} bytes",
            kind="corrupt",
        )


def _short(value: Any) -> str:
    """Never the repr of a container, which may be endless."""
    return f"{value!r:.40}" if isinstance(value, (int, str)) else type(value).__name__
