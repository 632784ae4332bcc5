"""Atomic writing of checkpoints.

MMEngine overwrites files in place, and removes the old checkpoint before it writes the
new one. If the process is killed, the disk is full, or the machine crashes, only an
incomplete checkpoint may remain.
"""

import re
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ...io.atomic import whole_file

# Names of temporary files that remain if a process is killed in `whole_file`.
LEFTOVER = re.compile(r".+\.pth\.\d+\.tmp")


@register_backend("whole_file")
class WholeFileBackend(LocalBackend):
    """MMEngine's local file backend with atomic writes."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        with whole_file(str(filepath)) as file:
            file.write(obj)


class _RemovedLater(WholeFileBackend):
    """File backend that keeps outdated files until new ones have been written."""

    def __init__(self) -> None:
        self.outdated: list[str | Path] = []

    def remove(self, filepath: str | Path) -> None:
        self.outdated.append(filepath)

    def remove_outdated(self, kept: set) -> None:
        """Remove the outdated files, except for the files `kept`."""
        for path in self.outdated:
            if path not in kept and self.isfile(path):
                super().remove(path)
        self.outdated.clear()


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """CheckpointHook that always keeps a complete checkpoint on disk.

    A checkpoint is written to a temporary file, synced to disk, and renamed. Files
    replaced because of `max_keep_ckpts` and `save_best` are removed last. Temporary
    files of killed runs are removed when training begins.

    Arguments, file names, and file contents are those of CheckpointHook. With
    `backend_args`, `file_client_args`, or a remote `out_dir`, this hook behaves like
    CheckpointHook.
    """

    backend_args: dict | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        remote = "://" in str(self.out_dir or "")
        self._local = not (remote or self.backend_args or self.file_client_args)
        if self._local:
            self.backend_args = {"backend": "whole_file"}

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if self._local:
            self.file_backend = _RemovedLater()
            self._remove_leftovers()

    @master_only
    def _remove_leftovers(self) -> None:
        for path in Path(self.out_dir).glob("*.tmp"):
            if LEFTOVER.fullmatch(path.name):
                path.unlink()

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        self._remove_outdated()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        if self._local:
            best = getattr(self, "best_ckpt_path_dict", {}).values()
            kept = {self.last_ckpt, getattr(self, "best_ckpt_path", None), *best}
            self.file_backend.remove_outdated(kept)
