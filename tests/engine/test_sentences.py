"""One-sentence descriptions of errors that users can fix."""

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


def description(action, *args, **kwargs):
    """Return the description of the error that a call raises."""
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
    assert description(throw, error) == "a.pkl: is faulty"
    assert description(throw, CheckpointError("is damaged", kind="corrupt"))
    assert description(throw, FloatingPointError("the loss is NaN"))


def test_operating_system(tmp_path):
    assert "no.txt" in description(open, tmp_path / "no.txt")
    assert description(throw, PermissionError("work_dir is read-only"))


def test_missing_package():
    assert "no_such_package" in description(builtins.__import__, "no_such_package")
    modules = ["no_such_module"]
    assert "no_such_module" in description(import_modules_from_strings, modules)


def test_memory():
    assert "batch_size" in description(
        throw, torch.OutOfMemoryError("CUDA out of memory.")
    )
    assert "batch_size" in description(torch.empty, 10**15, dtype=torch.float64)


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
    assert place in description(Config.fromfile, tmp_path / "child.py")


def test_options():
    config = Config({"steps": [1]})
    assert "--cfg-options" in description(config.merge_from_dict, {"steps.5.a": 1})
    action = DictAction(["--cfg-options"], "options")
    assert "--cfg-options" in description(action, None, None, ["no value"], None)


def test_registry():
    init_default_scope("mmaction")
    text = description(MODELS.build, {"type": "GCNHeads"})
    assert "GCNHeads" in text
    assert "'GCNHead'" in text
    head = {"type": "GCNHead", "in_channels": 4, "num_classes": 4}
    text = description(MODELS.build, {**head, "num_class": 3})
    assert "GCNHead" in text
    assert "num_class" in text
    graph_cfg = {"layout": "no-layout"}
    text = description(MODELS.build, {"type": "STGCN", "graph_cfg": graph_cfg})
    assert "STGCN" in text
    assert "layout" in text


def test_head():
    """Raised with configs without CheckDataHook."""
    head = GCNHead(num_classes=4, in_channels=6)
    text = description(head, torch.zeros(1, 1, 8, 2, 5))
    assert "model.cls_head.in_channels" in text
    assert "6" in text
    assert "8" in text


def test_incomplete_config(tmp_path):
    assert "model" in description(Runner.from_cfg, Config({"work_dir": str(tmp_path)}))


class Faulty(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise DataError("is faulty", kind="corrupt", file="a.pkl")


def wrapped(error):
    """Wrap an error as a data loader worker does."""
    try:
        raise error
    except Exception:
        return ExceptionWrapper(where="in DataLoader worker process 0")


def test_data_loader_worker():
    assert description(next, iter(DataLoader(Faulty()))) == "a.pkl: is faulty"
    error = DataError("is faulty", kind="corrupt", file="a.pkl")
    assert description(wrapped(error).reraise) == "a.pkl: is faulty"
    assert description(wrapped(IndexError("5")).reraise) is None


@pytest.mark.parametrize(
    "error", [IndexError("5"), TypeError("x"), AssertionError(), KeyError("a")]
)
def test_bugs(error):
    assert description(throw, error) is None


def test_bug_in_a_registered_class(monkeypatch):
    init_default_scope("mmaction")
    monkeypatch.setattr(GCNHead, "__init__", lambda self: throw(IndexError("5")))
    assert description(MODELS.build, {"type": "GCNHead"}) is None


def test_source_paths_exist():
    import mmaction
    import mmengine

    from msg3d.engine import sentences

    folder = Path(mmengine.__file__).parents[1]
    assert Path(mmaction.__file__).is_relative_to(folder)
    for name in ("CONFIG", "BUILD", "RUNNER", "GCN_HEAD", "TOOLS"):
        assert (folder / getattr(sentences, name)).exists()


def test_interruption_converted_to_another_error():
    def format_config():
        try:
            raise KeyboardInterrupt
        except:  # noqa: E722 (as in MMEngine)
            raise SyntaxError("cannot format the config")  # noqa: B904 (likewise)

    with pytest.raises(SyntaxError) as caught:
        format_config()
    assert is_interruption(caught.value)
    assert not is_interruption(SyntaxError("in a config"))
