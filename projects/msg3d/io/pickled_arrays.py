"""Stand-ins for the globals in pickles of NumPy arrays and plain data.

The `__setstate__` of NumPy's classes trusts the file. A forged dtype makes NumPy
dereference pointers in the file, and an array of objects allocates the memory that its
shape claims. Therefore the unpickler uses the stand-ins below. `resolve` replaces them with
arrays after the file has been read.
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
_MAX_AXES = 32
# The location of this function depends on the version of NumPy.
_scalar = cast(Callable[[np.dtype, bytes], np.generic], np.float64(0).__reduce__()[0])


class PickledType:
    """Stand-in for a `numpy.dtype`. A file can set only its state."""

    __slots__ = ("code", "state")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # not a dictionary key

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise PickleError(
                f"an array has unknown dtype {_short(code)}", kind="corrupt"
            )
        self.code = code
        self.state: tuple[Any, ...] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    @property
    def holds_objects(self) -> bool:
        return self.code[0] == "O"

    def real(self) -> np.dtype:
        """Return the dtype, built from the description in the file.

        Raises:
            Exception: the description is invalid.
        """
        if self.holds_objects:
            raise PickleError("expected numbers or text, got objects", kind="corrupt")
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
                raise PickleError("a time has an unknown unit", kind="corrupt")
            if unit != "generic":
                kind = np.dtype(f"{kind.kind}8[{count}{unit}]")
        if order not in _ORDERS:
            raise PickleError("numbers have an unknown byte order", kind="corrupt")
        return kind.newbyteorder(order)


class PickledArray:
    """Stand-in for a `numpy.ndarray` until the file has been read."""

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
            raise PickleError("an array has no dtype", kind="corrupt")
        if kind.holds_objects:
            if type(values) is not list or len(values) != math.prod(shape):
                raise PickleError(
                    f"an array of shape {shape} has {len(values)} objects",
                    kind="corrupt",
                )
            self.array = np.empty(shape, object, order)
            self.objects = values
            return
        if isinstance(values, str):  # bytes of Python 2
            values = values.encode("latin-1")
        real = kind.real()
        _check_bytes(shape, real, len(values))
        array = np.ndarray(shape, real, bytearray(values), order=order)
        # Convert to the native byte order, as NumPy does.
        self.array = array if real.isnative else array.astype(real.newbyteorder("="))


class Placeholder:
    """Stand-in for any other object until the file has been read.

    Without it, a file could modify the object through `__setstate__` or attributes.
    """

    __slots__ = ("value",)
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = value

    def __setstate__(self, state: Any) -> None:
        raise PickleError("the file modifies an object", kind="corrupt")


class FromBuffer:
    """Stand-in for `numpy.core.numeric._frombuffer`, which creates arrays (protocol 5)."""

    __slots__ = ()

    def __call__(
        self, buffer: Any, kind: Any, shape: Any, order: Any, axis_order: Any = None
    ) -> np.ndarray:
        real, shape = kind.real(), _shape(shape)
        _check_bytes(shape, real, memoryview(buffer).nbytes)
        array = np.ndarray(shape, real, buffer, order=order or "C")
        return array if axis_order is None else array.transpose(axis_order)


class Scalar:
    """Stand-in for `numpy.core.multiarray.scalar`, which creates scalars from bytes."""

    __slots__ = ()

    def __call__(self, kind: Any, value: Any) -> np.generic:
        real = kind.real()
        if not isinstance(value, bytes) or len(value) != real.itemsize:
            raise PickleError("a scalar is invalid", kind="corrupt")
        return _scalar(real, value)


class _Array:
    """Stand-in for `numpy.ndarray`, which a file must not call."""

    __slots__ = ()


class _Reconstruct:
    """Stand-in for `numpy.core.multiarray._reconstruct`, which creates empty arrays."""

    __slots__ = ()

    def __call__(self, subtype: Any, shape: Any, typecode: Any) -> PickledArray:
        if subtype is not _ARRAY or shape != (0,):
            raise PickleError("an array has an unknown class", kind="corrupt")
        return PickledArray()


class _Type:
    """Stand-in for `numpy.dtype`, without attributes that a file could access."""

    __slots__ = ()

    def __call__(self, *args: Any) -> PickledType:
        return PickledType(*args)


class _Latin1:
    """Stand-in for `codecs.encode`, which creates bytes in protocols below 3."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> Any:
        if encoding not in ("latin1", "latin-1"):
            raise PickleError(
                f"bytes have unsupported encoding {_short(encoding)}", kind="corrupt"
            )
        return text.encode("latin-1")


class _NoBytes:
    """Stand-in for `builtins.bytes()`, which creates empty bytes in protocols below 3."""

    __slots__ = ()

    def __call__(self) -> bytes:
        return b""


_ARRAY = _Array()
# Supported globals -> stand-ins.
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


def resolve(data: Any) -> Any:
    """Replace the stand-ins in unpickled data with arrays and dtypes.

    Lists and dictionaries are modified in place. Each object is visited only once.

    Raises:
        PickleError: containers are nested deeper than Python's recursion limit.
    """
    try:
        return _Resolver()(data)
    except RecursionError:
        raise PickleError("containers are nested too deeply", kind="corrupt") from None


class _Resolver:
    def __init__(self) -> None:
        # id -> (value, result). Storing the value keeps its id from being reused.
        self.done: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        resolver = _RESOLVERS.get(type(value))
        if resolver is None:
            return value
        if id(value) not in self.done:
            self.done[id(value)] = value, value  # the value may contain itself
            self.done[id(value)] = value, resolver(self, value)
        return self.done[id(value)][1]

    def _list(self, value: list[Any]) -> list[Any]:
        for index, item in enumerate(value):
            if type(item) in _RESOLVERS:
                value[index] = self(item)
        return value

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        for key, item in value.items():
            if type(item) in _RESOLVERS:
                value[key] = self(item)
        return value

    def _tuple(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(self, value))

    def _array(self, value: PickledArray) -> np.ndarray:
        if value.objects is not None:
            # Assigned one by one, because NumPy would convert lists to more axes.
            flat = np.empty(len(value.objects), object)
            for index, item in enumerate(value.objects):
                flat[index] = self(item)
            value.array[...] = flat.reshape(
                value.array.shape,
                order="C" if value.array.flags.c_contiguous else "F",
            )
        return value.array

    def _type(self, value: PickledType) -> np.dtype:
        return np.dtype(object) if value.holds_objects else value.real()

    def _placeholder(self, value: Placeholder) -> Any:
        return value.value


_RESOLVERS: dict[type, Callable[[_Resolver, Any], Any]] = {
    list: _Resolver._list,
    dict: _Resolver._dict,
    OrderedDict: _Resolver._dict,
    tuple: _Resolver._tuple,
    PickledArray: _Resolver._array,
    PickledType: _Resolver._type,
    Placeholder: _Resolver._placeholder,
}


def _shape(shape: Any) -> tuple[int, ...]:
    if (
        not isinstance(shape, tuple)
        or len(shape) > _MAX_AXES
        or any(type(length) is not int or length < 0 for length in shape)
    ):
        raise PickleError(f"an array has invalid shape {_short(shape)}", kind="corrupt")
    return shape


def _check_bytes(shape: tuple[int, ...], kind: np.dtype, available: int) -> None:
    count = math.prod(shape)
    # Elements of zero bytes could have any shape.
    if count * kind.itemsize != available or count > max(available, 1):
        raise PickleError(
            f"an array of shape {shape} and dtype {kind} has {available} bytes",
            kind="corrupt",
        )


def _short(value: Any) -> str:
    """Return the repr of an integer or text, shortened, or the type of other values."""
    return f"{value!r:.40}" if isinstance(value, (int, str)) else type(value).__name__
