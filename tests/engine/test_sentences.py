"""Errors that users can fix become one sentence; defects keep their traceback."""

import builtins
from pathlib import Path

import pytest
import torch
from mmaction.models import GCNHead
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader

from msg3d.engine.sentences import is_interruption, sentence
from msg3d.errors import CheckpointError, DataError


def described(action, *args, **kwargs):
    """The sentence of the error that a call raises."""
    try:
        action(*args, **kwargs)
    except Exception as error:
        text = sentence(error)
        assert text is None or "\n" not in text
        return text
    raise AssertionError("raised nothing")


def throw(error):
    raise error


def test_own_errors():
    error = DataError("is\nfaulty", kind="corrupt", file="a.pkl")
    assert described(throw, error) == "a.pkl: is faulty"
    assert described(throw, CheckpointError("is damaged", kind="corrupt"))
    assert described(throw, FloatingPointError("the loss is NaN"))


def test_operating_system(tmp_path):
    assert "no.txt" in described(open, tmp_path / "no.txt")
    assert described(throw, PermissionError("work_dir is read-only"))


def test_missing_package():
    assert "no_such_package" in described(builtins.__import__, "no_such_package")
    modules = ["no_such_module"]
    assert "no_such_module" in described(import_modules_from_strings, modules)


def test_memory():
    assert "batch_size" in described(
        throw, torch.OutOfMemoryError("CUDA out of memory.")
    )
    assert "batch_size" in described(torch.empty, 10**15, dtype=torch.float64)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = dict(", "line 2"),
        ("a = 1\nb = c\n", "line 2"),
        ("_base_ = 'no.py'\n", "no.py"),
        ("_base_ = 'base.py'\na = dict(b=1)\n", "a="),
        ("custom_imports = dict(imports=['no_such_module'])\n", "custom_imports"),
    ],
)
def test_configs(tmp_path, text, place):
    (tmp_path / "base.py").write_text("a = 'text'\n", encoding="utf-8")
    (tmp_path / "child.py").write_text(text, encoding="utf-8")
    assert place in described(Config.fromfile, tmp_path / "child.py")


def test_options():
    config = Config({"steps": [1]})
    assert "--cfg-options" in described(config.merge_from_dict, {"steps.5.a": 1})
    action = DictAction(["--cfg-options"], "options")
    assert "--cfg-options" in described(action, None, None, ["no value"], None)


def test_registry():
    init_default_scope("mmaction")
    text = described(MODELS.build, {"type": "GCNHeads"})
    assert "GCNHeads" in text
    assert "'GCNHead'" in text
    head = {"type": "GCNHead", "in_channels": 4, "num_classes": 4}
    text = described(MODELS.build, {**head, "num_class": 3})
    assert "GCNHead" in text
    assert "num_class" in text
    graph_cfg = {"layout": "no-layout"}
    text = described(MODELS.build, {"type": "STGCN", "graph_cfg": graph_cfg})
    assert "STGCN" in text
    assert "layout" in text


def test_head():
    """As in configs without CheckDataHook."""
    head = GCNHead(num_classes=4, in_channels=6)
    text = described(head, torch.zeros(1, 1, 8, 2, 5))
    assert "model.cls_head.in_channels" in text
    assert "6" in text
    assert "8" in text


def test_incomplete_config(tmp_path):
    assert "model" in described(Runner.from_cfg, Config({"work_dir": str(tmp_path)}))


class Faulty(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise DataError("is faulty", kind="corrupt", file="a.pkl")


def wrapped(error):
    """An error in the form in which a loader's worker sends it."""
    try:
        raise error
    except Exception:
        return ExceptionWrapper(where="in DataLoader worker process 0")


def test_worker_of_a_loader():
    assert described(next, iter(DataLoader(Faulty()))) == "a.pkl: is faulty"
    error = DataError("is faulty", kind="corrupt", file="a.pkl")
    assert described(wrapped(error).reraise) == "a.pkl: is faulty"
    assert described(wrapped(IndexError("5")).reraise) is None


@pytest.mark.parametrize(
    "error", [IndexError("5"), TypeError("x"), AssertionError(), KeyError("a")]
)
def test_defects(error):
    assert described(throw, error) is None


def test_defect_in_a_registered_class(monkeypatch):
    init_default_scope("mmaction")
    monkeypatch.setattr(GCNHead, "__init__", lambda self: throw(IndexError("5")))
    assert described(MODELS.build, {"type": "GCNHead"}) is None


def test_paths_are_those_of_the_stack():
    """The modules that errors are attributed to."""
    import mmaction
    import mmengine

    from msg3d.engine import sentences

    folder = Path(mmengine.__file__).parents[1]
    assert Path(mmaction.__file__).is_relative_to(folder)
    for name in ("CONFIG", "BUILD", "RUNNER", "GCN_HEAD", "TOOLS"):
        assert (folder / getattr(sentences, name)).exists()


def test_interruption_that_becomes_another_error():
    def format_config():
        try:
            raise KeyboardInterrupt
        except:  # noqa: E722 (as MMEngine does)
            raise SyntaxError("cannot format the config")  # noqa: B904 (likewise)

    with pytest.raises(SyntaxError) as caught:
        format_config()
    assert is_interruption(caught.value)
    assert not is_interruption(SyntaxError("in a config"))
