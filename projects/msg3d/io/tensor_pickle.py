"""The tensors in a pickle, or arrays of them; nothing that a file names is executed."""

import io
import pickle
import re

import torch

from .pickled_arrays import Held
from .safe_pickle import RefusedGlobal


class _Storage:
    """`torch.storage._load_from_bytes`, for numbers only."""

    __slots__ = ()

    def __call__(self, content: bytes):
        try:
            return torch.load(io.BytesIO(content), weights_only=True)
        except pickle.UnpicklingError as error:
            # torch's own text takes twenty lines; the cause is in one of them.
            asked = re.search(r"GLOBAL (\S+)", str(error))
            if asked:
                raise RefusedGlobal(asked[1]) from None
            raise pickle.UnpicklingError("a tensor that cannot be read") from None


class _Tensor:
    """`torch._utils._rebuild_tensor_v2`."""

    __slots__ = ()

    def __call__(self, storage, offset, size, stride, *rest):
        return Held(self.made(storage, offset, size, stride))

    def made(self, storage, offset, size, stride):
        # set_ refuses what lies beyond the storage.
        tensor = torch.empty(0, dtype=storage.dtype)
        tensor = tensor.set_(storage, offset, size, stride)
        # A view may claim one number a billion times, which a copy would write out.
        there = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > there:
            raise pickle.UnpicklingError("a tensor of more numbers than are there")
        return tensor


class _Array(_Tensor):
    """The same, as an array."""

    __slots__ = ()

    def made(self, storage, offset, size, stride):
        return super().made(storage, offset, size, stride).float().numpy()


# How a pickle names the tensors of a dump: what is called for each to have tensors, and
# to have arrays of float32.
_NAME, _STORAGE = "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes"
TENSORS = {_STORAGE: _Storage(), _NAME: _Tensor()}
ARRAYS = {_STORAGE: _Storage(), _NAME: _Array()}
