"""The tensors in a pickle, read as arrays; nothing that a file names is executed."""

import io
import pickle

import torch

from ..datasets.safe_pickle import RefusedGlobal


class _Storage:
    """`torch.storage._load_from_bytes`, for numbers only."""

    __slots__ = ()

    def __call__(self, content: bytes):
        try:
            return torch.load(io.BytesIO(content), weights_only=True)
        except pickle.UnpicklingError:
            # torch's own text takes twenty lines.
            raise RefusedGlobal("more than numbers in a tensor") from None


class _Tensor:
    """`torch._utils._rebuild_tensor_v2`, as an array."""

    __slots__ = ()

    def __call__(self, storage, offset, size, stride, *rest):
        # set_ refuses what lies beyond the storage.
        tensor = torch.empty(0, dtype=storage.dtype)
        tensor = tensor.set_(storage, offset, size, stride)
        # A view may claim one number a billion times, which a copy would write out.
        there = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > there:
            raise pickle.UnpicklingError("a tensor of more numbers than are there")
        return tensor.float().numpy()


# How a pickle names the tensors of a dump.
TORCH = {
    "torch.storage._load_from_bytes": _Storage(),
    "torch._utils._rebuild_tensor_v2": _Tensor(),
}
