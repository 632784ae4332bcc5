"""Several processes on a machine without CUDA.

MMEngine takes CUDA for granted as soon as there is a launcher. `--launcher pytorch
--gpus 2` then means two processes that share the CPU; the config stays as it is.
"""

import atexit

from .replace import replace


def on_cpu() -> bool:
    """Whether MMEngine has nothing but the CPU (no CUDA, NPU, MLU, MUSA, MPS)."""
    from mmengine.device import get_device

    return get_device() == "cpu"


def start_without_cuda() -> None:
    """MMEngine sets a CUDA device first of all, and asks for the nccl backend.

    On a CPU build that ends in `torch._C has no attribute '_cuda_setDevice'`. There is
    no device to set, and the backend is gloo.
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
    """Ends gloo's threads before Python ends.

    MMEngine leaves them to the end of the process, where now and then one aborts, its
    work done: `terminate called without an active exception` (pytorch issue 190489; 2
    of 24 on a busy machine). Slurm then takes the whole job for a failure.
    """
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


def wrap_without_cuda() -> None:
    """MMEngine wraps the model with `device_ids=[LOCAL_RANK]`.

    torch refuses those for a model on the CPU, `device_ids and output_device arguments
    only work with single-device/multiple-device GPU modules`.
    """
    from mmengine.model import MMDistributedDataParallel

    if on_cpu():
        replace(MMDistributedDataParallel, "__init__", _without_device)


def _without_device(original):
    def __init__(self, module, *args, **kwargs):
        original(self, module, *args, **{**kwargs, "device_ids": None})

    return __init__
