"""WholeCheckpointHook keeps the same files as CheckpointHook."""

from pathlib import Path

import pytest
from mmengine.fileio import LocalBackend
from mmengine.runner import Runner

from msg3d.engine import WholeCheckpointHook
from tiny_runs import prepare, train

KEEP_TWO = {"default_hooks.checkpoint.max_keep_ckpts": 2}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


def test_same_files_as_mmengine(tiny, tmp_path):
    train(tiny, tmp_path / "ours", **KEEP_TWO)
    mmengine = {"default_hooks.checkpoint.type": "CheckpointHook"}
    train(tiny, tmp_path / "theirs", **KEEP_TWO, **mmengine)
    ours, theirs = (
        {path.name for path in (tmp_path / name).glob("*.pth")}
        for name in ("ours", "theirs")
    )
    assert ours == theirs
    assert {"epoch_3.pth", "epoch_4.pth"} < ours


def test_old_checkpoints_are_removed_last(tiny, tmp_path, monkeypatch):
    written, removed = [], []
    save, remove = Runner.save_checkpoint, LocalBackend.remove

    def record_save(self, out_dir, filename, *args, **kwargs):
        save(self, out_dir, filename, *args, **kwargs)
        written.append(filename)

    def record_remove(self, path):
        removed.append((Path(path).name, written[-1]))
        remove(self, path)

    monkeypatch.setattr(Runner, "save_checkpoint", record_save)
    monkeypatch.setattr(LocalBackend, "remove", record_remove)
    keep_one = {"default_hooks.checkpoint.max_keep_ckpts": 1}
    no_best = {"default_hooks.checkpoint.save_best": None}
    train(tiny, tmp_path, **keep_one, **no_best)
    assert removed == [(f"epoch_{n}.pth", f"epoch_{n + 1}.pth") for n in (1, 2, 3)]


def test_removes_leftovers_of_killed_runs(tiny, tmp_path):
    leftover = tmp_path / "epoch_1.pth.4711.tmp"
    other = tmp_path / "notes.tmp"
    leftover.touch()
    other.touch()
    train(tiny, tmp_path, **{"train_cfg.max_epochs": 1})
    assert other.exists()
    assert not leftover.exists()


def test_remote_folders_are_unchanged():
    for options in ({"out_dir": "s3://bucket"}, {"backend_args": {"backend": "x"}}):
        hook = WholeCheckpointHook(**options)
        assert hook.backend_args == options.get("backend_args")
