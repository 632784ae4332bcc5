"""Skeleton layouts from JSON files."""

import json
from typing import ClassVar

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.runner import Runner

from errors import raises
from in_process import without_paperwork
from msg3d.annotations.inspection import inspect_annotations
from msg3d.errors import ConfigError
from msg3d.export.write import recipe_text
from msg3d.skeletons import convert_layout, inline_layouts, skeleton
from samples import annotations
from tiny_runs import prepare

LAYOUT = {
    "num_node": 5,
    "inward": [[0, 1], [2, 1], [3, 2], [4, 2]],
    "center": 1,
    "joints": ["left_hand", "neck", "pelvis", "left_foot", "right_foot"],
    "spine": [2, 1],
    "shoulders": [4, 3],
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.json").write_text(json.dumps(LAYOUT), encoding="utf-8")
    return "my.json"


def test_file_equals_dictionary(file, tmp_path):
    assert skeleton(file) == skeleton(LAYOUT) == skeleton(str(tmp_path / file))


def test_changed_file(file, tmp_path):
    assert skeleton(file).center == 1
    (tmp_path / file).write_text(
        json.dumps({**LAYOUT, "center": 2, "spine": [0, 1]}), encoding="utf-8"
    )
    assert skeleton(file).center == 2


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        ("", "syntax", None),
        ("[1, 2]", "layout", None),
        (json.dumps({**LAYOUT, "inward": 5}), "layout", "inward"),
        (json.dumps({**LAYOUT, "joints": [1, 2, 3, 4, 5]}), "layout", "joints"),
        (json.dumps({**LAYOUT, "num_node": 10**9}), "layout", "num_node"),
        (json.dumps({**LAYOUT, "edges": []}), "layout", "edges"),
    ],
)
def test_faulty_file(tmp_path, content, kind, field):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with raises(kind, ConfigError, file="bad.json", field=field):
        skeleton(str(path))


def test_missing_file(tmp_path):
    with raises("not-found", ConfigError, file="no.json", field="layout"):
        skeleton(str(tmp_path / "no.json"))
    with raises("io", ConfigError, file="folder.json", field="layout"):
        (tmp_path / "folder.json").mkdir()
        skeleton(str(tmp_path / "folder.json"))


@pytest.mark.parametrize(
    "transform",
    [
        {"type": "SkeletonFeatures", "layout": "my.json", "feats": ["b"]},
        {"type": "AlignView", "layout": "my.json"},
        {"type": "AlignSkeleton3D", "layout": "my.json"},
        {"type": "ConvertLayout", "source": "my.json", "target": "my.json"},
        {"type": "LabanEffort", "layout": "my.json"},
    ],
)
def test_transforms(file, transform):
    build = TRANSFORMS.build
    sample = {"keypoint": np.random.rand(1, 8, 5, 3).astype("f4"), "total_frames": 8}
    inline = json.loads(json.dumps(transform))
    inline_layouts(inline)
    results = [build(step)(dict(sample))["keypoint"] for step in (transform, inline)]
    assert np.array_equal(*results)


@pytest.mark.parametrize("name", ["MSG3D", "PartitionSTGCN", "AGCN", "ResTCN"])
def test_networks(file, name):
    mode = "binary_adj" if name == "MSG3D" else "spatial"
    graph_cfg = {"layout": file, "mode": mode}
    model = MODELS.build({"type": name, "graph_cfg": graph_cfg, "base_channels": 6})
    assert model.graph.num_node == 5
    assert model.eval()(torch.zeros(1, 2, 16, 5, 3)).ndim == 5


def test_conversion_requires_joint_names(tmp_path, file):
    assert convert_layout(np.ones((1, 5, 3)), file, LAYOUT).shape == (1, 5, 3)
    nameless = {key: LAYOUT[key] for key in ("num_node", "inward", "center")}
    (tmp_path / "nameless.json").write_text(json.dumps(nameless), encoding="utf-8")
    with raises("layout", ConfigError, field="joints"):
        convert_layout(np.ones((1, 5, 3)), "nameless.json", file)


def test_checker(file):
    assert inspect_annotations(annotations(joints=5), file).layouts == [file]
    faults = inspect_annotations(annotations(joints=6), file).faults
    assert "layout-joints" in {fault.kind for fault in faults}


def test_exported_file_contains_the_layout(file):
    class Pipeline:
        steps: ClassVar = [{"type": "SkeletonFeatures", "layout": file}]

        def __init__(self):
            self.expected = type("Expected", (), {})()
            self.expected.layout = file

    recipe = json.loads(recipe_text(Pipeline(), ["a"], "MSG3D"))
    assert recipe["expected"]["layout"] == recipe["pipeline"][0]["layout"] == LAYOUT
    assert Pipeline.steps[0]["layout"] == file


def test_checkpoint_contains_the_layout(file, tmp_path):
    cfg = Config.fromfile(prepare(tmp_path))
    cfg.model.backbone.type = "PartitionSTGCN"
    cfg.model.backbone.graph_cfg = {"layout": file, "mode": "spatial"}
    cfg.layout = file
    cfg.work_dir = str(tmp_path / "work")
    cfg.train_cfg.max_epochs = 1
    with without_paperwork():
        Runner.from_cfg(cfg).train()
    saved = torch.load(tmp_path / "work" / "epoch_1.pth")["meta"]["cfg"]
    assert ".json" not in saved
    assert "left_hand" in saved
    dumped = Config.fromfile(tmp_path / "work" / "tiny.py")
    assert dumped.model.backbone.graph_cfg.layout == LAYOUT
