"""A work_dir that is full, read-only, copied, or left by a killed run."""

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

NOBODY = 65534


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


@contextmanager
def file_size_limit(size):
    """Writing beyond it fails as on a full disk: in the middle of the file."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def not_root():
    """Root may write anywhere."""
    if not hasattr(os, "geteuid"):
        pytest.skip("Windows has no read-only folders")
    if os.geteuid() != 0:
        yield lambda: None
        return
    try:
        yield lambda: os.seteuid(NOBODY)
    finally:
        os.seteuid(0)


class InSecondEpoch(Hook):
    def __init__(self, act):
        self.act = act

    def before_train_epoch(self, runner):
        if runner.epoch == 1:
            self.act()


def test_disk_full(tiny, tmp_path):
    """Half a checkpoint can be written; the first one stays, and serves to go on."""
    train(tiny, tmp_path / "whole")
    work_dir = tmp_path / "full"
    half = (tmp_path / "whole" / "epoch_1.pth").stat().st_size // 2
    kept = re.escape(str(work_dir / "epoch_1.pth"))
    with file_size_limit(half) as limit, pytest.raises(OSError, match=kept) as error:
        train(tiny, work_dir, hooks=[InSecondEpoch(limit)])
    assert error.value.errno == errno.EFBIG
    assert "\n" not in str(error.value)
    assert not list(work_dir.glob("*.tmp"))
    assert not (work_dir / "epoch_2.pth").exists()
    train(tiny, work_dir, resume=True)
    assert same(tmp_path / "whole" / "epoch_4.pth", work_dir / "epoch_4.pth")


def test_becomes_read_only(tiny):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are root's alone
        work_dir = Path(folder) / "work"

        def lock():
            Path(folder).chmod(0o755)
            for path in [work_dir, *work_dir.rglob("*")]:
                path.chmod(0o555)
            leave_root()

        with not_root() as leave_root, pytest.raises(PermissionError) as error:
            train(tiny, work_dir, hooks=[InSecondEpoch(lock)])
        kept = work_dir / "epoch_1.pth"
        assert error.value.errno == errno.EACCES
        assert str(kept) in str(error.value)
        assert torch.load(kept)["meta"]["epoch"] == 1
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


def test_error_elsewhere_is_left_alone(tiny, tmp_path):
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
    named = tmp_path / "last_checkpoint"
    assert last_whole_checkpoint(tmp_path) is None
    # An older run's checkpoint, of a higher number, lies there too.
    checkpoint(tmp_path / "epoch_80.pth", 1000)
    second = checkpoint(tmp_path / "epoch_2.pth", 2000)
    checkpoint(tmp_path / "best_acc_epoch_2.pth", 2500)  # it has no optimizer
    third = checkpoint(tmp_path / "epoch_3.pth", 3000, half=True)
    assert last_whole_checkpoint(tmp_path) == second  # the file is not there
    for text in ("", third, "/where/it/was/epoch_3.pth"):
        named.write_text(text, encoding="utf-8")
        assert last_whole_checkpoint(tmp_path) == second
    moved = str(tmp_path / "epoch_80.pth")
    for text in ("/where/it/was/epoch_80.pth", moved):
        named.write_text(text, encoding="utf-8")
        assert last_whole_checkpoint(tmp_path) == moved
    named.write_text("s3://bucket/epoch_1.pth", encoding="utf-8")
    assert last_whole_checkpoint(tmp_path) == "s3://bucket/epoch_1.pth"


def test_resume_asks_for_it(tmp_path):
    third = checkpoint(tmp_path / "epoch_3.pth", 3000)
    (tmp_path / "last_checkpoint").write_text("", encoding="utf-8")
    assert mmengine_runner.find_latest_checkpoint(str(tmp_path)) == third
