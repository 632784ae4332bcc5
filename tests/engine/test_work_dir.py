"""Work dirs that are full, read-only, copied, or from a killed run."""

import errno
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner import runner as mmengine_runner

from msg3d.engine.work_dir import last_whole_checkpoint
from tiny_runs import config, prepare, same, train

UNPRIVILEGED = 65534  # user id


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


@contextmanager
def file_size_limit(size):
    """Let writes fail in the middle of a file, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def not_root():
    """Drop the privileges of root, who may write anywhere."""
    if not hasattr(os, "geteuid"):
        pytest.skip("Windows has no read-only folders")
    if os.geteuid() != 0:
        yield lambda: None
        return
    try:
        yield lambda: os.seteuid(UNPRIVILEGED)
    finally:
        os.seteuid(0)


class InSecondEpoch(Hook):
    def __init__(self, action):
        self.action = action

    def before_train_epoch(self, runner):
        if runner.epoch == 1:
            self.action()


def test_disk_full(tiny, tmp_path):
    """The disk is full in the second checkpoint; resume from the first."""
    train(tiny, tmp_path / "complete")
    work_dir = tmp_path / "full"
    half = (tmp_path / "complete" / "epoch_1.pth").stat().st_size // 2
    first = re.escape(str(work_dir / "epoch_1.pth"))
    with file_size_limit(half) as limit, pytest.raises(OSError, match=first) as error:
        train(tiny, work_dir, hooks=[InSecondEpoch(limit)])
    assert error.value.errno == errno.EFBIG
    assert "\n" not in str(error.value)
    assert not list(work_dir.glob("*.tmp"))
    assert not (work_dir / "epoch_2.pth").exists()
    train(tiny, work_dir, resume=True)
    assert same(tmp_path / "complete" / "epoch_4.pth", work_dir / "epoch_4.pth")


def test_becomes_read_only(tiny):
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # only root can access pytest's folders
        work_dir = Path(folder) / "work"

        def lock():
            Path(folder).chmod(0o755)
            for path in [work_dir, *work_dir.rglob("*")]:
                path.chmod(0o555)
            leave_root()

        with not_root() as leave_root, pytest.raises(PermissionError) as error:
            train(tiny, work_dir, hooks=[InSecondEpoch(lock)])
        first = work_dir / "epoch_1.pth"
        assert error.value.errno == errno.EACCES
        assert str(first) in str(error.value)
        assert torch.load(first)["meta"]["epoch"] == 1
        work_dir.chmod(0o755)
        for path in work_dir.rglob("*"):
            path.chmod(0o755)


def test_read_only_from_the_start(tiny):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        cfg = config(tiny, Path(folder) / "work")
        with not_root() as leave_root:
            leave_root()
            with pytest.raises(PermissionError) as error:
                Runner.from_cfg(cfg)
        assert error.value.errno == errno.EACCES
        text = str(error.value)
        assert f"{folder}/work" in text
        assert "work_dir" in text
        assert ".pth" not in text


def test_errors_outside_the_work_dir_are_unchanged(tiny, tmp_path):
    class Fail(Hook):
        def before_train(self, runner):
            raise PermissionError(13, "Permission denied", "/elsewhere/data.pkl")

    with pytest.raises(PermissionError) as error:
        train(tiny, tmp_path, hooks=[Fail()])
    assert error.value.filename == "/elsewhere/data.pkl"


def checkpoint(path, seconds, half=False):
    torch.save({"weight": torch.arange(1000)}, path)
    if half:
        os.truncate(path, path.stat().st_size // 2)
    os.utime(path, (seconds, seconds))
    return str(path)


def test_last_whole_checkpoint(tmp_path):
    last_checkpoint = tmp_path / "last_checkpoint"
    assert last_whole_checkpoint(tmp_path) is None
    # A checkpoint of an older run, with a higher number.
    checkpoint(tmp_path / "epoch_80.pth", 1000)
    second = checkpoint(tmp_path / "epoch_2.pth", 2000)
    checkpoint(tmp_path / "best_acc_epoch_2.pth", 2500)  # not resumable
    third = checkpoint(tmp_path / "epoch_3.pth", 3000, half=True)
    assert last_whole_checkpoint(tmp_path) == second  # no last_checkpoint
    for text in ("", third, "/old/path/epoch_3.pth"):
        last_checkpoint.write_text(text, encoding="utf-8")
        assert last_whole_checkpoint(tmp_path) == second
    moved = str(tmp_path / "epoch_80.pth")
    for text in ("/old/path/epoch_80.pth", moved):
        last_checkpoint.write_text(text, encoding="utf-8")
        assert last_whole_checkpoint(tmp_path) == moved
    last_checkpoint.write_text("s3://bucket/epoch_1.pth", encoding="utf-8")
    assert last_whole_checkpoint(tmp_path) == "s3://bucket/epoch_1.pth"


def test_mmengine_finds_the_last_whole_checkpoint(tmp_path):
    third = checkpoint(tmp_path / "epoch_3.pth", 3000)
    (tmp_path / "last_checkpoint").write_text("", encoding="utf-8")
    assert mmengine_runner.find_latest_checkpoint(str(tmp_path)) == third
