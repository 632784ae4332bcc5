"""Functions that run when modules have been imported."""

import importlib
import inspect
import sys

import pytest

from msg3d.compat import on_import


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Package `waited` with modules `first` and `second`, not yet imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(on_import, "_actions", [])
    (tmp_path / "waited").mkdir()
    (tmp_path / "waited/__init__.py").write_text(
        "from . import first\nlast = 1\n", encoding="utf-8"
    )
    (tmp_path / "waited/first.py").write_text(
        "from . import second\nlast = 1\n", encoding="utf-8"
    )
    (tmp_path / "waited/second.py").write_text("last = 1\n", encoding="utf-8")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "waited"]:
        del sys.modules[name]


def wait(*names, before=False):
    """Return the calls of an action: for each, which modules were complete."""
    calls = []

    @on_import.when_imported(*names, before=before)
    def call():
        complete = [hasattr(sys.modules.get(name), "last") for name in names]
        calls.append(complete)

    on_import.start()
    return calls


@pytest.mark.parametrize("name", ["waited", "waited.first", "waited.second"])
def test_runs_after_the_module(name, modules):
    calls = wait(name)
    assert calls == []
    importlib.import_module("waited")
    importlib.import_module(name)
    assert calls == [[True]]


def test_runs_at_once_if_the_module_is_loaded(modules):
    importlib.import_module("waited")
    assert wait("waited.first") == [[True]]


def test_runs_after_all_modules(modules):
    calls = wait("waited", "waited.second", "json")
    importlib.import_module("waited")
    assert calls == [[True, True, False]]  # json has no `last`


def test_action_that_triggers_another_action(modules):
    order = []
    for name, imported in (
        ("json", "waited"),
        ("waited", "json"),
        ("waited.second", "re"),
    ):

        @on_import.when_imported(name)
        def run(name=name, imported=imported):
            importlib.import_module(imported)
            order.append(name)

    on_import.start()
    assert order == ["waited.second", "waited", "json"]


def test_runs_before_the_module(modules):
    calls = wait("waited.second", before=True)
    importlib.import_module("waited")
    assert calls == [[False]]


def test_errors_are_raised_by_each_import(modules):
    broken = [True]

    @on_import.when_imported("waited", before=True)
    def fail():
        if broken:
            raise ImportError("unsupported")

    on_import.start()
    for _ in range(2):
        with pytest.raises(ImportError, match="unsupported"):
            importlib.import_module("waited")
    broken.clear()
    assert importlib.import_module("waited").last


def test_error_in_the_module(modules, tmp_path):
    (tmp_path / "waited/second.py").write_text(
        "raise KeyError('second')\n", encoding="utf-8"
    )
    calls = wait("waited.second")
    with pytest.raises(KeyError):
        importlib.import_module("waited")
    assert calls == []
    (tmp_path / "waited/second.py").write_text(
        "last = 1\nfixed = True\n", encoding="utf-8"
    )
    importlib.invalidate_caches()
    importlib.import_module("waited")
    assert calls == [[True]]


def test_loader_and_source_are_unchanged(modules):
    wait("waited.first")
    module = importlib.import_module("waited.first")
    assert "from . import second" in inspect.getsource(module)
    assert "exec_module" not in vars(module.__loader__)
    assert importlib.util.find_spec("waited.none") is None
    assert importlib.reload(module) is module
