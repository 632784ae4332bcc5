"""Fixes for MMEngine: checkpoints with current torch, and machines without CUDA."""

import atexit
import pickle
from collections.abc import Callable
from typing import Any

from .fixes import fix
from .replace import replace, replace_everywhere

STATISTICS = ("min", "max", "mean", "current")
WRAPPER = "mmengine.optim.optimizer.amp_optimizer_wrapper"


@fix("torch", versions="torch>=2.6")
def allow_globals() -> None:
    """Allow the training log that MMEngine's checkpoints contain (mmengine#1655).

    torch's safe unpickler, its default since 2.6, is the only reader of checkpoints.
    Allowed are the log's own class, NumPy's arrays and scalars of numbers and strings
    under the names of NumPy 1 and 2, and a `getattr` that knows the log's statistics
    and nothing else. None of them runs code that a file contains.
    """
    import numpy as np
    import torch

    try:
        from mmengine.logging.history_buffer import HistoryBuffer
    except ImportError:
        return  # torch is used without MMEngine, for an exported network

    core = getattr(np, "_core" if hasattr(np, "_core") else "core").multiarray
    allowed: list[Any] = [HistoryBuffer, np.ndarray, np.dtype]
    # Pickle asks for getattr(HistoryBuffer, "mean") where it means HistoryBuffer.mean.
    allowed.append((_log_statistic, "builtins.getattr"))
    for package in ("numpy.core.multiarray", "numpy._core.multiarray"):
        allowed.append((core._reconstruct, f"{package}._reconstruct"))
        allowed.append((core.scalar, f"{package}.scalar"))
    codes = f"?{np.typecodes['AllInteger']}{np.typecodes['AllFloat']}SU"
    allowed += {type(np.dtype(code)) for code in codes}
    torch.serialization.add_safe_globals(allowed)


def _log_statistic(owner: object, name: str) -> Any:
    """The `getattr` of checkpoints."""
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    # In the words of torch, which puts its own text around them.
    raise pickle.UnpicklingError(
        f"Unsupported GLOBAL builtins.getattr for {name!r} of {owner!r}"
    )


@fix("mmengine.runner.checkpoint", versions="mmengine<0.11")
def load_urls_safely() -> None:
    """Read a checkpoint from a URL as safely as one from a file.

    MMEngine loads these with `torch.hub.load_state_dict_from_url`, whose default is
    still `weights_only=False`: it would execute what the downloaded file asks for.
    """
    import inspect

    from mmengine.runner import checkpoint

    default = inspect.signature(checkpoint.load_url).parameters["weights_only"].default
    if default is not True:
        replace(checkpoint, "load_url", _weights_only)


def _weights_only(load_url: Callable) -> Callable:
    def load(*args: Any, **kwargs: Any) -> Any:
        return load_url(*args, **{**kwargs, "weights_only": True})

    return load


def on_cpu() -> bool:
    """Return whether MMEngine has only the CPU (no CUDA, NPU, MLU, MUSA, MPS)."""
    from mmengine.device import get_device

    return get_device() == "cpu"


@fix("mmengine.dist.utils", versions="mmengine<0.11")
def start_without_cuda() -> None:
    """Initialize the process group with gloo and without a CUDA device.

    MMEngine requires CUDA as soon as there is a launcher: it sets a device and asks for
    the nccl backend, which fails on a CPU build: `torch._C has no attribute
    '_cuda_setDevice'`.
    """
    from mmengine.dist import utils

    if on_cpu():
        for launcher in ("pytorch", "slurm", "mpi"):
            replace(utils, f"_init_dist_{launcher}", _with_gloo)


def _with_gloo(init_dist: Callable) -> Callable:
    import torch

    def init(backend: str, *args: Any, **kwargs: Any) -> None:
        backend = "gloo" if backend == "nccl" else backend
        set_device = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None  # for this call only
        try:
            init_dist(backend, *args, **kwargs)
        finally:
            torch.cuda.set_device = set_device
        if backend == "gloo":
            atexit.register(leave)

    return init


def leave() -> None:
    """End gloo's threads before Python ends.

    MMEngine leaves them to the end of the process, where one occasionally aborts after
    its work is done: `terminate called without an active exception` (pytorch issue
    190489; 2 of 24 on a busy machine). Slurm then treats the job as failed.
    """
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


@fix("mmengine.model.wrappers.distributed", versions="mmengine<0.11")
def wrap_without_cuda() -> None:
    """Wrap the model without `device_ids`.

    MMEngine passes `device_ids=[LOCAL_RANK]`, which torch refuses for a model on the
    CPU: `device_ids and output_device arguments only work with
    single-device/multiple-device GPU modules`.
    """
    from mmengine.model.wrappers.distributed import MMDistributedDataParallel

    if on_cpu():
        replace(MMDistributedDataParallel, "__init__", _without_device)


def _without_device(original: Callable) -> Callable:
    def __init__(self: Any, module: Any, *args: Any, **kwargs: Any) -> None:
        original(self, module, *args, **{**kwargs, "device_ids": None})

    return __init__


@fix(WRAPPER, versions="mmengine<0.11")
def allow_amp_without_cuda() -> None:
    """Allow `--amp` on the CPU, in bfloat16 or float16.

    `--amp` asserts CUDA. In bfloat16, the default on the CPU, the range is that of
    float32: the loss needs no scaling, and the scaler is disabled. `dtype='float16'`
    works too, with a scaler.
    """
    from mmengine.optim.optimizer.amp_optimizer_wrapper import AmpOptimWrapper

    if on_cpu():
        replace(AmpOptimWrapper, "__init__", _on_cpu)


def _on_cpu(original: Callable) -> Callable:
    import torch
    from mmengine.optim.optimizer import amp_optimizer_wrapper as module
    from torch.amp import GradScaler

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        # The assertion and the scaler are looked up in the module: for this call only.
        known = module.is_cuda_available, module.GradScaler
        scaled = kwargs.get("dtype") in ("float16", torch.float16)
        module.is_cuda_available = lambda: True
        module.GradScaler = lambda **options: GradScaler(
            "cpu", **options, enabled=scaled
        )
        try:
            original(self, *args, **kwargs)
        finally:
            module.is_cuda_available, module.GradScaler = known

    return __init__


@fix("mmengine.runner.amp", versions="mmengine<0.11")
def allow_float16_without_cuda() -> None:
    """Compute in float16 on the CPU: MMEngine's autocast knows only bfloat16 there."""
    from mmengine.runner import amp

    if on_cpu():
        replace_everywhere(amp, "autocast", _in_float16_too)


def _in_float16_too(original: Callable) -> Callable:
    import torch

    def autocast(
        device_type: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> Any:
        if device_type in (None, "cpu") and dtype == torch.float16:
            return torch.autocast("cpu", dtype=dtype, **kwargs)
        return original(device_type=device_type, dtype=dtype, **kwargs)

    return autocast
