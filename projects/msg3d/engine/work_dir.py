"""Work dir of a run: lock, last complete checkpoint, and write errors."""

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
    """Return the path of the last complete checkpoint, used by `--resume`.

    The file `last_checkpoint` in `work_dir` contains this path. After a killed run, the
    file may be empty or the checkpoint incomplete. In a copied work dir, the file
    contains the old path. In these cases, a checkpoint of the same name in `work_dir`
    is used, or else the latest `epoch_*.pth` or `iter_*.pth`.

    Returns:
        A path, or None if `work_dir` contains no complete checkpoint.
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
    # The table of contents is at the end of a zip file.
    # Unlike Path.is_file, os.path.isfile accepts any string.
    return os.path.isfile(path) and zipfile.is_zipfile(path)  # noqa: PTH113


@contextmanager
def locked(work_dir: str) -> Iterator[str | None]:
    """Lock `work_dir` for the duration of the block.

    This is a POSIX lock on the file `training.lock`. The system releases it however
    this process ends. Data loader workers, which may live a little longer, do not
    inherit it. The file itself remains and has no meaning. On file systems without
    locks, this does nothing.

    Yields:
        None if the lock was acquired, otherwise its holder, such as
        `process 17 on node3`.

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
        return None if _is_requeued(holder) else holder or "another process"
    except OSError:
        return None  # the file system has no locks
    os.ftruncate(file, 0)
    os.pwrite(file, _this_process().encode(), 0)
    return None


def _this_process() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    process = f"process {os.getpid()} on {socket.gethostname()}"
    return f"{process}, Slurm job {job}" if job else process


def _is_requeued(holder: str) -> bool:
    """Return whether Slurm requeued this job after the node of the holder failed.

    The server of a network file system may keep the lock of a lost node for minutes.
    Slurm restarts a job only after it has ended.
    """
    own_host = _this_process().partition(" on ")[2]
    holder_host = holder.partition(" on ")[2]
    _host, _, job = own_host.partition(", ")
    return bool(job) and holder_host.endswith(f", {job}") and holder_host != own_host


def is_about(error: OSError, work_dir: str) -> bool:
    """Return whether an error means that `work_dir` is full or cannot be written."""
    if error.filename is None:
        return error.errno in FULL
    path, folder = (Path(str(p)).resolve() for p in (error.filename, work_dir))
    # A file in work_dir, or a parent folder that could not be created.
    related = folder in (path, *path.parents) or path in folder.parents
    return related and error.errno in FULL | {errno.EACCES, errno.EPERM}


def unwritable(work_dir: str, error: OSError) -> str:
    """Return a message with the unwritable file, the fix, and the last checkpoint."""
    what = error.filename or f"a file of {work_dir}"
    last = last_whole_checkpoint(work_dir)
    fix = "Free some space or set" if error.errno in FULL else "Set"
    resume = f"continue with --resume {last}" if last else "start again."
    return (
        f"{what} could not be written ({error.strerror}). {fix} another work_dir "
        f"(--work-dir), and {resume}"
    )
