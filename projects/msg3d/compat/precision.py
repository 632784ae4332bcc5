"""Mixed precision without CUDA, and in bfloat16."""

from .distributed import on_cpu
from .replace import replace


def allow_amp_without_cuda() -> None:
    """Allow `--amp` on the CPU, in bfloat16 or float16.

    `--amp` asserts CUDA, and MMEngine's autocast supports the CPU in bfloat16 only,
    which is the default there. Its range is that of float32: the loss needs no scaling,
    and the scaler is disabled. `dtype='float16'` works too, with a scaler.
    """
    from mmengine.optim import AmpOptimWrapper
    from mmengine.runner import amp

    if on_cpu():
        replace(AmpOptimWrapper, "__init__", _on_cpu)
        replace(amp, "autocast", _in_float16_too)


def _on_cpu(original):
    import torch
    from mmengine.optim.optimizer import amp_optimizer_wrapper as module
    from torch.amp import GradScaler

    def __init__(self, *args, **kwargs):
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


def _in_float16_too(original):
    import torch

    def autocast(device_type=None, dtype=None, **kwargs):
        if device_type in (None, "cpu") and dtype == torch.float16:
            return torch.autocast("cpu", dtype=dtype, **kwargs)
        return original(device_type=device_type, dtype=dtype, **kwargs)

    return autocast


def allow_bfloat16_scores() -> None:
    """Convert scores to float32 before accuracy, loss, and prediction.

    BaseHead passes them to NumPy, which has no bfloat16: `Got unsupported ScalarType
    BFloat16`.
    """
    import torch
    from mmaction.models.heads import BaseHead

    try:
        torch.zeros(1, dtype=torch.bfloat16).numpy()
    except TypeError:
        replace(BaseHead, "loss_by_feat", _in_float32)
        replace(BaseHead, "predict_by_feat", _in_float32)


def _in_float32(original):
    import torch

    def by_feat(self, cls_scores, *args, **kwargs):
        if getattr(cls_scores, "dtype", None) == torch.bfloat16:
            cls_scores = cls_scores.float()
        return original(self, cls_scores, *args, **kwargs)

    return by_feat
