"""Fast inference with MS-G3D.

MSG3D uses this module in eval mode without gradients:

    model.eval()
    with torch.no_grad():
        features = model(x)

BatchNorms are folded, graphs are summed once, and the features of absent persons are
computed only once. All derived tensors are cached. They are recomputed when the
parameters change, for example after training, loading, moving, casting, or averaging.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from mmengine.model import Sequential
from torch import Tensor, nn

from .batch_norm import fold
from .by_sample import autocast_dtype, without_autocast

if TYPE_CHECKING:
    from .g3d import MultiWindowG3D
    from .ms_tcn import MSTCN
    from .msg3d import MSG3D

# Elements per activation of the first block in a forward pass: fewer add interpreter
# overhead, more leave the cache.
CACHE_ELEMENTS = 1_000_000
# Values compared per tensor, to detect writes that bypass PyTorch's version counter.
COMPARED_VALUES = 16


class FoldedMSG3D(nn.Module):
    """MSG3D for inference, applied to each person separately.

    Args:
        model: an MSG3D.
        dtype: dtype of the matrix products.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, model: "MSG3D", dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.blocks: Any = nn.ModuleList()  # of FoldedBlock
        for parts in model.blocks():
            self.blocks.append(FoldedBlock(*parts).to(dtype))
        # The features of data_bn are ordered (person, joint, channel). They keep their
        # precision because the input may be as large as pixel coordinates.
        scale, shift = fold(model.data_bn)
        shape = (model.num_person, 1, model.graph.num_node, model.in_channels)
        self.register_buffer("scale", scale.view(shape))
        self.register_buffer("shift", shift.view(shape))

    def normalize(self, x: Tensor) -> Tensor:
        """Apply data_bn to x [N, M, T, V, C]."""
        return (x * self.scale + self.shift).to(self.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Map R normalized persons [R, T, V, C] to features [R, T', V, C']."""
        for block in self.blocks:
            x = block(x)
        return x


class FoldedBlock(nn.Module):
    """Block of MSG3D for inference with pathways that add to one tensor."""

    bias: Tensor

    def __init__(self, sgcn: Sequential, gcn3d: "MultiWindowG3D", tcn: "MSTCN") -> None:
        super().__init__()
        self.sgcn = nn.Sequential(*(part.fold() for part in sgcn))
        self.gcn3d: Any = nn.ModuleList(pathway.fold() for pathway in gcn3d.gcn3d)
        self.tcn = tcn.fold()
        bias: Any = sum(pathway.bias for pathway in self.gcn3d)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        out = self.sgcn(x)
        for pathway in self.gcn3d:
            pathway.add_to(out, x)
        return self.tcn(out.add_(self.bias).relu_())


class Inference:
    """Callable that folds an MSG3D, caches the folded form, and runs it.

    Each MSG3D has its own instance. Copying and pickling drop the cache.
    """

    def __init__(self) -> None:
        self.clear()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Inference":
        return Inference()

    def __reduce__(self) -> tuple[type["Inference"], tuple[()]]:
        return Inference, ()

    def clear(self) -> None:
        """Clear the cache."""
        self._sources: list[_Source] = []
        self._values: Tensor | None = None
        self._folded: dict[torch.dtype, FoldedMSG3D] = {}
        # (dtype, T) -> features of an absent person at each index, [M, T', V, C']
        self._absent: dict[tuple[torch.dtype, int], Tensor] = {}

    def __call__(self, model: "MSG3D", x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, M, T', V, C']."""
        device = x.device.type
        mean: Any = model.data_bn.running_mean  # a tensor, see `can_fold`
        dtype, autocast = mean.dtype, autocast_dtype(device)
        if autocast is not None and dtype != torch.float64:
            dtype = autocast
        if not self._is_current(model):
            self.clear()
            self._sources = [_Source(tensor) for tensor in _tensors(model)]
            self._values = self._some_values()
        with without_autocast(x):
            if dtype not in self._folded:
                self._folded[dtype] = FoldedMSG3D(model, dtype)
            return self._run(self._folded[dtype], x)

    def _run(self, folded: FoldedMSG3D, x: Tensor) -> Tensor:
        clips, persons, frames = x.shape[:3]
        rows = folded.normalize(x).flatten(0, 1)  # (N*M, T, V, C)
        present = None if _capturing(x) else (x != 0).flatten(2).any(2)  # (N, M)
        if present is None or present.all():  # NaN counts as present
            return _in_cache(folded, rows).unflatten(0, (clips, persons))
        key = folded.dtype, frames
        if key not in self._absent:
            absent = folded.normalize(torch.zeros_like(x[:1])).flatten(0, 1)
            self._absent = {key: _in_cache(folded, absent)}  # only one T is cached
        constant = self._absent[key]
        out = constant.repeat(clips, 1, 1, 1)
        present = present.flatten().nonzero().flatten()
        if len(present):
            out[present] = _in_cache(folded, rows[present])
        return out.unflatten(0, (clips, persons))

    def _is_current(self, model: nn.Module) -> bool:
        sources = self._sources
        tensors = list(_tensors(model))
        if not sources or len(sources) != len(tensors):
            return False
        if not all(
            source.is_unchanged(t) for source, t in zip(sources, tensors, strict=True)
        ):
            return False
        if _capturing(tensors[0]):
            return True
        values = self._values
        return values is not None and torch.equal(self._some_values(), values)

    def _some_values(self) -> Tensor:
        # NaN differs from itself, so a model with NaN is folded in each call.
        return torch.cat([source.values for source in self._sources])


class _Source:
    """Snapshot of a tensor that keeps the memory, so its address is not reused."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()
        self.address, self.version = tensor.data_ptr(), _version(tensor)
        # A view of current memory: writes to `.data` are not detectable otherwise.
        self.values = self.tensor.flatten()[:COMPARED_VALUES]

    def is_unchanged(self, tensor: Tensor) -> bool:
        return self.address == tensor.data_ptr() and self.version == _version(tensor)


def can_fold(model: nn.Module) -> bool:
    """Return whether the folded form can replace the model's forward pass."""
    if model.training or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    if torch.jit.is_tracing() or getattr(model, "_is_replica", False):
        return False
    if next(model.parameters()).is_meta:  # meta tensors have no values to fold
        return False
    return all(_is_plain(child) for child in model.children())


def _is_plain(module: nn.Module) -> bool:
    if module.training or module._forward_hooks or module._forward_pre_hooks:
        return False
    if isinstance(module, _Norm) and module.running_mean is None:
        return False
    children = module._modules.values()
    return all(child is None or _is_plain(child) for child in children)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    """Yield floating-point parameters and buffers, faster than `nn.Module` does."""
    for tensors in (module._parameters, module._buffers):
        for tensor in tensors.values():
            if tensor is not None and tensor.is_floating_point():
                yield tensor
    for child in module._modules.values():
        if child is not None:
            yield from _tensors(child)


def _in_cache(folded: FoldedMSG3D, rows: Tensor) -> Tensor:
    """Apply `folded` to groups of rows that fit into the CPU cache."""
    if rows.device.type != "cpu" or not len(rows):
        return folded(rows)
    channels = len(folded.blocks[0].bias)
    step = max(1, CACHE_ELEMENTS // (rows.shape[1:3].numel() * channels))
    if step >= len(rows):
        return folded(rows)
    return torch.cat([folded(part) for part in rows.split(step)])


def _capturing(x: Tensor) -> bool:
    """Return whether a CUDA graph is being captured, so values cannot be read."""
    return x.is_cuda and torch.cuda.is_current_stream_capturing()


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


_Norm = nn.modules.batchnorm._BatchNorm
