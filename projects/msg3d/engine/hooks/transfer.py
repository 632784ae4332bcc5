"""Transfer of the weights of `load_from` to the network of a training run."""

from typing import Any

from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ...checkpoints.adapt import adapt_weights
from ...checkpoints.stored_config import stored_config
from ...errors import MSG3DError


def transfer_weights(runner: Runner, checkpoint: dict) -> None:
    """Adapt the weights of `load_from` to the network, and log what was transferred."""
    model = unwrapped(runner.model)
    meta = checkpoint.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    known = (meta.get("dataset_meta") or {}).get("classes")
    own = runner.train_dataloader.dataset.metainfo.get("classes")
    backbone = getattr(model, "backbone", None)
    try:
        weights, transfer = adapt_weights(
            tensors_of(checkpoint),
            model.state_dict(),
            [name for name, _ in model.named_buffers()],
            _layout_of(meta, runner._load_from),
            getattr(getattr(backbone, "graph", None), "layout", None),
            known is None or own is None or list(known) == list(own),
            getattr(backbone, "in_channels", 3),
        )
    except MSG3DError as error:
        raise error.at(file=runner._load_from) from None
    runner.logger.info(f"weights of {runner._load_from}: {transfer.summary()}")
    checkpoint.pop("state_dict", None)
    checkpoint["state_dict"] = weights


def _layout_of(meta: dict, file: str) -> Any:
    """Return the layout in the config of a checkpoint; None without config."""
    try:
        backbone = stored_config(meta, file).model.backbone
        return backbone.graph_cfg.get("layout", "coco")
    except (MSG3DError, AttributeError, KeyError):
        return None


def tensors_of(checkpoint: dict) -> dict[str, Tensor]:
    """Return the weights in a checkpoint by name, as MMEngine interprets the file."""
    return {
        key.removeprefix("module."): value
        for key, value in checkpoint.get("state_dict", checkpoint).items()
        if isinstance(value, Tensor)
    }


def unwrapped(model: nn.Module) -> BaseModel:
    """Return a model without its wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model
