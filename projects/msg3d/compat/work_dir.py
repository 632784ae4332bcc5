"""A work_dir that cannot be written, or that a killed run has left."""

import errno
import logging
import os
import zipfile
from pathlib import Path

from .replace import replace

# write() itself fails with these, and says no file name.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def last_whole_checkpoint(work_dir: str) -> str | None:
    """The checkpoint that `--resume` takes: the last one of `work_dir` that is whole.

    That is the one `last_checkpoint` names. A killed run may have left that file
    empty, or the one it names half-written, and in a copied work_dir it names the old
    place: then it is the file of that name here, or the `epoch_*.pth` or `iter_*.pth`
    that was written last.

    Returns:
        A path, or None where there is no whole checkpoint.
    """
    folder = Path(work_dir)
    try:
        named = (folder / "last_checkpoint").read_text().strip()
    except FileNotFoundError:
        named = ""
    if "://" in named or Path(named).is_dir() and named:
        return named  # a remote file, or DeepSpeed's folder
    here = [named, str(folder / Path(named).name)] if named else []
    written = [*folder.glob("epoch_*.pth"), *folder.glob("iter_*.pth")]
    written.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return next(filter(_is_whole, [*here, *map(str, written)]), None)


def _is_whole(path: str) -> bool:
    # A zip file's table of contents stands at its end.
    return os.path.isfile(path) and zipfile.is_zipfile(path)


def find_whole_checkpoint() -> None:
    """`--resume` stumbles over the `last_checkpoint` of a killed run.

    Left empty, it makes MMEngine load the file `''`; left unwritten, start anew
    without a word; and a checkpoint half-written ends in `PytorchStreamReader failed`.
    """
    from mmengine.runner import runner

    replace(runner, "find_latest_checkpoint", _whole)


def _whole(find_latest_checkpoint):
    from mmengine.logging import print_log

    def find(path):
        named, found = find_latest_checkpoint(path), last_whole_checkpoint(path)
        if found != named:
            print_log(
                f"{path}: last_checkpoint names {named!r}, which is no whole "
                f"checkpoint: the last one that is whole is {found}",
                logger="current",
                level=logging.WARNING,
            )
        return found

    return find


def name_unwritable() -> None:
    """A work_dir that is full or read-only is named in one sentence.

    MMEngine's own is an `[Errno 28]` without a file, out of the middle of a log.
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
    """The sentence that says what could not be written, what is left, and what to do."""
    what = error.filename or f"a file of {work_dir}"
    last = last_whole_checkpoint(work_dir)
    kept = (
        f"the last checkpoint, {last}, is whole" if last else "no checkpoint is there"
    )
    return (
        f"{what} could not be written ({error.strerror}), and {kept}: make room or set "
        "another work_dir, and go on with --resume"
    )
