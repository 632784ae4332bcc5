"""Conversion of published checkpoints preserves the scores."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine import Config
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint

from errors import raises
from msg3d.checkpoints import (
    convert_back,
    convert_checkpoint,
)
from msg3d.errors import CheckpointError
from msg3d.models import graph
from plain_stgcn import PlainSTGCN
from weights import golden_weights


def built(path):
    """Build the float64 model of NAME.py with the weights of NAME.pth."""
    config = Config.fromfile(path.with_suffix(".py"))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model).double()
    load_checkpoint(model, str(path), strict=True)
    return model


@pytest.fixture
def original(shared):
    folder = shared / "golden"
    entries = json.loads((folder / "original_ntu25.json").read_text(encoding="utf-8"))[
        "state_dict"
    ]
    return golden_weights(entries), np.load(folder / "original_ntu25.npz")


@pytest.fixture
def golden_rounding(monkeypatch):
    """Round the inverse roots of the degrees as in the golden file.

    The last bit of `degrees ** -0.5` in float32 depends on the processor. The golden
    file was computed with AVX-512, which gives a lower 6 ** -0.5 and a higher
    7 ** -0.5. Everything else must agree to 1e-10.
    """
    last_bits = {6: -np.inf, 7: np.inf}

    def normalize(matrix):
        degrees = matrix.sum(axis=1)
        scale = (degrees.astype(np.float64) ** -0.5).astype(np.float32)
        for degree, direction in last_bits.items():
            rounded = np.nextafter(scale, np.float32(direction))
            scale = np.where(degrees == degree, rounded, scale)
        expected = graph.normalize_symmetric(matrix)
        actual = scale[:, None] * matrix * scale
        np.testing.assert_allclose(actual, expected, rtol=3e-7)
        return actual

    monkeypatch.setitem(graph.NORMS, "symmetric", normalize)


def test_msg3d_of_the_authors(original, golden_rounding, tmp_path):
    state, golden = original
    torch.save(state, tmp_path / "in.pt")
    name = convert_checkpoint(str(tmp_path / "in.pt"), str(tmp_path / "out.pth"))
    assert name == "MS-G3D as its authors released it"
    model = built(tmp_path / "out.pth")
    # [N, C, T, V, M] -> [N, M, T, V, C]
    x = torch.as_tensor(golden["input0"]).permute(0, 4, 2, 3, 1)
    with torch.no_grad():
        scores = model.eval().cls_head(model.backbone(x))
    error = np.abs(scores.numpy() - golden["eval_output"]).max()
    assert error < 1e-10 * np.abs(golden["eval_output"]).max()
    model.train()
    scores = model.cls_head(model.backbone(x))
    np.testing.assert_allclose(
        scores.detach().numpy(), golden["train_output"], rtol=0, atol=1e-10
    )
    assert sum(p.numel() for p in model.parameters()) == 3194595


def test_round_trip(original, tmp_path):
    state, _ = original
    prefixed = {f"module.{key}": value for key, value in state.items()}
    torch.save(prefixed, tmp_path / "in.pt")
    convert_checkpoint(str(tmp_path / "in.pt"), str(tmp_path / "out.pth"))
    convert_back(str(tmp_path / "out.pth"), str(tmp_path / "again.pt"))
    again = torch.load(tmp_path / "again.pt")
    assert again.keys() == state.keys()
    for key, value in state.items():
        assert torch.equal(again[key], value), key


def saved(model, path, names=lambda key: key):
    state = {names(key): value for key, value in model.state_dict().items()}
    torch.save(state, path)
    return str(path)


def scores(model, x):
    with torch.no_grad():
        return model.eval().cls_head(model.backbone(x))


def randomize(model):
    """Change all entries of the state dict to distinct values."""
    generator = torch.Generator().manual_seed(0)
    for key, value in model.state_dict().items():
        if value.is_floating_point() and not key.endswith(".A"):
            noise = torch.rand(value.shape, generator=generator, dtype=value.dtype)
            value.mul_(0.5).add_(0.1 * noise)
            if key.endswith("running_var"):
                value.abs_().add_(0.5)
    return model


@pytest.mark.parametrize("importance", [True, False])
@pytest.mark.parametrize(("subsets", "joints"), [(3, 18), (2, 25), (1, 25)])
def test_stgcn_of_the_authors(tmp_path, importance, subsets, joints):
    torch.manual_seed(0)
    matrices = torch.rand(subsets, joints, joints, dtype=torch.float64)
    theirs = randomize(PlainSTGCN(matrices, 7, importance=importance).double())
    source = saved(theirs, tmp_path / "in.pt")
    out = tmp_path / "out.pth"
    assert "ST-GCN as" in convert_checkpoint(source, str(out))
    x = torch.rand(2, 3, 13, joints, 2, dtype=torch.float64)
    with torch.no_grad():
        expected = theirs.eval()(x)
    ours = scores(built(out), x.permute(0, 4, 2, 3, 1))
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
    convert_back(str(out), str(tmp_path / "again.pt"))
    again = torch.load(tmp_path / "again.pt")
    for key, value in theirs.state_dict().items():
        assert torch.equal(again[key], value), key


@pytest.mark.parametrize("kind", ["AGCN", "LayoutAAGCN", "no attention"])
def test_agcn_of_the_authors(tmp_path, kind):
    """The test renames the entries of a model itself."""
    options = {"gcn_attention": False} if kind == "no attention" else {}
    backbone = dict(
        type="AGCN" if kind == "AGCN" else "LayoutAAGCN",
        graph_cfg={"layout": "kinect25", "mode": "spatial"},
        num_person=2,
        **options,
    )
    head = {"type": "GCNHead", "num_classes": 5, "in_channels": 256}
    with DefaultScope.overwrite_default_scope("mmaction"):
        config = {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}
        model = randomize(MODELS.build(config).double())

    def theirs(key):
        key = key.replace("backbone.", "").replace("cls_head.", "")
        for block in range(9, -1, -1):
            key = key.replace(f"gcn.{block}.gcn.", f"l{block + 1}.gcn1.")
            key = key.replace(f"gcn.{block}.tcn.", f"l{block + 1}.tcn1.")
            key = key.replace(f"gcn.{block}.residual", f"l{block + 1}.residual")
        return key.replace("gcn1.A", "gcn1.PA") if kind != "AGCN" else key

    state = {theirs(key): value for key, value in model.state_dict().items()}
    # The authors' network computes these from its graph.
    state = {key: value for key, value in state.items() if key.split(".")[-1] != "A"}
    torch.save(state, tmp_path / "in.pt")
    convert_checkpoint(str(tmp_path / "in.pt"), str(tmp_path / "out.pth"))
    x = torch.rand(2, 2, 13, 25, 3, dtype=torch.float64)
    again = built(tmp_path / "out.pth")
    assert type(again.backbone).__name__ == type(model.backbone).__name__
    torch.testing.assert_close(
        scores(again, x), scores(model, x), rtol=1e-12, atol=1e-12
    )
    convert_back(str(tmp_path / "out.pth"), str(tmp_path / "again.pt"))
    back = torch.load(tmp_path / "again.pt")
    assert back.keys() == state.keys()
    for key, value in state.items():
        assert torch.equal(back[key], value), key


def port(**options):
    """Build a small float64 MS-G3D as in MMAction2 and PYSKL."""
    backbone = dict(
        type="MSG3D",
        graph_cfg={"layout": "nturgb+d", "mode": "binary_adj"},
        base_channels=12,
        num_person=1,
        **options,
    )
    head = {"type": "GCNHead", "num_classes": 5, "in_channels": 48}
    with DefaultScope.overwrite_default_scope("mmaction"):
        config = {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}
        return randomize(MODELS.build(config).double())


def test_pyskl(tmp_path):
    model = port(num_gcn_scales=8, num_g3d_scales=4)
    source = saved(
        model, tmp_path / "in.pth", lambda key: key.replace("fc.", "fc_cls.")
    )
    assert convert_checkpoint(source, str(tmp_path / "out.pth")) == "MS-G3D of PYSKL"
    x = torch.rand(2, 1, 12, 25, 3, dtype=torch.float64)
    again = scores(built(tmp_path / "out.pth"), x)
    torch.testing.assert_close(again, scores(model, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "backbone",
    [
        {"type": "STGCN", "graph_cfg": {"layout": "coco", "mode": "stgcn_spatial"}},
        {
            "type": "STGCN",
            "graph_cfg": {"layout": "nturgb+d", "mode": "spatial"},
            "gcn_adaptive": "init",
            "gcn_with_res": True,
            "tcn_type": "mstcn",
        },
        {"type": "AAGCN", "graph_cfg": {"layout": "coco", "mode": "spatial"}},
        {
            "type": "AAGCN",
            "graph_cfg": {"layout": "openpose", "mode": "spatial"},
            "gcn_attention": False,
            "num_person": 1,
            "in_channels": 2,
        },
    ],
    ids=["ST-GCN", "ST-GCN++", "AAGCN", "AAGCN, one person"],
)
def test_pyskl_family(tmp_path, backbone):
    """PYSKL's networks differ from MMAction2's only in the name of the classifier."""
    head = {"type": "GCNHead", "num_classes": 5, "in_channels": 256}
    with DefaultScope.overwrite_default_scope("mmaction"):
        config = {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}
        model = randomize(MODELS.build(config).double())
    source = saved(
        model, tmp_path / "in.pth", lambda key: key.replace("fc.", "fc_cls.")
    )
    assert "of PYSKL" in convert_checkpoint(source, str(tmp_path / "out.pth"))
    persons = backbone.get("num_person", 2)
    joints, channels = model.backbone.graph.num_node, backbone.get("in_channels", 3)
    x = torch.rand(2, persons, 12, joints, channels, dtype=torch.float64)
    again = scores(built(tmp_path / "out.pth"), x)
    torch.testing.assert_close(again, scores(model, x), rtol=1e-12, atol=1e-12)


def test_mask_compensates_another_graph(tmp_path):
    """MMAction2's graph and normalization differ from the authors'."""
    model = port()
    back, again = tmp_path / "back.pt", tmp_path / "again.pth"
    source = saved(model, tmp_path / "ours.pth")
    assert "MS-G3D as" in convert_back(source, str(back))
    convert_checkpoint(str(back), str(again))
    assert "symmetric" in again.with_suffix(".py").read_text(encoding="utf-8")
    x = torch.rand(2, 1, 12, 25, 3, dtype=torch.float64)
    torch.testing.assert_close(
        scores(built(again), x), scores(model, x), rtol=1e-12, atol=1e-12
    )


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_errors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    converted = dict(port().state_dict().items())
    renamed = {key.replace("fc.", "fc_cls."): value for key, value in converted.items()}
    incomplete = {
        key: value
        for key, value in renamed.items()
        if key != "backbone.tcn2.branches.0.0.bias"
    }
    resized = {**renamed, "backbone.tcn2.branches.0.0.bias": torch.zeros(3)}
    for state, kind, text in (
        ([1], "weights", "list"),
        ({"a": 1}, "weights", "'a'"),
        ({"state_dict": {}}, "weights", "dict"),
        ({"a": Evil()}, "unsafe", "posix.system"),
        ({"conv1.weight": torch.zeros(1)}, "unknown-format", "conv1.weight"),
        (converted, "wrong-file-type", "--checkpoint"),
        (incomplete, "weights", "backbone.tcn2.branches.0.0.bias"),
        ({**renamed, "backbone.new": torch.zeros(1)}, "weights", "backbone.new"),
        (resized, "weights", "(3,)"),
    ):
        torch.save(state, "in.pt")
        with raises(kind, CheckpointError, file="in.pt") as error:
            convert_checkpoint("in.pt", "out.pth")
        assert text in str(error.value)
        assert "\n" not in str(error.value)
    names = {path.name for path in Path().iterdir()}
    assert not {"out.pth", "out.py", "evil"} & names
    torch.save(renamed, "in.pt")
    for arguments, kind, file in (
        (("in.pt", "out.pt"), "file-name", "out.pt"),
        (("none.pt", "out.pth"), "not-found", "none.pt"),
        (("in.pt", "out.pth", "coco"), "layout", "in.pt"),
    ):
        with raises(kind, CheckpointError, file=file):
            convert_checkpoint(*arguments)
    torch.save({"conv1.weight": torch.zeros(1)}, "in.pt")
    with raises("unknown-format", CheckpointError, file="in.pt"):
        convert_back("in.pt", "out.pt")
