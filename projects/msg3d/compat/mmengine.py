"""Compatibility fixes for MMEngine with current PyTorch, and without CUDA."""

import atexit
import logging
import pickle
import platform
from collections.abc import Callable
from typing import Any

from .fixes import fix
from .replace import replace, replace_everywhere

STATISTICS = ("min", "max", "mean", "current")
WRAPPER = "mmengine.optim.optimizer.amp_optimizer_wrapper"


@fix("torch", versions="torch>=2.6")
def allow_globals() -> None:
    """Allow the training log in MMEngine's checkpoints (mmengine#1655).

    Checkpoints are read only with PyTorch's safe unpickler, the default since PyTorch
    2.6. This fix allows the class of the log, NumPy arrays and scalars of numbers and
    strings with the names of NumPy 1 and 2, and a `getattr` restricted to the
    statistics of the log. None of these executes code in a file.
    """
    import numpy as np
    import torch

    try:
        from mmengine.logging.history_buffer import HistoryBuffer
    except ImportError:
        return  # torch without MMEngine, for an exported network

    core = getattr(np, "_core" if hasattr(np, "_core") else "core").multiarray
    allowed: list[Any] = [HistoryBuffer, np.ndarray, np.dtype]
    # Pickle stores HistoryBuffer.mean as getattr(HistoryBuffer, "mean").
    allowed.append((_log_statistic, "builtins.getattr"))
    for package in ("numpy.core.multiarray", "numpy._core.multiarray"):
        allowed.append((core._reconstruct, f"{package}._reconstruct"))
        allowed.append((core.scalar, f"{package}.scalar"))
    codes = f"?{np.typecodes['AllInteger']}{np.typecodes['AllFloat']}SU"
    allowed += {type(np.dtype(code)) for code in codes}
    torch.serialization.add_safe_globals(allowed)


def _log_statistic(owner: object, name: str) -> Any:
    """Return a statistic of the log; a restricted `getattr` for checkpoints."""
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    # The wording of PyTorch, which adds more text.
    raise pickle.UnpicklingError(
        f"Unsupported GLOBAL builtins.getattr for {name!r} of {owner!r}"
    )


@fix("mmengine.runner.checkpoint", versions="mmengine<0.11")
def load_urls_safely() -> None:
    """Load checkpoints from URLs as safely as local files.

    MMEngine uses `torch.hub.load_state_dict_from_url`, whose default is still
    `weights_only=False` and which executes code in the downloaded file.
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
    """Return whether MMEngine uses the CPU (no CUDA, NPU, MLU, MUSA, or MPS)."""
    from mmengine.device import get_device

    return get_device() == "cpu"


@fix("mmengine.dist.utils", versions="mmengine<0.11")
def start_without_cuda() -> None:
    """Initialize the process group with gloo and without a CUDA device.

    With a launcher, MMEngine always sets a CUDA device and uses the nccl backend. This
    fails with CPU builds: `torch._C has no attribute '_cuda_setDevice'`.
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
        torch.cuda.set_device = lambda device: None  # only for this call
        try:
            init_dist(backend, *args, **kwargs)
        finally:
            torch.cuda.set_device = set_device
        if backend == "gloo":
            atexit.register(destroy_process_group)

    return init


def destroy_process_group() -> None:
    """Stop gloo's threads before Python exits.

    Otherwise they run until the end of the process, and occasionally one aborts:
    `terminate called without an active exception` (pytorch issue 190489; 2 of 24 runs
    on a busy machine). Slurm then treats the job as failed.
    """
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


@fix("mmengine.model.wrappers.distributed", versions="mmengine<0.11")
def wrap_without_cuda() -> None:
    """Wrap the model without `device_ids`.

    MMEngine passes `device_ids=[LOCAL_RANK]`, which PyTorch rejects on CPU:
    `device_ids and output_device arguments only work with single-device/multiple-device
    GPU modules`.
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
    """Allow `--amp` on CPU with bfloat16 or float16.

    `--amp` asserts CUDA. bfloat16, the default on CPU, has the range of float32. The
    loss then needs no scaling, and the scaler is disabled. With `dtype='float16'`, the
    scaler is enabled. On a CPU without instructions for the data type, a warning says
    that this is slower.
    """
    from mmengine.optim.optimizer.amp_optimizer_wrapper import AmpOptimWrapper

    if on_cpu():
        replace(AmpOptimWrapper, "__init__", _on_cpu)


def _on_cpu(original: Callable) -> Callable:
    from mmengine.logging import print_log
    from mmengine.optim.optimizer import amp_optimizer_wrapper as module
    from torch.amp import GradScaler

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        name = str(kwargs.get("dtype") or "bfloat16").removeprefix("torch.")
        scaled = name == "float16"
        if name in ("bfloat16", "float16") and not has_instructions(name):
            print_log(
                f"this CPU has no instructions for {name}, so mixed precision is slower "
                "than float32. Omit --amp (optim_wrapper.type=OptimWrapper).",
                logger="current",
                level=logging.WARNING,
            )
        # Patch the assertion and the scaler in the module only for this call.
        original_values = module.is_cuda_available, module.GradScaler
        module.is_cuda_available = lambda: True
        module.GradScaler = lambda **options: GradScaler(
            "cpu", **options, enabled=scaled
        )
        try:
            original(self, *args, **kwargs)
        finally:
            module.is_cuda_available, module.GradScaler = original_values

    return __init__


def has_instructions(dtype: str) -> bool:
    """Return whether this CPU has instructions for products of bfloat16 or float16."""
    import torch

    if dtype == "bfloat16" and platform.machine() in ("x86_64", "AMD64"):
        # oneDNN also emulates bfloat16 with AVX-512, without a gain.
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        checks = [getattr(torch.cpu, name, None) for name in names]
    else:
        short = {"bfloat16": "bf16", "float16": "fp16"}[dtype]
        checks = [getattr(torch.ops.mkldnn, f"_is_mkldnn_{short}_supported", None)]
    # Unknown if this version or build of PyTorch has no check.
    return any(check is None or check() for check in checks)


@fix("mmengine.runner.amp", versions="mmengine<0.11")
def allow_float16_without_cuda() -> None:
    """Allow autocast to float16 on CPU, where MMEngine supports only bfloat16."""
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
