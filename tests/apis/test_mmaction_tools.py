"""msg3d as a plugin of mim, and wrappers of MMAction2's tools."""

import os
import runpy
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

import msg3d
from errors import raises
from msg3d.apis import flops, mmaction_tools

PACKAGE = Path(msg3d.__file__).parent
WRAPPERS = sorted((PACKAGE / ".mim" / "tools").glob("*.py"))


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda path: path.stem)
def test_wrappers_start(wrapper, monkeypatch, capsys):
    """A wrapper prints the help of its tool, or the missing package."""
    monkeypatch.setattr("sys.argv", [str(wrapper), "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(wrapper), run_name="__main__")
    if caught.value.code:
        assert "pip install" in caught.value.code
    else:
        assert "usage:" in capsys.readouterr().out


def test_files_for_mim():
    assert {"train.py", "test.py"} <= {path.name for path in WRAPPERS}
    assert (PACKAGE / ".mim" / "model-index.yml").is_file()


def test_config_names_are_unique():
    """mim searches the package for NAME.py and follows links.

    A copy of configs/ or a link to it in .mim/ would make every name ambiguous.
    """
    names = Counter()
    for folder, _, files in os.walk(PACKAGE, followlinks=True):
        if f"{os.sep}configs" in folder.removeprefix(str(PACKAGE)):
            names.update(file for file in files if file.endswith(".py"))
    leaves = {path.name for path in PACKAGE.glob("configs/[!_]*/*.py")}
    assert leaves
    assert {name: names[name] for name in leaves if names[name] != 1} == {}


def test_unknown_tool():
    with pytest.raises(FileNotFoundError, match=r"no_such_tool\.py"):
        mmaction_tools.run_tool("no_such_tool.py")


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "seaborn", None)
    monkeypatch.setattr("sys.argv", ["analyze_logs.py"])
    with pytest.raises(SystemExit) as caught:
        mmaction_tools.run_tool("analysis_tools/analyze_logs.py")
    assert "pip install seaborn" in caught.value.code


def test_tool_receives_arguments(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.py").write_text("answer = 42\n", encoding="utf-8")
    arguments = ["print_config.py", str(tmp_path / "config.py")]
    monkeypatch.setattr("sys.argv", arguments)
    mmaction_tools.run_tool("analysis_tools/print_config.py")
    assert "answer = 42" in capsys.readouterr().out


class Mixer(nn.Module):
    """A graph convolution as an einsum, with a head."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 4, bias=False)

    def extract_feat(self, inputs, stage):
        assert stage == "head"
        assert not self.training
        x = torch.einsum("bnmtvc,vw->bnmtwc", inputs, torch.eye(inputs.shape[4]))
        return self.head(x.mean((2, 3, 4)))


def test_einsums_are_counted():
    model, (clips, persons, frames, joints, channels) = Mixer(), (2, 2, 5, 7, 3)
    shape = clips, persons, frames, joints, channels
    counts = flops.count_flops(model, shape)
    mixing = clips * persons * frames * joints * joints * channels
    assert counts == {"flops": 2 * (mixing + clips * 3 * 4), "parameters": 12}
    assert model.training


def test_input_shape():
    name = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py"
    cfg = Config.fromfile(PACKAGE / "configs" / "msg3d" / name)
    assert flops.input_shape(cfg) == (10, 2, 100, 17, 3)
    cfg.test_dataloader.dataset.pipeline = []
    with raises("config", file=name):
        flops.input_shape(cfg)
