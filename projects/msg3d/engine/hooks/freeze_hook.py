"""Freezing of parameters, in the first epochs or in the entire training."""

from collections.abc import Sequence
from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from ...errors import ConfigError


@HOOKS.register_module()
class FreezeParametersHook(Hook):
    """Freeze parameters by name, in the first epochs or in the entire training.

    The authors of AAGCN train the graphs from the sixth epoch on. MMEngine can set the
    learning rate of parameters by name (`paramwise_cfg`), but not by epoch. Neither
    weight decay nor momentum changes frozen parameters, and no momentum accumulates.
    Their gradients are still computed, as DistributedDataParallel requires. Frozen modules
    are in eval mode, so their BatchNorm statistics do not change either.

    Args:
        names: last components of parameter names, such as 'PA' in AGCN or 'A' in AAGCN;
            or modules, such as 'backbone' or 'backbone.sgcn1'.
        epochs: number of epochs, including those before resuming. By default, all.

    Raises:
        ConfigError: no parameter has one of the names (kind `unknown-name`).

    Example:
        custom_hooks = [dict(type='FreezeParametersHook', names=['PA'], epochs=5)]
        custom_hooks = [dict(type='FreezeParametersHook', names=['backbone'])]
    """

    def __init__(self, names: Sequence[str], epochs: int | None = None) -> None:
        self.names, self.epochs = list(names), epochs
        self._handle: RemovableHandle | None = None
        self._modules: list[nn.Module] = []

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        groups: dict[str, list[nn.Parameter]] = {name: [] for name in self.names}
        for key, parameter in model.named_parameters():
            for name, group in groups.items():
                if key.rpartition(".")[2] == name or f"{key}.".startswith(f"{name}."):
                    group.append(parameter)
        self._modules = [
            module for key, module in model.named_modules() if key in self.names
        ]
        missing = [name for name, parameters in groups.items() if not parameters]
        if missing:
            raise ConfigError(
                f"FreezeParametersHook: {type(model).__name__} has no parameters named "
                f"{', '.join(map(repr, missing))}. Use the last component of the name, "
                "such as 'PA' for 'backbone.gcn.0.gcn.PA', or the name of a module.",
                kind="unknown-name",
                field="names",
            )
        frozen = [parameter for group in groups.values() for parameter in group]

        def clear_gradients(optimizer: Optimizer, *_: Any) -> None:
            for parameter in frozen:
                parameter.grad = None  # optimizers skip parameters without gradient

        optimizer = runner.optim_wrapper.optimizer
        self._handle = optimizer.register_step_pre_hook(clear_gradients)

    def before_train_epoch(self, runner: Runner) -> None:
        if self.epochs is not None and runner.epoch >= self.epochs:
            self._release()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        for module in self._modules:
            if module.training:  # MMEngine sets it at the start of each epoch
                module.eval()

    def after_train(self, runner: Runner) -> None:
        self._release()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
            for module in self._modules:
                module.train()
            self._modules = []
