"""Training that is asked to leave saves a checkpoint first.

A scheduler that needs the machine sends a signal some time before it kills: Slurm
SIGTERM at preemption, scancel and the time limit, and whatever `--signal` names before
that; Kubernetes and `torchrun` SIGTERM.
"""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..io.atomic import whole_file

# Windows has no SIGUSR1.
SIGNALS = {s for s in signal.Signals if s.name in ("SIGTERM", "SIGUSR1")}
FILE = "preempted.pth"


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save a checkpoint and end the run when it gets SIGTERM or SIGUSR1.

    After the iteration that is under way, `preempted.pth` is written to work_dir and
    named in `last_checkpoint`, so that `--resume` goes on from it; with `StepSeedHook`
    exactly as if nothing had happened. Then the process exits with 128 plus the
    signal's number, as shells count: 143 or 138, which is neither the 0 of a finished
    run nor the 1 of a failed one.

    It is enough that one process of a distributed run gets the signal: the processes
    agree after each iteration. A validation that is under way is run to its end first.

    For loops by epoch (`EpochBasedTrainLoop`) in the main thread, on Linux; others are
    left alone.
    """

    priority = "LOWEST"  # after schedules have stepped and averages are taken

    def __init__(self) -> None:
        self._signal = 0
        self._former = {}  # handlers, by signal

    def before_train(self, runner: Runner) -> None:
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        main = threading.current_thread() is threading.main_thread()
        if not (by_epoch and main and hasattr(signal, "sigwaitinfo")):
            return
        # Blocked, since the loaders' workers inherit that (see _stay), and handled
        # nevertheless: threads that are there already do not block.
        self._former = {s: signal.signal(s, self._remember) for s in SIGNALS}
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for loop in (runner.train_loop, runner.val_loop):
            loader = getattr(loop, "dataloader", None)
            if loader is not None:
                loader.worker_init_fn = partial(_stay, loader.worker_init_fn)

    def _remember(self, number: int, frame) -> None:
        self._signal = number

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        if not self._former:
            return
        number = max({self._signal} | signal.sigpending() & SIGNALS)
        if get_world_size() > 1:
            agreed = torch.tensor(number)
            all_reduce(agreed, op="max")
            number = int(agreed)
        if number:
            self._leave(runner, number)

    def _leave(self, runner: Runner, number: int) -> None:
        path = os.path.join(runner.work_dir, FILE)
        runner.save_checkpoint(
            runner.work_dir,
            FILE,
            by_epoch=False,
            backend_args=dict(backend="whole_file"),
        )
        if is_main_process():
            named = os.path.join(runner.work_dir, "last_checkpoint")
            with whole_file(named, "x") as file:
                file.write(path)
        # Whoever exits first may have the others killed.
        barrier()
        runner.logger.warning(
            f"{signal.Signals(number).name} after iteration {runner.iter + 1}: wrote "
            f"{path} and leave; --resume goes on from there"
        )
        self.after_train(runner)
        raise SystemExit(128 + number)

    def after_train(self, runner: Runner) -> None:
        if self._former:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()


def _stay(worker_init_fn: Callable | None, worker_id: int) -> None:
    """Lets a loader's worker outlive the signals of others than its parent.

    Slurm signals all processes of a task. Workers would die of it, and the run with
    them. They have inherited that the signals are blocked, in all their threads, and
    must end all the same when the loader terminates them.
    """
    if worker_init_fn is not None:
        worker_init_fn(worker_id)
    threading.Thread(target=_end_with_parent_alone, daemon=True).start()


def _end_with_parent_alone() -> None:
    while signal.sigwaitinfo(SIGNALS).si_pid != os.getppid():
        pass
    os._exit(0)
