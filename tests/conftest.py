"""Fixtures and helpers of all tests. Importing msg3d first applies its fixes."""

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

import numpy.testing  # noqa: F401  (starts a process in NumPy 1)
import pytest
import torch

import msg3d  # noqa: F401
from msg3d.models import by_sample

# Some libraries call this, which starts a process. The result is cached.
platform.uname().processor  # noqa: B018

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"

# Parallel test processes, and the processes that they start, use one thread each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
else:
    torch.set_num_threads(2)


PROCESSES = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
started: list[str] = []
# Audit hooks detect processes that any library starts.
sys.addaudithook(
    lambda event, args: event in PROCESSES and started.append(f"{event}{args[:2]}")
)


@pytest.fixture(autouse=True)
def no_processes(request, monkeypatch):
    """Prevent unit tests from starting processes: they must be fast and portable."""
    if {"fuzz", "integration"} & set(request.path.parts):
        yield
        return
    # MMEngine runs a compiler and git to log versions.
    monkeypatch.setattr("mmengine.runner.runner.collect_env", dict)
    monkeypatch.setattr("mmengine.runner.runner.get_git_hash", str)
    monkeypatch.setattr("mmengine.hooks.runtime_info_hook.get_git_hash", str)
    before = len(started)
    yield
    assert started[before:] == [], "move this test to tests/integration"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark slow tests, which `make test` skips, as integration tests."""
    for item in items:
        slower = {"benchmarks", "fuzz", "integration", "studies"} & set(item.path.parts)
        if slower and not item.get_closest_marker("main_job"):
            item.add_marker("integration")


def pyproject() -> dict:
    """Return the contents of pyproject.toml."""
    # tomllib requires Python 3.11. On 3.10, pytest installs tomli.
    tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def load_module(path: Path):
    """Import a file outside of any package, such as a script of `tools/`."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpickled(path: Path):
    """Unpickle a file of the shared data with Python's pickle module."""
    try:
        return pickle.loads(Path(path).read_bytes())
    except ModuleNotFoundError:
        pytest.skip("NumPy 1 cannot unpickle files of NumPy 2")


def user_env() -> dict[str, str]:
    """Return an environment without PYTHONPATH, with this Python's commands in PATH."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    return env


def make_link(link: Path, target: Path) -> None:
    """Create a symbolic link, or skip the test if this is not permitted."""
    try:
        link.symlink_to(target)
    except OSError as error:
        pytest.skip(f"cannot create a symbolic link: {error}")


def free_port() -> int:
    """Return an unused port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def shared() -> Path:
    """Folder of large reference data, which only developers have."""
    if not SHARED.is_dir():
        pytest.skip("requires the developers' reference data in ../shared")
    return SHARED


@pytest.fixture
def ascii_locale():
    """Make ASCII the default encoding, except on Windows and in UTF-8 mode."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.fixture(params=["by sample", "by group", "by batch"])
def form(request, monkeypatch):
    """Force each implementation of the operators, regardless of the input size."""
    minimum = float("inf") if request.param == "by batch" else 0
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", minimum)
    if request.param == "by sample":
        monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", 1)
    return request.param


def copy_repository(folder: Path) -> Path:
    """Copy the files that git tracks or does not ignore to a folder."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("requires a git repository")
    output = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        text=True,
    )
    for name in filter(None, output.split("\0")):
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
    """Writable copy of the repository."""
    return copy_repository(tmp_path / "checkout")
