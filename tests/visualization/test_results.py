"""Tests of the figures of confusion matrices, accuracies, curves, and graphs."""

import json

import numpy as np
import pytest
import torch

from errors import raises
from msg3d.evaluation import Scores
from msg3d.evaluation.statistics import counts_of
from msg3d.models import AGCN, MSG3D, LayoutAAGCN, PartitionSTGCN
from msg3d.skeletons import SKELETONS
from msg3d.visualization.confusion import (
    class_bars,
    confusion_counts,
    confusion_figure,
)
from msg3d.visualization.curves import curves_figure, read_curves
from msg3d.visualization.files import save_figure
from msg3d.visualization.graph_maps import LearnedGraph, graph_figure, learned_graphs

# Rows are labels. Class 0: 3 correct, 1 predicted as class 2. Class 1: no samples.
COUNTS = np.array([[3, 0, 1], [0, 0, 0], [2, 0, 2]])
NAMES = ["walk", "run", "sit"]


def texts(artists):
    return [artist.get_text() for artist in artists]


def test_counts_are_indexed_by_label_and_prediction():
    labels = np.array([0, 0, 0, 0, 2, 2, 2, 2])
    values = np.eye(3)[[0, 0, 2, 0, 2, 0, 2, 0]]
    np.testing.assert_array_equal(confusion_counts(labels, values), COUNTS)
    scores = Scores("a.pkl", "", values, labels=labels)
    np.testing.assert_array_equal(counts_of(scores), COUNTS)
    with raises("label", file="a.pkl"):
        counts_of(Scores("a.pkl", "", values))


def test_confusion_matrix_in_percent_per_label():
    figure = confusion_figure(COUNTS, NAMES, "title")
    left, right = figure.axes
    share = left.images[0].get_array().filled(np.nan)
    np.testing.assert_array_equal(share[[0, 2]], [[75, 0, 25], [50, 0, 50]])
    assert np.isnan(share[1]).all()  # a class without samples has no accuracy
    cells = {text.get_position(): text.get_text() for text in left.texts}
    assert cells == {(0, 0): "75", (2, 0): "25", (0, 2): "50", (2, 2): "50"}
    assert texts(left.get_yticklabels()) == texts(left.get_xticklabels()) == NAMES
    widths = [bar.get_width() for bar in right.patches]
    np.testing.assert_array_equal(widths, [75, np.nan, 50])
    with raises("label", field="classes"):
        confusion_figure(COUNTS, NAMES[:2])


def test_bars_of_several_networks():
    other = np.array([[0, 4, 0], [0, 1, 0], [0, 0, 4]])
    figure = class_bars({"joint": COUNTS, "bone": other}, NAMES)
    (ax,) = figure.axes
    first, second = ax.containers
    assert texts(ax.get_yticklabels()) == ["walk", "sit", "run"]  # best on top
    np.testing.assert_array_equal([b.get_width() for b in first], [75, 50, np.nan])
    np.testing.assert_array_equal([b.get_width() for b in second], [0, 100, 100])
    assert texts(figure.legends[0].texts) == [
        "joint (mean: 62.5%)",
        "bone (mean: 66.7%)",
    ]
    with raises("samples-differ"):
        class_bars({"a": COUNTS, "b": np.eye(4, dtype=int)})


def log(folder, lines, run="20260101_000000"):
    path = folder / run / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
    )
    return path


def training(step, epoch, loss):
    return {
        "lr": 0.1,
        "loss": loss,
        "top1_acc": 0.5,
        "time": 1.0,
        "epoch": epoch,
        "iter": step,
        "step": step,
    }


def test_curves_of_a_resumed_run(tmp_path):
    log(
        tmp_path,
        [
            training(5, 1, 4.0),
            training(10, 1, 3.0),
            {"acc/top1": 0.25, "time": 1.0, "step": 1},
            training(15, 2, 9.0),
        ],
    )
    path = log(
        tmp_path,
        [
            training(15, 2, 2.0),
            training(20, 2, 1.0),
            {"acc/top1": 0.5, "time": 1.0, "step": 2},
        ],
        "20260102_000000",
    )
    curves = read_curves(str(tmp_path))
    assert curves["loss"] == ([0.5, 1, 1.5, 2], [4, 3, 2, 1])
    assert curves["acc/top1"] == ([1, 2], [0.25, 0.5])
    figure = curves_figure([str(tmp_path)])
    assert [ax.get_title() for ax in figure.axes] == [
        "loss",
        "accuracy",
        "learning rate",
    ]
    np.testing.assert_array_equal(
        figure.axes[0].lines[0].get_xydata(), [[0.5, 4], [1, 3], [1.5, 2], [2, 1]]
    )
    labels = [line.get_label() for line in figure.axes[1].lines]
    assert labels == ["training", "validation"]
    incomplete = path.read_text(encoding="utf-8") + '{"lr": 0.'  # still being written
    path.write_text(incomplete, encoding="utf-8")
    assert read_curves(str(tmp_path))["loss"] == curves["loss"]
    path.write_text("broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with raises("syntax", line=1, file=path.name):
        read_curves(str(tmp_path))
    with raises("not-found", file="elsewhere"):
        read_curves(str(tmp_path / "elsewhere"))


def graph_cfg(mode):
    return {"layout": "coco", "mode": mode}


def test_learned_graphs_of_msg3d():
    model = MSG3D(
        graph_cfg("binary_adj"), base_channels=12, num_gcn_scales=4, num_g3d_scales=3
    )
    layer = model.sgcn2[0]
    layer.PA.data.normal_()
    graphs = learned_graphs(model)
    assert len(graphs) == 3 * 3
    assert graphs["gcn3d1.gcn3d.1.gcn3d.1"].used.shape == (3, 85, 85)
    graph = graphs["sgcn2.0"]
    np.testing.assert_array_equal(graph.learned, layer.PA.detach())
    np.testing.assert_array_equal(graph.used, (layer.A + layer.PA).detach())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (PartitionSTGCN, {}),
        (PartitionSTGCN, {"gcn_adaptive": None}),
        (LayoutAAGCN, {}),
        (AGCN, {}),
    ],
)
def test_learned_graphs_match_the_graphs_that_layers_use(kind, options, monkeypatch):
    model = kind(graph_cfg("spatial"), base_channels=8, num_stages=2, **options)
    for name, value in model.named_parameters():
        if name.endswith((".PA", ".A")):
            value.data.add_(0.1 * value.data.new_ones(()).normal_())
    unit = model.gcn[0].gcn
    graph = learned_graphs(model)["gcn.0.gcn"]
    operands = []
    if kind is AGCN:
        expected = unit.A + unit.PA
    elif kind is LayoutAAGCN:
        expected = unit.A
    else:
        einsum = torch.einsum
        monkeypatch.setattr(
            torch,
            "einsum",
            lambda what, args: operands.append(args[1]) or einsum(what, args),
        )
        model(torch.rand(1, 2, 8, 17, 3))
        expected = operands[0]
    np.testing.assert_array_equal(graph.used, expected.detach())
    if kind is LayoutAAGCN:
        assert graph.learned is None
    elif options:
        assert not graph.learned.any()
    else:
        fixed = unit.A.numpy()
        np.testing.assert_allclose(graph.learned, graph.used - fixed, atol=1e-7)


def test_graph_figure():
    rng = np.random.default_rng(0)
    graph = LearnedGraph(rng.normal(size=(9, 17, 17)), rng.normal(size=(9, 17, 17)) / 9)
    joints = SKELETONS["coco"].joints
    figure = graph_figure(graph, joints, "layer")
    maps = {ax.get_title(): ax for ax in figure.axes if ax.images}
    assert len(maps) == 18
    for number in (0, 8):
        for what, values in (("graph", graph.used), ("learned part", graph.learned)):
            image = maps[f"{what}, scale {number}"].images[0]
            np.testing.assert_array_equal(image.get_array(), values[number])
            limit = np.abs(values).max()
            assert image.get_clim() == (-limit, limit)
    assert texts(maps["learned part, scale 7"].get_yticklabels()) == list(joints)
    graph.used[0, 0, 0] = np.nan
    with raises("not-finite"):
        graph_figure(graph)


def test_save_figure_leaves_no_file_after_an_error(tmp_path):
    figure = confusion_figure(COUNTS)
    for ending in ("png", "svg", "pdf"):
        save_figure(figure, tmp_path / f"a.{ending}")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    for path in ("a.jpg", "nowhere/a.png"):
        with raises("file-name", file=path):
            save_figure(figure, tmp_path / path)
    assert len(list(tmp_path.iterdir())) == 3
