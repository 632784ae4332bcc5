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
    """Save a checkpoint and exit when the run receives SIGTERM or SIGUSR1.

    After the current iteration, the hook writes `preempted.pth` to the work dir and its
    path to `last_checkpoint`, so `--resume` continues from it (bit for bit with
    `StepSeedHook`). Then the process exits with 128 plus the signal number, as in
    shells: 143 or 138. A finished run exits with 0, a failed run with 1.

    In a distributed run, it is sufficient that one process receives the signal. The
    processes synchronize after each iteration. A running validation is completed first.

    Supported only on Linux, in the main thread, with `EpochBasedTrainLoop`.
    """

    priority = "LOWEST"  # after schedulers and weight averaging

    def __init__(self) -> None:
        self._signal = 0
        self._former: dict[signal.Signals, Any] = {}  # handlers

    def before_train(self, runner: Runner) -> None:
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        main = threading.current_thread() is threading.main_thread()
        if not (by_epoch and main and hasattr(signal, "sigwaitinfo")):
            return
        # Block the signals, because data loader workers inherit the mask (see
        # `_ignore_signals`). Also handle them, because existing threads do not block.
        self._former = {s: signal.signal(s, self._remember) for s in SIGNALS}
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for loop in (runner.train_loop, runner.val_loop):
            loader = getattr(loop, "dataloader", None)
            if loader is not None:
                loader.worker_init_fn = partial(_ignore_signals, loader.worker_init_fn)

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
        # The launcher may kill the other processes when the first one exits.
        barrier()
        runner.logger.warning(
            f"Received {signal.Signals(number).name} after iteration "
            f"{runner.iter + 1} and wrote {path}. Continue with --resume."
        )
        self.after_train(runner)
        raise SystemExit(128 + number)

    def after_train(self, runner: Runner) -> None:
        if self._former:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()


def _ignore_signals(worker_init_fn: Callable | None, worker_id: int) -> None:
    """Let a data loader worker ignore signals that its parent did not send.

    Slurm signals all processes of a task, which would end the workers and thus the run.
    Workers inherit the blocked signals in all threads, but must still end when the
    loader terminates them.
    """
    if worker_init_fn is not None:
        worker_init_fn(worker_id)
    threading.Thread(target=_exit_on_parent_signal, daemon=True).start()


def _exit_on_parent_signal() -> None:
    while signal.sigwaitinfo(SIGNALS).si_pid != os.getppid():
        pass
    os._exit(0)
