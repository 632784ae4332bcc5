"""One training at a time in a work_dir."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from .replace import replace

FILE = "training.lock"


def lock_work_dir() -> None:
    """Two trainings in one work_dir overwrite each other's checkpoints without a word.

    Locked is `Runner.train` alone: what tests or reads a work_dir is not in the way.
    """
    from mmengine.runner import Runner

    if sys.platform != "win32":  # which has no fcntl
        replace(Runner, "train", _locked)


def _locked(train):
    from mmengine.dist import broadcast_object_list, is_main_process

    def method(self, *args, **kwargs):
        with locked(self.work_dir) if is_main_process() else nullcontext() as holder:
            said = [holder]
            broadcast_object_list(said)  # all leave, or none
            if said[0] is not None:
                raise RuntimeError(
                    f"{self.work_dir}: {said[0]} is training in this work_dir: wait "
                    "for its end, end it, or set another with --work-dir"
                )
            return train(self, *args, **kwargs)

    return method


@contextmanager
def locked(work_dir: str) -> Iterator[str | None]:
    """Holds the lock of `work_dir` while the block runs, if nobody else does.

    The lock is POSIX's, on the file `training.lock`: the system takes it back when this
    process ends in any way, and the loaders' workers, which live on for a moment, do
    not inherit it. The file stays and means nothing by itself. Where the file system
    has no locks there is none.

    Yields:
        Who holds it, as `process 17 on node3`; None where nobody else does.

    Raises:
        OSError: the file cannot be opened.
    """
    file = os.open(Path(work_dir) / FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield _held_by_another(file)
    finally:
        os.close(file)


def _held_by_another(file: int) -> str | None:
    import fcntl

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # POSIX allows either
        holder = os.pread(file, 1000, 0).decode(errors="replace")
        return None if _is_our_job(holder) else holder or "another process"
    except OSError:
        return None  # no locks here
    os.ftruncate(file, 0)
    os.pwrite(file, _ourselves().encode(), 0)
    return None


def _ourselves() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    who = f"process {os.getpid()} on {socket.gethostname()}"
    return f"{who}, Slurm job {job}" if job else who


def _is_our_job(holder: str) -> bool:
    """Whether Slurm requeued us after another node failed.

    The server of a network file system may keep a lost node's lock for minutes; Slurm
    starts a job again only when it has ended.
    """
    here = _ourselves().partition(" on ")[2]
    there = holder.partition(" on ")[2]
    host, _, job = here.partition(", ")
    return bool(job) and there.endswith(f", {job}") and there != here
