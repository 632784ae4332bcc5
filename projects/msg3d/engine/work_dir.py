"""The folder of a run: its lock, its last complete checkpoint, and what cannot be written."""

import errno
import os
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from locale import getpreferredencoding
from pathlib import Path

FILE = "training.lock"
# write() itself fails with these, without a file name.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def last_whole_checkpoint(work_dir: str) -> str | None:
    """Return the last complete checkpoint of `work_dir`, which `--resume` takes.

    That is the one that `last_checkpoint` names. A killed run may have left that file
    empty, or the checkpoint half-written, and in a copied work_dir it names the old
    path: then it is the file of that name here, or the `epoch_*.pth` or `iter_*.pth`
    that was written last.

    Returns:
        A path, or None if there is no complete checkpoint.
    """
    folder = Path(work_dir)
    try:
        # MMEngine writes it in the default encoding of text files.
        encoding = getpreferredencoding(False)
        named = (folder / "last_checkpoint").read_text(encoding=encoding).strip()
    except FileNotFoundError:
        named = ""
    if "://" in named or (Path(named).is_dir() and named):
        return named  # a remote file, or DeepSpeed's folder
    here = [named, str(folder / Path(named).name)] if named else []
    written = [*folder.glob("epoch_*.pth"), *folder.glob("iter_*.pth")]
    written.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return next(filter(_is_whole, [*here, *map(str, written)]), None)


def _is_whole(path: str) -> bool:
    # The table of contents of a zip file is at its end.
    # Path.is_file raises an error for a name that no file can have.
    return os.path.isfile(path) and zipfile.is_zipfile(path)  # noqa: PTH113


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
    _host, _, job = here.partition(", ")
    return bool(job) and there.endswith(f", {job}") and there != here


def is_about(error: OSError, work_dir: str) -> bool:
    """Return whether `work_dir` is full or cannot be written."""
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
    fix = "free some space or set" if error.errno in FULL else "set"
    resume = ", and continue with --resume" if last else ""
    return (
        f"{what} could not be written ({error.strerror}), and {kept}: {fix} another "
        f"work_dir (--work-dir){resume}"
    )
