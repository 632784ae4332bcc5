"""Checkpoints of MMEngine load; those that bring code do not, by whatever way."""

import pickle
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from errors import raises
from msg3d.errors import CheckpointError
from samples_of_compat import Climber, Malice, Stranger


def load(path):
    return CheckpointLoader.load_checkpoint(str(path), "cpu", "silent")


def contents():
    """Everything that MMEngine writes beside the weights, and a bit more."""
    return {
        "log": HistoryBuffer([1.0, 2.0], [1, 1]),
        "array": np.arange(6.0).reshape(2, 3),
        "scalars": [np.float64(0.5), np.float32(2), np.int64(3), np.bool_(True)],
        "names": np.array(["wave", "kick"]),
        "state_dict": {"weight": torch.ones(2)},
    }


@pytest.mark.parametrize("core", ["numpy._core", "numpy.core"])
def test_checkpoint_loads_whichever_numpy_wrote_it(core, tmp_path):
    torch.save(contents(), tmp_path / "here.pth")
    renamed = 0
    with (
        zipfile.ZipFile(tmp_path / "here.pth") as here,
        zipfile.ZipFile(tmp_path / "there.pth", "w") as there,
    ):
        for item in here.infolist():
            data = here.read(item)
            for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
                renamed += data.count(name)
                data = data.replace(name, f"{core}.multiarray".encode())
            there.writestr(item, data)
    assert renamed
    found, expected = load(tmp_path / "there.pth"), contents()
    assert found["log"].mean() == 1.5
    assert found["log"].statistics("max") == 2.0
    assert found["scalars"] == expected["scalars"]
    for key in ("array", "names"):
        np.testing.assert_array_equal(found[key], expected[key])
    assert torch.equal(found["state_dict"]["weight"], torch.ones(2))


@pytest.mark.parametrize(
    ("make", "name"),
    [(Malice, "eval"), (lambda _: Stranger(), "PurePosixPath")],
    ids=["malice", "stranger"],
)
@pytest.mark.parametrize("way", ["loader", "model", "url"])
def test_any_other_global_is_refused(make, name, way, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    file, marker = cache / "evil.pth", tmp_path / "ran"
    torch.save({"state_dict": {}, "meta": make(marker)}, file)
    # The URL is answered from torch.hub's cache.
    path = "https://nowhere.invalid/evil.pth" if way == "url" else str(file)
    with raises("unsafe", CheckpointError, file=path) as caught:
        if way == "model":
            load_checkpoint(torch.nn.Linear(1, 1), path, logger="silent")
        else:
            load(path)
    assert not marker.exists()
    assert isinstance(caught.value, pickle.UnpicklingError)
    text = str(caught.value)
    assert name in text
    assert len(text.splitlines()) == 1
    assert "weights_only" not in text
    assert caught.value.__suppress_context__


def test_getattr_climbs_nowhere(tmp_path):
    torch.save(Climber(), tmp_path / "climb.pth")
    with raises("unsafe", file="climb.pth") as caught:
        load(tmp_path / "climb.pth")
    assert "builtins.getattr" in str(caught.value)


def test_object_arrays_are_refused(tmp_path):
    torch.save(np.array([{}, None], dtype=object), tmp_path / "object.pth")
    with raises("weights", CheckpointError, file="object.pth"):
        load(tmp_path / "object.pth")
