"""Fixtures and helpers of all tests. msg3d is imported first: it fixes the stack."""

import importlib.util
import locale
import os
import pickle
import platform
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy.testing  # noqa: F401  (of NumPy 1, it starts a process)
import pytest
import torch

import msg3d  # noqa: F401
from msg3d.models import by_sample

# Libraries ask for it in some tests. The answer, which is kept, starts a process.
platform.uname().processor  # noqa: B018

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"

# Test processes beside one another: a second thread each would wait for the other's
# core, in what they start as well.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
else:
    torch.set_num_threads(2)


PROCESSES = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
started: list[str] = []
# Functions of the interpreter report to audit hooks, whoever calls them.
sys.addaudithook(
    lambda event, args: event in PROCESSES and started.append(f"{event}{args[:2]}")
)


@pytest.fixture(autouse=True)
def no_processes(request, monkeypatch):
    """Processes belong into tests/integration: unit tests are fast, and run anywhere."""
    if {"fuzz", "integration"} & set(request.path.parts):
        yield
        return
    # MMEngine starts a compiler and git to log their versions.
    monkeypatch.setattr("mmengine.runner.runner.collect_env", dict)
    monkeypatch.setattr("mmengine.runner.runner.get_git_hash", str)
    monkeypatch.setattr("mmengine.hooks.runtime_info_hook.get_git_hash", str)
    before = len(started)
    yield
    assert started[before:] == [], "move this test to tests/integration"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """`make test` runs the unit tests of the package, and the main job."""
    for item in items:
        slower = {"benchmarks", "fuzz", "integration", "studies"} & set(item.path.parts)
        if slower and not item.get_closest_marker("main_job"):
            item.add_marker("integration")


def pyproject() -> dict:
    """Return the contents of pyproject.toml."""
    # Of the standard library since Python 3.11; pytest brings tomli for 3.10.
    tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def load_module(path: Path):
    """A command of `tools/`, or another file that no package has, as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpickled(path: Path):
    """Return what a file of the shared data contains, read with Python's own pickle."""
    try:
        return pickle.loads(Path(path).read_bytes())
    except ModuleNotFoundError:
        pytest.skip("the file was written with NumPy 2: NumPy 1 cannot unpickle it")


def user_env() -> dict[str, str]:
    """The environment of a user: no PYTHONPATH, and the commands of this Python first."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    return env


def make_link(link: Path, target: Path) -> None:
    """Make a symbolic link; skip the test where users may not make any."""
    try:
        link.symlink_to(target)
    except OSError as error:
        pytest.skip(f"cannot make a symbolic link: {error}")


def free_port() -> int:
    """A port at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def shared() -> Path:
    """The folder of large reference data, which only the developers have."""
    if not SHARED.is_dir():
        pytest.skip("needs the developers' reference data in ../shared")
    return SHARED


@pytest.fixture
def ascii_locale():
    """Text files are in ASCII by default, except on Windows and in UTF-8 mode."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.fixture(params=["by sample", "by group", "by batch"])
def form(request, monkeypatch):
    """Every form of the operators, however small the case."""
    least = float("inf") if request.param == "by batch" else 0
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", least)
    if request.param == "by sample":
        monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", 1)
    return request.param


def copy_repository(folder: Path) -> Path:
    """Copy the files that git knows, or would know, into a folder."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("git says which files belong to the repository, and this is none")
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        text=True,
    )
    for name in filter(None, listed.split("\0")):
        source, target = REPOSITORY / name, folder / name
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return folder


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the repository as git knows it, in which commands may write."""
    return copy_repository(tmp_path / "checkout")
