"""Checkpoints as .safetensors."""

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from errors import raises
from in_process import msg3d_command
from msg3d.checkpoints import (
    rewrite,
)
from msg3d.checkpoints.reading import read_state
from msg3d.errors import CheckpointError

pytest.importorskip("safetensors", reason="needs the package safetensors")
META = {"dataset_meta": {"classes": ["wave", "kick"]}, "epoch": 3, "shape": (480, 640)}


def weights():
    torch.manual_seed(0)
    shared = torch.rand(4, 3)
    return {
        "backbone.a": shared,
        "backbone.same": shared,
        "backbone.turned": torch.rand(3, 5).T,
        "backbone.half": torch.rand(2).half(),
        "backbone.num_batches_tracked": torch.tensor(7),
        "cls_head.fc.weight": torch.rand(2, 4),
    }


@pytest.fixture
def trained(tmp_path):
    """A checkpoint as saved by MMEngine."""
    path = tmp_path / "epoch_3.pth"
    data = {"state_dict": weights(), "meta": {**META, "log": HistoryBuffer([1.0], [1])}}
    torch.save({**data, "optimizer": {"state": {}}}, path)
    return str(path)


def load(path):
    return CheckpointLoader.load_checkpoint(str(path), "cpu", "silent")


def test_round_trip(trained, tmp_path):
    plain, again = str(tmp_path / "x.safetensors"), str(tmp_path / "again.pth")
    assert rewrite(trained, plain) == ["optimizer", "meta['log']"]
    assert rewrite(plain, again) == []
    for path in (plain, again):
        checkpoint = load(path)
        assert checkpoint["meta"] == META
        assert checkpoint["state_dict"].keys() == weights().keys()
        for key, value in weights().items():
            assert torch.equal(checkpoint["state_dict"][key], value), key
            assert checkpoint["state_dict"][key].dtype == value.dtype


def test_mmengine_loads_safetensors(tmp_path, trained):
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "a.pth")
    rewrite(str(tmp_path / "a.pth"), str(tmp_path / "a.safetensors"))
    model = torch.nn.Linear(3, 2)
    load_checkpoint(model, str(tmp_path / "a.safetensors"), strict=True)
    assert torch.equal(model.weight, torch.load(tmp_path / "a.pth")["weight"])


def test_package_safetensors_reads_the_file(trained, tmp_path):
    from safetensors.torch import load_file

    rewrite(trained, str(tmp_path / "x.safetensors"))
    state = load_file(tmp_path / "x.safetensors")
    assert torch.equal(state["backbone.a"], weights()["backbone.a"])


def test_command(trained, tmp_path, capsys):
    out = str(tmp_path / "x.safetensors")
    for source, target in ((trained, out), (out, str(tmp_path / "back.pth"))):
        assert msg3d_command("convert-checkpoint", source, target) == 0
    assert "without optimizer" in capsys.readouterr().out
    assert load(tmp_path / "back.pth")["meta"] == META
    assert msg3d_command("convert-checkpoint", out, out) == 1
    assert msg3d_command("convert-checkpoint", out, tmp_path / "a.txt") == 2


def header(text, rest=b""):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 40,
        struct.pack("<Q", 2**62) + b"{}",
        header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        header({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 4]}}, bytes(4)),
        header({"__metadata__": {"msg3d.meta": "[1]"}}),
        header({"__metadata__": {"msg3d.meta": "{"}}),
        header(b"[" * 100_000),
    ],
)
@pytest.mark.parametrize("way", [load, lambda path: read_state(str(path))])
def test_corrupt_file(content, way, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with raises("corrupt", CheckpointError, file="x.safetensors") as error:
        way(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("way", [load, lambda path: read_state(str(path))])
def test_other_files(way, tmp_path):
    path = tmp_path / "x.safetensors"
    with raises("not-found", CheckpointError, file="x.safetensors"):
        way(path)
    for content, kind in ((b"", "empty"), (b"<html>", "wrong-file-type")):
        path.write_bytes(content)
        with raises(kind, CheckpointError, file="x.safetensors"):
            way(path)


@pytest.mark.parametrize(
    "weight",
    [
        torch.zeros(1).expand(10**9),
        torch.zeros(2, 2).to_sparse(),
        torch.zeros(3, device="meta"),
    ],
    ids=["expanded", "sparse", "meta"],
)
def test_tensors_larger_than_their_storage(weight, tmp_path):
    """Copying an expanded tensor would allocate all its elements."""
    torch.save({"weight": weight}, tmp_path / "x.pth")
    with raises("weights", CheckpointError, file="x.pth") as error:
        read_state(str(tmp_path / "x.pth"))
    assert "'weight'" in str(error.value)


@pytest.mark.parametrize(
    ("length", "kind"),
    [(0, "empty"), (1, "weights"), (100, "truncated"), (-30, "truncated")],
)
def test_truncated_checkpoint(trained, tmp_path, length, kind):
    content = Path(trained).read_bytes()
    (tmp_path / "cut.pth").write_bytes(content[:length])
    with raises(kind, CheckpointError, file="cut.pth") as error:
        load(tmp_path / "cut.pth")
    assert isinstance(error.value, pickle.UnpicklingError)
    assert len(str(error.value).splitlines()) == 1


def test_content_without_a_dictionary(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with raises("weights", CheckpointError, file="list.pth"):
        load(tmp_path / "list.pth")


def test_arrays_in_meta(tmp_path):
    data = {"state_dict": weights(), "meta": {"seed": np.int64(3), "a": np.arange(3)}}
    torch.save(data, tmp_path / "a.pth")
    rewrite(str(tmp_path / "a.pth"), str(tmp_path / "a.safetensors"))
    meta = load(tmp_path / "a.safetensors")["meta"]
    assert meta["seed"] == 3
    assert meta["a"].tolist() == [0, 1, 2]
