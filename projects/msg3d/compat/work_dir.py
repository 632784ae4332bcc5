"""Resume from the last complete checkpoint of a killed run."""

import logging
import os
import zipfile
from pathlib import Path

from .replace import replace


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
    # The table of contents of a zip file is at its end.
    return os.path.isfile(path) and zipfile.is_zipfile(path)


def find_whole_checkpoint() -> None:
    """Let `--resume` find a complete checkpoint after a run was killed.

    With an empty `last_checkpoint` MMEngine loads the file `''`; without one it starts
    again without a warning; and a half-written checkpoint ends in `PytorchStreamReader
    failed`.
    """
    from mmengine.runner import runner

    replace(runner, "find_latest_checkpoint", _whole)


def _whole(find_latest_checkpoint):
    from mmengine.logging import print_log

    def find(path):
        named, complete = find_latest_checkpoint(path), last_whole_checkpoint(path)
        if complete != named:
            print_log(
                f"{path}: last_checkpoint names {named!r}, which is not a complete "
                f"checkpoint: the last complete one is {complete}",
                logger="current",
                level=logging.WARNING,
            )
        return complete

    return find
