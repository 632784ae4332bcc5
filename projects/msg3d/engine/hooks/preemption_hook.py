"""Save a checkpoint when the job is preempted.

Schedulers send a signal before they kill a job: Slurm sends SIGTERM on preemption,
`scancel`, and timeout (or the signal set by `--signal`); Kubernetes and torchrun send
SIGTERM.
"""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from locale import getpreferredencoding
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...io.atomic import whole_file

# Windows has no SIGUSR1.
SIGNALS = {s for s in signal.Signals if s.name in ("SIGTERM", "SIGUSR1")}
FILE = "preempted.pth"


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save a checkpoint and end the run when it receives SIGTERM or SIGUSR1.

    After the current iteration, `preempted.pth` is written to work_dir and named in
    `last_checkpoint`, so that `--resume` continues from it; with `StepSeedHook`, bit for
    bit. Then the process exits with 128 plus the signal's number, as in shells: 143 or
    138, which differs from the 0 of a finished run and the 1 of a failed one.

    It suffices that one process of a distributed run receives the signal: the processes
    agree after each iteration. A running validation is completed first.

    Only for loops by epoch (`EpochBasedTrainLoop`) in the main thread, on Linux.
    """

    priority = "LOWEST"  # after schedules have stepped and averages are taken

    def __init__(self) -> None:
        self._signal = 0
        self._former: dict[signal.Signals, Any] = {}  # handlers

    def before_train(self, runner: Runner) -> None:
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        main = threading.current_thread() is threading.main_thread()
        if not (by_epoch and main and hasattr(signal, "sigwaitinfo")):
            return
        # Blocked, since the loaders' workers inherit that (see _stay), and also handled:
        # threads that exist already do not block.
        self._former = {s: signal.signal(s, self._remember) for s in SIGNALS}
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for loop in (runner.train_loop, runner.val_loop):
            loader = getattr(loop, "dataloader", None)
            if loader is not None:
                loader.worker_init_fn = partial(_stay, loader.worker_init_fn)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._signal = number

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        if not self._former:
            return
        number = max({self._signal} | signal.sigpending() & SIGNALS)
        if get_world_size() > 1:
            agreed = torch.tensor(number)
            all_reduce(agreed, op="max")
            number = int(agreed)
        if number:
            self._save_and_exit(runner, number)

    def _save_and_exit(self, runner: Runner, number: int) -> None:
        folder = Path(runner.work_dir)
        path = folder / FILE
        runner.save_checkpoint(
            runner.work_dir,
            FILE,
            by_epoch=False,
            backend_args={"backend": "whole_file"},
        )
        if is_main_process():
            # MMEngine reads it in the default encoding of text files.
            encoding = getpreferredencoding(False)
            with whole_file(str(folder / "last_checkpoint"), "x", encoding) as file:
                file.write(str(path))
        # The first process that exits may cause the others to be killed.
        barrier()
        runner.logger.warning(
            f"{signal.Signals(number).name} after iteration {runner.iter + 1}: wrote "
            f"{path} and exit; continue from it with --resume"
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
    """Let a loader's worker ignore signals that its parent did not send.

    Slurm signals all processes of a task. Workers would end, and the run with them.
    They inherit that the signals are blocked, in all their threads, but must still end
    when the loader terminates them.
    """
    if worker_init_fn is not None:
        worker_init_fn(worker_id)
    threading.Thread(target=_end_with_parent_alone, daemon=True).start()


def _end_with_parent_alone() -> None:
    while signal.sigwaitinfo(SIGNALS).si_pid != os.getppid():
        pass
    os._exit(0)
