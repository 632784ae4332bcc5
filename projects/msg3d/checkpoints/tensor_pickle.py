"""Safe replacements for the functions that create tensors in a pickle."""

import io
import re
from typing import TYPE_CHECKING, Any

from ..errors import PickleError
from ..io.pickled_arrays import Placeholder

if TYPE_CHECKING:
    import torch

__all__ = ["ARRAYS", "TENSORS"]


class _Storage:
    """Replacement for `torch.storage._load_from_bytes` that loads only numbers."""

    __slots__ = ()

    def __call__(self, content: bytes) -> Any:
        import torch

        try:
            return torch.load(io.BytesIO(content), weights_only=True)
        # Corrupt data raises exceptions of many types in PyTorch.
        except Exception as error:
            # PyTorch's message has twenty lines, one of which contains the cause.
            requested = re.search(r"GLOBAL (\S+)", str(error))
        if requested:
            raise PickleError(
                f"a tensor imports {requested[1]:.200}, which tensors do not require. "
                "No code was executed.",
                kind="unsafe",
            )
        raise PickleError("a tensor is corrupt", kind="corrupt")


class _Tensor:
    """Replacement for `torch._utils._rebuild_tensor_v2`."""

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
    """Replacement for `torch._utils._rebuild_tensor_v2` that returns float32 arrays."""

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

    # set_ rejects sizes beyond the storage.
    tensor = torch.empty(0, dtype=storage.dtype)
    tensor = tensor.set_(storage, offset, size, stride)
    # An expanded view of one value may have a billion elements, which a copy allocates.
    available = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > available:
        raise PickleError("a tensor is larger than its storage", kind="too-large")
    return tensor


# Globals of a pickled tensor -> replacement, to get tensors or arrays.
_NAME, _STORAGE = "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes"
TENSORS = {_STORAGE: _Storage(), _NAME: _Tensor()}
ARRAYS = {_STORAGE: _Storage(), _NAME: _Array()}
