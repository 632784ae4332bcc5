"""MMEngine's checkpoints load; checkpoints with code are rejected."""

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
    """Content of MMEngine's checkpoints, and more types."""
    return {
        "log": HistoryBuffer([1.0, 2.0], [1, 1]),
        "array": np.arange(6.0).reshape(2, 3),
        "scalars": [np.float64(0.5), np.float32(2), np.int64(3), np.bool_(True)],
        "names": np.array(["wave", "kick"]),
        "state_dict": {"weight": torch.ones(2)},
    }


@pytest.mark.parametrize("core", ["numpy._core", "numpy.core"])
def test_checkpoints_of_all_numpy_versions_load(core, tmp_path):
    torch.save(contents(), tmp_path / "original.pth")
    count = 0
    with (
        zipfile.ZipFile(tmp_path / "original.pth") as original,
        zipfile.ZipFile(tmp_path / "renamed.pth", "w") as renamed,
    ):
        for item in original.infolist():
            data = original.read(item)
            for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
                count += data.count(name)
                data = data.replace(name, f"{core}.multiarray".encode())
            renamed.writestr(item, data)
    assert count
    loaded, expected = load(tmp_path / "renamed.pth"), contents()
    assert loaded["log"].mean() == 1.5
    assert loaded["log"].statistics("max") == 2.0
    assert loaded["scalars"] == expected["scalars"]
    for key in ("array", "names"):
        np.testing.assert_array_equal(loaded[key], expected[key])
    assert torch.equal(loaded["state_dict"]["weight"], torch.ones(2))


@pytest.mark.parametrize(
    ("make", "name"),
    [(Malice, "eval"), (lambda _: Stranger(), "PurePosixPath")],
    ids=["malicious", "unknown"],
)
@pytest.mark.parametrize("way", ["loader", "model", "url"])
def test_other_globals_are_rejected(make, name, way, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    file, marker = cache / "evil.pth", tmp_path / "ran"
    torch.save({"state_dict": {}, "meta": make(marker)}, file)
    # torch.hub reads the URL from its cache.
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


def test_restricted_getattr(tmp_path):
    torch.save(Climber(), tmp_path / "climb.pth")
    with raises("unsafe", file="climb.pth") as caught:
        load(tmp_path / "climb.pth")
    assert "builtins.getattr" in str(caught.value)


def test_object_arrays_are_rejected(tmp_path):
    torch.save(np.array([{}, None], dtype=object), tmp_path / "object.pth")
    with raises("weights", CheckpointError, file="object.pth"):
        load(tmp_path / "object.pth")
