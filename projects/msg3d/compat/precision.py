"""Mixed precision without CUDA, and in bfloat16."""

from .distributed import on_cpu
from .replace import replace


def allow_amp_without_cuda() -> None:
    """`--amp` asserts CUDA, though MMEngine's autocast knows the CPU.

    There it is bfloat16, whose range is float32's: the loss needs no scaling, and the
    scaler is one that is off.
    """
    from mmengine.optim import AmpOptimWrapper

    if on_cpu():
        replace(AmpOptimWrapper, "__init__", _on_cpu)


def _on_cpu(original):
    from mmengine.optim.optimizer import amp_optimizer_wrapper as module
    from torch.amp import GradScaler

    def __init__(self, *args, **kwargs):
        # The assertion and the scaler are looked up in the module: for this call only.
        known = module.is_cuda_available, module.GradScaler
        module.is_cuda_available = lambda: True
        module.GradScaler = lambda **options: GradScaler("cpu", enabled=False)
        try:
            original(self, *args, **kwargs)
        finally:
            module.is_cuda_available, module.GradScaler = known

    return __init__


def allow_bfloat16_scores() -> None:
    """BaseHead hands scores to NumPy, which has no bfloat16: `Got unsupported
    ScalarType BFloat16`. They become float32 before accuracy, loss and prediction.
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
