"""Distributed training on a machine without CUDA.

MMEngine requires CUDA as soon as there is a launcher. With these fixes `--launcher
pytorch --gpus 2` starts two processes that share the CPU; the config stays as it is.
"""

import atexit

from .replace import replace


def on_cpu() -> bool:
    """Whether MMEngine has only the CPU (no CUDA, NPU, MLU, MUSA, MPS)."""
    from mmengine.device import get_device

    return get_device() == "cpu"


def start_without_cuda() -> None:
    """Initialize the process group with gloo and without a CUDA device.

    MMEngine sets a CUDA device first and asks for the nccl backend, which fails on a
    CPU build: `torch._C has no attribute '_cuda_setDevice'`.
    """
    from mmengine.dist import utils

    if on_cpu():
        for launcher in ("pytorch", "slurm", "mpi"):
            replace(utils, f"_init_dist_{launcher}", _with_gloo)


def _with_gloo(init_dist):
    import torch

    def init(backend, *args, **kwargs):
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


def wrap_without_cuda() -> None:
    """Wrap the model without `device_ids`.

    MMEngine passes `device_ids=[LOCAL_RANK]`, which torch refuses for a model on the
    CPU: `device_ids and output_device arguments only work with
    single-device/multiple-device GPU modules`.
    """
    from mmengine.model import MMDistributedDataParallel

    if on_cpu():
        replace(MMDistributedDataParallel, "__init__", _without_device)


def _without_device(original):
    def __init__(self, module, *args, **kwargs):
        original(self, module, *args, **{**kwargs, "device_ids": None})

    return __init__
