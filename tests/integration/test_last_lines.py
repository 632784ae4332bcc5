"""Test the last line of output after typical mistakes, with msg3d and with mim."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch

from conftest import free_port, user_env
from in_process import without_paperwork
from msg3d.cli import main as cli
from tiny_runs import prepare

MISTAKES = {
    "head": ("base_channels=4", "base_channels=6", "model.cls_head.in_channels to 6"),
    "classes": ("num_classes=4", "num_classes=3", "model.cls_head.num_classes"),
    "data": ("data.pkl", "no_data.pkl", "no_data.pkl"),
    "split": ("split='train'", "split='training'", "'training'"),
    "registry": ("type='STGCN'", "type='STGCNN'", "'STGCN'"),
    "syntax": ("num_classes=4,", "num_classes=4", "line 8"),
    "argument": ("base_channels", "base_chanels", "base_chanels"),
    "layout": ("num_node=5", "num_node=6", "layout"),
    "persons": ("cls_head", "persons=2, cls_head", "persons"),
    "imports": (
        "layout = ",
        "custom_imports = dict(imports=['nothing'])\nlayout = ",
        "nothing",
    ),
}
COMMAND = [sys.executable, "-m", "msg3d"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a config for each mistake."""
    folder = tmp_path_factory.mktemp("mistakes")
    text = prepare(folder).read_text(encoding="utf-8")
    for name, (old, new, _) in MISTAKES.items():
        assert old in text
        (folder / f"{name}.py").write_text(text.replace(old, new), encoding="utf-8")
    return folder


def last_line(*words, capsys):
    """Run a command in this process; return the last line that it prints."""
    with without_paperwork():
        status = cli.main(list(map(str, words)))
    out, err = capsys.readouterr()
    assert status == 1
    assert "Traceback" not in out + err
    return err.splitlines()[-1]


@pytest.mark.parametrize("name", MISTAKES)
def test_configs(folder, tmp_path, capsys, name):
    words = ("train", folder / f"{name}.py", "--work-dir", tmp_path)
    assert MISTAKES[name][2] in last_line(*words, capsys=capsys)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "nothing.py"), "nothing.py"),
        (("test", "tiny.py", "nothing.pth"), "nothing.pth"),
        (("test", "tiny.py", "not.pth"), "not.pth"),
        (("test", "tiny.py", "other.pth"), "other.pth"),
        (("test", "tiny.py", "tiny.pth", "--dump", "scores.txt"), "pkl"),
        (("train", "tiny.py", "--resume", "nothing.pth"), "nothing.pth"),
        (("train", "tiny.py", "--work-dir", "tiny.py"), "tiny.py"),
        (("train", "tiny.py", "--cfg-options", "load_from=x.pth"), "x.pth"),
    ],
)
def test_command_lines(folder, monkeypatch, capsys, words, expected):
    monkeypatch.chdir(folder)
    (folder / "not.pth").write_text("not a checkpoint", encoding="utf-8")
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, folder / "other.pth")
    (folder / "tiny.pth").write_text("never read", encoding="utf-8")
    assert expected in last_line(*words, capsys=capsys)


def run(folder, *command, **env):
    result = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**user_env(), "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert result.returncode == 1, result.stdout[-4000:]
    return result.stdout


def test_process(folder):
    out = run(folder, *COMMAND, "train", "head.py")
    assert MISTAKES["head"][2] in out.splitlines()[-1]
    assert "Traceback" not in out
    # The default work dir.
    assert (folder / "work_dirs" / "head").is_dir()


def test_debug(folder):
    out = run(folder, *COMMAND, "train", "head.py", "--debug")
    assert MISTAKES["head"][2] in out.splitlines()[-1]
    assert "Traceback" in out


def test_several_processes(folder):
    launcher = ("--launcher", "pytorch", "--gpus", 2, "--port", free_port())
    out = run(folder, *COMMAND, "train", "head.py", *launcher)
    assert MISTAKES["head"][2] in out.splitlines()[-1]
    assert "Traceback" not in out
    assert out.count(MISTAKES["head"][2]) == 1


@pytest.mark.parametrize("name", ["head", "split"])
def test_mim(folder, name):
    """The message is the last line before mim's own traceback."""
    out = run(folder, "mim", "train", "mmaction", f"{name}.py")
    before, _, _ = out.partition("Traceback")
    assert MISTAKES[name][2] in before.splitlines()[-1]
    assert "mmengine" not in out.partition("Traceback")[2]


def test_mim_with_several_processes(folder):
    """torchrun's report contains the message, without a traceback of msg3d."""
    launcher = ("--launcher", "pytorch", "--gpus", 2, "--port", free_port())
    out = run(folder, "mim", "train", "mmaction", "head.py", *launcher)
    assert MISTAKES["head"][2] in out.partition("Root Cause")[2]
    assert "check_data_hook" not in out


def test_mim_with_debug(folder):
    out = run(folder, "mim", "train", "mmaction", "head.py", MSG3D_DEBUG="1")
    assert "check_data_hook" in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT")
def test_interruption(folder):
    """After Ctrl-C, the last line is a message without a traceback."""
    options = ("train_cfg.max_epochs=100000", "default_hooks.checkpoint.interval=1")
    process = subprocess.Popen(
        [*COMMAND, "train", "tiny.py", "--cfg-options", *options],
        cwd=folder,
        env=user_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 120
        while not (folder / "work_dirs/tiny/last_checkpoint").exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:  # it would train until the disk is full
        process.kill()
    assert process.returncode == 130, out[-2000:]
    assert "interrupted" in out.splitlines()[-1]
    assert "Traceback" not in out


def test_layout_file_in_a_config(folder, tmp_path, capsys):
    """The message contains the layout file and the missing field."""
    (tmp_path / "my.json").write_text(
        json.dumps({"num_node": 5, "inward": []}), encoding="utf-8"
    )
    config = tmp_path / "own.py"
    text = (
        (folder / "tiny.py")
        .read_text(encoding="utf-8")
        .replace("'STGCN'", "'PartitionSTGCN'")
    )
    config.write_text(
        text.replace("layout=layout", f"layout={str(tmp_path)!r}'/my.json'"),
        encoding="utf-8",
    )
    line = last_line("train", config, "--work-dir", tmp_path / "work", capsys=capsys)
    assert "my.json" in line
    assert "center" in line
