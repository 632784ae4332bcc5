"""Parameters that wait for some epochs before they learn."""

from typing import Sequence

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.optim import Optimizer


@HOOKS.register_module()
class FreezeParametersHook(Hook):
    """Keep the parameters of some names as they are for the first epochs.

    AAGCN's authors train the graphs only from the sixth epoch. MMEngine can change a
    parameter's rate by its name (`paramwise_cfg`), but not from some epoch on. Frozen
    is frozen: neither weight decay nor momentum moves the parameters, and none has
    gathered when they begin. Their gradients are still computed, so that nothing
    changes for DistributedDataParallel.

    Args:
        names: last parts of parameters' names: 'PA' in AGCN, 'A' in AAGCN.
        epochs: how many, counted from the first; a resumed run goes on counting.

    Raises:
        ValueError: the model has no parameter of one of these names.

    Example:
        custom_hooks = [dict(type='FreezeParametersHook', names=['PA'], epochs=5)]
    """

    def __init__(self, names: Sequence[str], epochs: int) -> None:
        self.names, self.epochs = list(names), epochs
        self._handle = None

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        found = {name: [] for name in self.names}
        for key, parameter in model.named_parameters():
            found.get(key.rpartition(".")[2], []).append(parameter)
        missing = [name for name, parameters in found.items() if not parameters]
        if missing:
            raise ValueError(
                f"FreezeParametersHook: no parameter of {type(model).__name__} is "
                f"called {missing}: name the last part of its name, as 'PA' for "
                "'backbone.gcn.0.gcn.PA'"
            )
        frozen = [parameter for group in found.values() for parameter in group]

        def forget_gradients(optimizer: Optimizer, *_) -> None:
            for parameter in frozen:
                parameter.grad = None  # an optimizer passes these over

        optimizer = runner.optim_wrapper.optimizer
        self._handle = optimizer.register_step_pre_hook(forget_gradients)

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch >= self.epochs:
            self._release()

    def after_train(self, runner: Runner) -> None:
        self._release()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
