"""Valid and malicious configs in checkpoints."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from errors import raises
from msg3d import Recognizer
from msg3d.apis.trained import TestPipeline, load_model, load_network
from msg3d.checkpoints import rewrite
from msg3d.checkpoints.stored_config import MAX_CHARACTERS, parse_config, stored_config
from msg3d.errors import CheckpointError, ConfigError
from tiny_models import NTU_3D, trained
from tiny_runs import prepare, train

NAMES = list("abcd")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("network"), NTU_3D, NAMES)


@pytest.fixture
def changed(network, tmp_path, monkeypatch):
    """Return a function that writes the checkpoint with a changed config text."""
    monkeypatch.chdir(tmp_path)
    checkpoint = torch.load(network[1])

    def change(old, new):
        text = checkpoint["meta"]["cfg"]
        assert old in text
        meta = dict(checkpoint["meta"], cfg=text.replace(old, new))
        torch.save(dict(checkpoint, meta=meta), "changed.pth")
        return "changed.pth"

    return change


def test_all_values_that_mmengine_writes():
    values = {
        "numbers": [1, -2, 1.5, -1e-3, float("inf"), -float("inf"), True, None],
        "texts": ["it's", '"', "a\nb", "x" * 200, "~é"],
        "pairs": ((1, 2), (), (3,), [[]], [{"a": ()}]),
        "mapping": {"not a name": {1: "a", ".bias": {"x": 0}}, "b": {}},
        "empty": {},
    }
    assert parse_config(Config(values).pretty_text) == values


def test_checkpoint_of_a_run(tmp_path):
    path = prepare(tmp_path)
    train(path, tmp_path / "run", **{"train_cfg.max_epochs": 1})
    (checkpoint,) = (tmp_path / "run").glob("epoch_1.pth")
    config, file = load_network(checkpoint)
    assert file == str(checkpoint)
    expected = Config.fromfile(path)
    for section in ("model", "test_dataloader"):
        assert config[section].to_dict() == expected[section].to_dict()
    model = load_model(config, file, "cpu").model
    assert model.cls_head.num_classes == 4
    assert TestPipeline(config).expected == TestPipeline(expected).expected


def test_safetensors_without_config_file(network, tmp_path):
    assert rewrite(str(network[1]), str(tmp_path / "tiny.safetensors")) == []
    recognizer = Recognizer(tmp_path / "tiny.safetensors", device="cpu")
    assert recognizer.classes == tuple(NAMES)
    assert recognizer.expected == Recognizer(*network, device="cpu").expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch executed')",
        "open('executed', 'w')",
        "a = __import__('os')",
        "a = float('inf')",
        "a = dict([('b', 1)])",
        "a = dict(1)",
        "a = dict(**b)",
        "a = {**b}",
        "a = [*b]",
        "a = dict({}, b=1)",
        "a = dict.fromkeys",
        "a = ().__class__.__base__",
        "a = [b for b in (1, 2)]",
        "a = {b: b for b in (1, 2)}",
        "a = lambda: 1",
        "a = f'{open}'",
        "a = b'1'",
        "a = 1j",
        "a = ...",
        "a = 1 + 1",
        "a = 'x' * 1000000000",
        "a = 9 ** 9 ** 9",
        "a = -'x'",
        "a = -True",
        "a = --1",
        "a = not 1",
        "a = 1 if 2 else 3",
        "a = (b := 1)",
        "a = b",
        "a = b = 1",
        "a, b = 1, 2",
        "a.b = 1",
        "a[0] = 1",
        "a: int = 1",
        "a += 1",
        "a = {[]: 1}",
        "del a",
        "import os",
        "from os import system",
        "class A: pass",
        "def a(): pass",
        "if 1:\n    a = 1",
        "while True: pass",
        "'documentation'",
    ],
)
def test_other_python_code_is_rejected(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with raises("unsafe", CheckpointError, line=2):
        parse_config(f"model = dict()\n{text}\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "a =",
        "a = dict(",
        "a = '\0'",
        "a = " + "9" * 5000,
        "a = " + "[" * 150 + "]" * 150,
        "a = " + "dict(a=" * 70 + "1" + ")" * 70,
        "a = " + "(" * 100_000,
        "a = " + "-" * 500_000 + "1",
        "a = 1" + " + 1" * 200_000,
        "a = b" + ".c" * 400_000,
        "a = b" + "()" * 400_000,
        "a = " + "not " * 200_000 + "1",
        "a = 1\n" * MAX_CHARACTERS,
        "#" * (MAX_CHARACTERS + 1),
    ],
    ids=range(14),
)
def test_resource_exhaustion_is_prevented(text):
    with raises("unsafe", CheckpointError):
        parse_config(text)


@pytest.mark.parametrize("meta", [{}, {"cfg": None}, {"cfg": " "}, {"cfg": 1}])
def test_without_config(meta):
    with raises("config", CheckpointError, file="a.pth"):
        stored_config(meta, "a.pth")


@pytest.mark.parametrize("text", ["a = 1", "model = 1", "model = []"])
def test_without_model(text):
    with raises("config", CheckpointError, file="a.pth"):
        stored_config({"cfg": text}, "a.pth")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type='MSG3D'", "type='os.system'"),
        ("type='MSG3D'", "type='evil'"),
        ("type='MSG3D'", "type='evil.Network'"),
        ("type='MSG3D'", "type='mmengine.utils.call_command'"),
        ("type='MSG3D'", "type='mmengine.config.Config.fromfile'"),
        ("type='MSG3D'", "type='torch.hub.load'"),
        ("type='MSG3D'", "type='torchvision.resnet18', pretrained=True"),
        ("type='MSG3D'", "type='timm.hf_hub:evil/model'"),
        ("type='MSG3D'", "type='CLIPSimilarity'"),
        ("type='MSG3D'", "type='MSG3D', _scope_='evil'"),
        ("type='RecognizerGCN'", "type='builtins.exec'"),
        ("type='GCNHead'", "type='GCNHead', loss_cls=dict(type='evil')"),
        ("type='PoseDecode'", "type='evil'"),
        ("type='PoseDecode'", "type='LoadImageFromFile'"),
        ("default_scope='mmaction'", "default_scope='evil'"),
    ],
)
def test_other_types_are_rejected(changed, monkeypatch, old, new):
    Path("evil.py").write_text(
        "open('executed', 'w')\nNetwork = print", encoding="utf-8"
    )
    Path("evil").mkdir()
    for name in ("__init__.py", "registry.py"):
        Path("evil", name).write_text("open('executed', 'w')", encoding="utf-8")
    monkeypatch.syspath_prepend(".")
    with raises("unsafe", CheckpointError, file="changed.pth"):
        Recognizer(changed(old, new), device="cpu")
    assert not Path("executed").exists()
    assert "evil" not in sys.modules


def test_names_in_arguments_import_nothing(tmp_path, monkeypatch):
    """STGCN builds a layer from a string."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(".")
    Path("evil.py").write_text("open('executed', 'w')", encoding="utf-8")
    text = """
model = dict(type='RecognizerGCN', cls_head=dict(
    type='GCNHead', num_classes=2, in_channels=4), backbone=dict(type='STGCN',
    gcn_act='evil', graph_cfg=dict(layout='coco', mode='stgcn_spatial')))
"""
    torch.save({"state_dict": {}, "meta": {"cfg": text}}, "a.pth")
    with raises("unsafe", CheckpointError, file="a.pth"):
        load_model(*load_network("a.pth"), "cpu")
    assert not Path("executed").exists()


def test_custom_imports_are_ignored(changed):
    Path("evil.py").write_text("open('executed', 'w')", encoding="utf-8")
    file = changed("imports=[", "imports=['evil', ")
    assert Recognizer(file, device="cpu").classes == tuple(NAMES)
    assert not Path("executed").exists()


def test_types_with_modules(changed):
    """As written by MMEngine for pure-Python configs."""
    file = changed("type='MSG3D'", "type='msg3d.models.msg3d.MSG3D'")
    assert Recognizer(file, device="cpu").classes == tuple(NAMES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("base_channels=12", "base_chanels=12"),
        ("pipeline=[", "pipeline=[1, "),
        ("type='RecognizerGCN'", "type='ReLU'"),
    ],
)
def test_config_without_valid_network(changed, old, new):
    with pytest.raises((CheckpointError, ConfigError)) as caught:
        Recognizer(changed(old, new), device="cpu")
    assert caught.value.kind == "config"


def test_invalid_content(changed):
    file = changed("'msg3d'", "'msg3d'")
    content = torch.load(file)
    for other in ([1], torch.ones(2), dict(content, state_dict={"a": 1})):
        torch.save(other, "other.pth")
        with raises("weights", CheckpointError, file="other.pth"):
            load_model(load_network(file)[0], "other.pth", "cpu")
    torch.save([1], "other.pth")
    with raises("weights", CheckpointError, file="other.pth"):
        load_network("other.pth")
    for names in (1, "abcd", [1]):
        meta = dict(content["meta"], dataset_meta=names)
        torch.save(dict(content, meta=meta), "other.pth")
        assert Recognizer("other.pth", device="cpu").classes == tuple("0123")


def test_missing_layout_file(changed):
    with raises("not-found", CheckpointError, file="changed.pth"):
        Recognizer(changed("layout='nturgb+d'", "layout='mine.json'"), device="cpu")


def test_config_without_checkpoint(network):
    with raises("option", ConfigError, file="tiny.py"):
        Recognizer(network[0], device="cpu")
    with raises("option", ConfigError, file=NTU_3D):
        Recognizer(NTU_3D)
    with raises("option", ConfigError):
        Recognizer(Config.fromfile(network[0]))
