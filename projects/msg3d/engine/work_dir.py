"""Lock a work_dir during training, and name it if it cannot be written.

These wrap methods of `Runner`: it offers no hook that surrounds training.
"""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..compat.replace import replace
from ..compat.work_dir import last_whole_checkpoint
from ..errors import ConfigError

FILE = "training.lock"
# write() itself fails with these, without a file name.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def lock_work_dir() -> None:
    """Refuse a second training in a work_dir.

    Two runs would overwrite each other's checkpoints without a warning. Only
    `Runner.train` takes the lock: testing and reading are not affected.
    """
    from mmengine.runner import Runner

    if sys.platform != "win32":  # which has no fcntl
        replace(Runner, "train", _locked)


def _locked(train):
    from mmengine.dist import broadcast_object_list, is_main_process

    def method(self, *args, **kwargs):
        with locked(self.work_dir) if is_main_process() else nullcontext() as holder:
            holders = [holder]
            broadcast_object_list(holders)  # all processes stop, or none
            if holders[0] is not None:
                raise ConfigError(
                    f"{holders[0]} is training in this work_dir: wait until it ends, "
                    "end it, or set another with --work-dir",
                    kind="locked",
                    file=str(self.work_dir),
                )
            return train(self, *args, **kwargs)

    return method


@contextmanager
def locked(work_dir: str) -> Iterator[str | None]:
    """Hold the lock of `work_dir` during the block, if no other process holds it.

    It is a POSIX lock on the file `training.lock`: the system releases it when this
    process ends in any way, and the loaders' workers, which live on for a moment, do
    not inherit it. The file stays and means nothing by itself. On a file system without
    locks there is no lock.

    Yields:
        The holder, such as `process 17 on node3`; None if no other process holds it.

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
    """Whether Slurm requeued this job after another node failed.

    The server of a network file system may keep the lock of a lost node for minutes;
    Slurm restarts a job only after it has ended.
    """
    here = _ourselves().partition(" on ")[2]
    there = holder.partition(" on ")[2]
    host, _, job = here.partition(", ")
    return bool(job) and there.endswith(f", {job}") and there != here


def name_unwritable() -> None:
    """Name a work_dir that is full or read-only in the error; wraps the lock as well.

    MMEngine's own error is an `[Errno 28]` without a file, in the middle of a log.
    """
    from mmengine.runner import Runner

    for name in ("__init__", "train"):
        replace(Runner, name, _one_sentence)


def _one_sentence(original):
    def method(self, *args, **kwargs):
        try:
            return original(self, *args, **kwargs)
        except OSError as error:
            if not _is_about(error, self.work_dir):
                raise
            raise OSError(error.errno, unwritable(self.work_dir, error)) from None

    return method


def _is_about(error: OSError, work_dir: str) -> bool:
    if error.filename is None:
        return error.errno in FULL
    path, folder = (Path(str(p)).resolve() for p in (error.filename, work_dir))
    # Inside work_dir, or a folder on the way to it that could not be made.
    related = folder in (path, *path.parents) or path in folder.parents
    return related and error.errno in FULL | {errno.EACCES, errno.EPERM}


def unwritable(work_dir: str, error: OSError) -> str:
    """Describe what could not be written, what is left, and what to do."""
    what = error.filename or f"a file of {work_dir}"
    last = last_whole_checkpoint(work_dir)
    kept = (
        f"the last complete checkpoint is {last}" if last else "there is no checkpoint"
    )
    return (
        f"{what} could not be written ({error.strerror}), and {kept}: free some space or "
        "set another work_dir, and continue with --resume"
    )
