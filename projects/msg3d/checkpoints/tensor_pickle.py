"""Stand-ins for the tensors in a pickle; nothing that a file names is executed."""

import io
import re
from typing import TYPE_CHECKING, Any

from ..errors import PickleError
from ..io.pickled_arrays import Placeholder

if TYPE_CHECKING:
    import torch

__all__ = ["ARRAYS", "TENSORS"]


class _Storage:
    """`torch.storage._load_from_bytes`, for numbers only."""

    __slots__ = ()

    def __call__(self, content: bytes) -> Any:
        import torch

        try:
            return torch.load(io.BytesIO(content), weights_only=True)
        # Damage raises whatever the part of torch that meets it raises.
        except Exception as error:
            # torch's own text takes twenty lines; the cause is in one of them.
            asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked:
            raise PickleError(
                f"asks to import {asked[1]:.200}, which tensors do not need. Nothing was "
                "executed.",
                kind="unsafe",
            )
        raise PickleError("a tensor that cannot be read", kind="corrupt")


class _Tensor:
    """`torch._utils._rebuild_tensor_v2`."""

    __slots__ = ()

    def __call__(
        self,
        storage: "torch.TypedStorage",
        offset: int,
        size: tuple[int, ...],
        stride: tuple[int, ...],
        *rest: object,
    ) -> Placeholder:
        return Placeholder(_tensor(storage, offset, size, stride))


class _Array:
    """The same, as an array of float32."""

    __slots__ = ()

    def __call__(
        self,
        storage: "torch.TypedStorage",
        offset: int,
        size: tuple[int, ...],
        stride: tuple[int, ...],
        *rest: object,
    ) -> Placeholder:
        return Placeholder(_tensor(storage, offset, size, stride).float().numpy())


def _tensor(
    storage: "torch.TypedStorage",
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
) -> "torch.Tensor":
    import torch

    # set_ refuses what lies beyond the storage.
    tensor = torch.empty(0, dtype=storage.dtype)
    tensor = tensor.set_(storage, offset, size, stride)
    # A view may claim one number a billion times, which a copy would write out.
    present = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > present:
        raise PickleError("a tensor of more numbers than it has", kind="too-large")
    return tensor


# The globals of a pickled tensor -> what is called instead, to get tensors or arrays.
_NAME, _STORAGE = "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes"
TENSORS = {_STORAGE: _Storage(), _NAME: _Tensor()}
ARRAYS = {_STORAGE: _Storage(), _NAME: _Array()}
