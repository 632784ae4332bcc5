"""`msg3d train` and `msg3d test`: command lines, launchers, and exit statuses."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mmengine.logging import MessageHub

from msg3d.apis import launch, mmaction_tools
from msg3d.apis.config_files import shipped_configs
from msg3d.cli import main as cli
from msg3d.engine import endings
from msg3d.errors import DataError

NAME = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d"
NO_LAUNCHER = ["--launcher", "none"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Change to a folder with a config and a checkpoint, without a launcher."""
    monkeypatch.chdir(tmp_path)
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_STEP_ID", "RANK", endings.FILE):
        monkeypatch.delenv(name, raising=False)
    Path("a.py").write_text("", encoding="utf-8")
    Path("a.pth").write_text("", encoding="utf-8")
    return tmp_path


@pytest.fixture
def script_args(monkeypatch):
    """Record the arguments of scripts instead of running them in this process."""
    recorded = []
    monkeypatch.setattr(
        mmaction_tools, "run_script", lambda path: recorded.append(sys.argv[1:])
    )
    return recorded


class Launcher:
    """Fake launcher process, which writes an error message."""

    def __init__(self, command, env):
        self.started.append(self)
        self.command, self.env, self.signals = command, env, []
        if self.ending:
            Path(env[endings.FILE]).write_text(self.ending, encoding="utf-8")

    def wait(self, timeout=None):
        if self.during is not None and timeout is None:
            self.during()
        return self.status

    def send_signal(self, number):
        self.signals.append(number)

    def kill(self):
        raise AssertionError("the process has already ended")


@pytest.fixture
def launcher(monkeypatch):
    class Recorded(Launcher):
        started, ending, status, during = [], "", 0, None

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setattr(launch.shutil, "which", lambda name: f"/bin/{name}")
    return Recorded


def run(*words):
    try:
        return cli.main(list(map(str, words)))
    except SystemExit as error:
        return error.code


def test_options_of_train(script_args):
    words = [
        "--work-dir",
        "w",
        "--resume",
        "a.pth",
        "--amp",
        "--no-validate",
        "--auto-scale-lr",
        "--seed",
        "3",
        "--diff-rank-seed",
        "--deterministic",
        "--cfg-options",
        "x=1",
        "y=2",
    ]
    assert run("train", "a.py", *words, "-G", 1, "-y") == 0
    assert script_args == [["a.py", *words, *NO_LAUNCHER]]


def test_options_of_test(script_args):
    words = [
        "--work-dir",
        "w",
        "--dump",
        "d.pkl",
        "--show-dir",
        "s",
        "--show",
        "--interval",
        "2",
        "--wait-time",
        "0.5",
        "--cfg-options",
        "x=1",
    ]
    assert run("test", "a.py", "a.pth", *words) == 0
    assert run("test", "a.py", "-C", "a.pth") == 0
    assert run("test", "a.py", "--checkpoint", "http://host/a.pth") == 0
    assert script_args == [
        ["a.py", "a.pth", *words, *NO_LAUNCHER],
        ["a.py", "a.pth", *NO_LAUNCHER],
        ["a.py", "http://host/a.pth", *NO_LAUNCHER],
    ]


@pytest.mark.parametrize("script", ["train", "test"])
def test_all_options_of_mmaction2_are_supported(script):
    parser = cli.make_parser(script)._subparsers._group_actions[0].choices[script]
    text = Path(mmaction_tools.tool_path(f"{script}.py")).read_text(encoding="utf-8")
    options = set(re.findall(r"'(--[a-z-]+)'", text))
    assert options - {"--local-rank"} <= set(parser._option_string_actions)


def test_resume_without_a_checkpoint(script_args):
    assert run("train", "a.py", "--resume") == 0
    assert script_args == [["a.py", "--resume", "auto", *NO_LAUNCHER]]


def test_shipped_config(script_args):
    assert run("train", NAME) == 0
    assert script_args[0][0] == str(shipped_configs()[NAME])


def test_quiet(script_args):
    assert run("train", "a.py", "--quiet", "--cfg-options", "x=1") == 0
    assert script_args[0][1:4] == ["--cfg-options", "x=1", "log_level=WARNING"]


def test_quiet_test_prints_results(script_args, launcher, monkeypatch, capsys):
    metrics = {"acc/top1": 0.25, "acc/top5": 0.5}
    monkeypatch.setattr(launch, "results", lambda stage: {"test": metrics}[stage])
    assert run("test", "a.py", "a.pth", "--quiet") == 0
    assert script_args[0][2:4] == ["--cfg-options", "log_level=WARNING"]
    assert capsys.readouterr().out == "acc/top1: 0.2500 acc/top5: 0.5000\n"
    # The processes of a launcher log their results.
    assert run("test", "a.py", "a.pth", "--quiet", "--launcher", "pytorch") == 0
    assert "log_level=WARNING" not in launcher.started[0].command


def test_quiet_training_prints_the_last_validation(monkeypatch, capsys):
    hub = MessageHub.get_instance(f"quiet{time.time()}")

    def run_script(path):
        for value in (0.5, 0.75):
            hub.update_scalar("train/loss", value)
            hub.update_scalar("val/acc/top1", value)
            hub.update_scalar("val/data_time", value)

    monkeypatch.setattr(mmaction_tools, "run_script", run_script)
    assert run("train", "a.py") == 0
    assert capsys.readouterr().out == ""
    assert run("train", "a.py", "--quiet") == 0
    assert capsys.readouterr().out == "acc/top1: 0.7500\n"


def test_dump_is_not_replaced_without_overwrite(script_args, capsys):
    Path("d.pkl").write_text("old", encoding="utf-8")
    words = ("test", "a.py", "a.pth", "--dump", "d.pkl")
    assert run(*words) == 1
    assert not script_args
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--overwrite" in err
    assert run(*words, "--overwrite") == 0
    assert script_args == [["a.py", "a.pth", "--dump", "d.pkl", *NO_LAUNCHER]]


@pytest.mark.parametrize(
    "words",
    [
        ("train", "no.py"),
        ("train", "a.pth"),
        ("test", "a.py", "no.pth"),
        ("train", "a.py", "--resume", "no.pth"),
    ],
)
def test_missing_files(script_args, capsys, words):
    assert run(*words) == 1
    _out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert words[-1] in err
    assert not script_args


@pytest.mark.parametrize(
    "words",
    [
        ("train",),
        ("test", "a.py"),
        ("test", "a.py", "a.pth", "--checkpoint", "a.pth"),
        ("train", "a.py", "--launcher", "none", "--unknown"),
        ("train", "a.py", "--gpus", "0"),
        ("train", "a.py", "--cfg-options", "a=1", "foo"),
        ("test", "a.py", "a.pth", "--cfg-options", "=1"),
    ],
)
def test_wrong_usage(script_args, words):
    assert run(*words) == 2


def failing(monkeypatch, error):
    def run_script(path):
        raise error

    monkeypatch.setattr(mmaction_tools, "run_script", run_script)


def test_error_is_one_line(monkeypatch, capsys):
    failing(monkeypatch, DataError("is faulty", kind="corrupt", file="a.pkl"))
    assert run("train", "a.py") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "a.pkl" in err
    with pytest.raises(DataError):
        run("train", "a.py", "--debug")


def test_unexpected_error_has_a_traceback(monkeypatch):
    failing(monkeypatch, IndexError("index 3 is out of bounds"))
    with pytest.raises(IndexError):
        run("train", "a.py")


def test_interruption(monkeypatch, capsys):
    failing(monkeypatch, KeyboardInterrupt())
    assert run("train", "a.py") == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_status_after_preemption(monkeypatch):
    failing(monkeypatch, SystemExit(143))
    assert run("train", "a.py") == 143


def test_torchrun(launcher):
    words = ("--launcher", "pytorch", "--gpus", 2, "--port", 23456, "--seed", 3)
    assert run("train", "a.py", *words) == 0
    (process,) = launcher.started
    assert process.command[1:] == [
        "-m",
        "msg3d.apis.torchrun",
        "--nproc_per_node=2",
        "--master_port=23456",
        str(launch.TOOLS / "train.py"),
        "a.py",
        "--seed",
        "3",
        "--launcher",
        "pytorch",
    ]
    assert process.env["MASTER_PORT"] == "23456"
    assert endings.DEBUG not in process.env or endings.DEBUG in os.environ


def test_srun(launcher, folder):
    words = "--launcher slurm -p part --gpus 4 --gpus-per-node 2 --cpus-per-task 3"
    extra = ("--srun-args=--qos='very high'", "--debug")
    assert run("test", "a.py", "a.pth", *words.split(), *extra) == 0
    (process,) = launcher.started
    assert process.command == [
        "srun",
        "--partition=part",
        "--gres=gpu:2",
        "--ntasks=4",
        "--ntasks-per-node=2",
        "--cpus-per-task=3",
        "--kill-on-bad-exit=1",
        "--qos=very high",
        "--job-name=a_test",
        sys.executable,
        "-u",
        str(launch.TOOLS / "test.py"),
        "a.py",
        "a.pth",
        "--launcher",
        "slurm",
    ]
    assert process.env[endings.DEBUG]
    # Other nodes can write to this folder. The file is removed afterwards.
    assert Path(process.env[endings.FILE]).is_relative_to(folder)
    assert {path.name for path in folder.iterdir()} == {"a.py", "a.pth"}


def test_missing_options_of_srun(launcher, capsys):
    assert run("train", "a.py", "--launcher", "slurm") == 1
    assert "--partition" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"), [("pytorch", "TORCHELASTIC_RUN_ID"), ("slurm", "SLURM_STEP_ID")]
)
def test_no_launcher_inside_a_launcher(script_args, launcher, monkeypatch, name, value):
    monkeypatch.setenv(value, "0")
    assert run("train", "a.py", "--launcher", name) == 0
    assert script_args == [["a.py", "--launcher", name]]
    assert not launcher.started


def test_error_of_a_rank_is_the_last_line(launcher, capsys):
    launcher.ending, launcher.status = "a.pkl: is faulty", 1
    assert run("train", "a.py", "--launcher", "pytorch") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith("a.pkl: is faulty\n")


@pytest.mark.parametrize(
    ("status", "expected"), [(1, 1), (143, 143), (-9, 137), (130, 130)]
)
def test_status_of_the_launcher(launcher, status, expected):
    launcher.status = status
    assert run("train", "a.py", "--launcher", "pytorch") == expected


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGUSR2")
def test_signals_are_forwarded(launcher):
    before = signal.getsignal(signal.SIGUSR2)
    launcher.during = staticmethod(lambda: signal.raise_signal(signal.SIGUSR2))
    assert run("train", "a.py", "--launcher", "pytorch") == 0
    assert launcher.started[0].signals == [signal.SIGUSR2]
    assert signal.getsignal(signal.SIGUSR2) == before


def test_interrupted_launcher(launcher, capsys):
    def interrupt():
        raise KeyboardInterrupt

    launcher.during = staticmethod(interrupt)
    assert run("train", "a.py", "--launcher", "pytorch") == 130
    assert capsys.readouterr().err.count("\n") == 1
