"""Confusion, bars, curves and graphs show the numbers they are of."""

import json

import numpy as np
import pytest
import torch

from errors import raises
from msg3d.evaluation import Scores
from msg3d.models import AGCN, MSG3D, LayoutAAGCN, PartitionSTGCN
from msg3d.skeletons import SKELETONS
from msg3d.visualization.confusion import (
    class_bars,
    confusion_counts,
    confusion_figure,
    counts_of,
)
from msg3d.visualization.curves import curves_figure, read_curves
from msg3d.visualization.files import (
    save_figure,
)
from msg3d.visualization.graph_maps import LearnedGraph, graph_figure, learned_graphs

# Rows are the truth: of class 0 three right and one taken for 2; of class 1 none.
COUNTS = np.array([[3, 0, 1], [0, 0, 0], [2, 0, 2]])
NAMES = ["walk", "run", "sit"]


def texts(found):
    return [one.get_text() for one in found]


def test_counts_are_label_by_prediction():
    labels = np.array([0, 0, 0, 0, 2, 2, 2, 2])
    values = np.eye(3)[[0, 0, 2, 0, 2, 0, 2, 0]]
    np.testing.assert_array_equal(confusion_counts(labels, values), COUNTS)
    scores = Scores("a.pkl", "", values, labels=labels)
    np.testing.assert_array_equal(counts_of(scores), COUNTS)
    with raises("label", file="a.pkl"):
        counts_of(Scores("a.pkl", "", values))


def test_matrix_in_percent_of_the_truth():
    figure = confusion_figure(COUNTS, NAMES, "title")
    left, right = figure.axes
    share = left.images[0].get_array().filled(np.nan)
    np.testing.assert_array_equal(share[[0, 2]], [[75, 0, 25], [50, 0, 50]])
    assert np.isnan(share[1]).all()  # a class without samples is not wrong
    written = {one.get_position(): one.get_text() for one in left.texts}
    assert written == {(0, 0): "75", (2, 0): "25", (0, 2): "50", (2, 2): "50"}
    assert texts(left.get_yticklabels()) == texts(left.get_xticklabels()) == NAMES
    widths = [bar.get_width() for bar in right.patches]
    np.testing.assert_array_equal(widths, [75, np.nan, 50])
    with raises("label", field="classes"):
        confusion_figure(COUNTS, NAMES[:2])


def test_bars_of_several_are_beside_one_another():
    other = np.array([[0, 4, 0], [0, 1, 0], [0, 0, 4]])
    figure = class_bars({"joint": COUNTS, "bone": other}, NAMES)
    (ax,) = figure.axes
    first, second = ax.containers
    assert texts(ax.get_yticklabels()) == ["walk", "sit", "run"]  # the best on top
    np.testing.assert_array_equal([b.get_width() for b in first], [75, 50, np.nan])
    np.testing.assert_array_equal([b.get_width() for b in second], [0, 100, 100])
    assert texts(figure.legends[0].texts) == [
        "joint (mean 62.5 %)",
        "bone (mean 66.7 %)",
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


def test_curves_over_epochs_and_resumed(tmp_path):
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
    found = read_curves(str(tmp_path))
    assert found["loss"] == ([0.5, 1, 1.5, 2], [4, 3, 2, 1])
    assert found["acc/top1"] == ([1, 2], [0.25, 0.5])
    figure = curves_figure([str(tmp_path)])
    assert [ax.get_title() for ax in figure.axes] == [
        "loss",
        "accuracy",
        "learning rate",
    ]
    np.testing.assert_array_equal(
        figure.axes[0].lines[0].get_xydata(), [[0.5, 4], [1, 3], [1.5, 2], [2, 1]]
    )
    assert [line.get_label() for line in figure.axes[1].lines] == [
        "top1_acc",
        "acc/top1",
    ]
    path.write_text(
        path.read_text(encoding="utf-8") + '{"lr": 0.', encoding="utf-8"
    )  # of a run that goes on
    assert read_curves(str(tmp_path))["loss"] == found["loss"]
    path.write_text("broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with raises("syntax", line=1, file=path.name):
        read_curves(str(tmp_path))
    with raises("not-found", file="elsewhere"):
        read_curves(str(tmp_path / "elsewhere"))


def graph_cfg(mode):
    return {"layout": "coco", "mode": mode}


def test_graphs_of_msg3d_are_a_and_pa():
    model = MSG3D(
        graph_cfg("binary_adj"), base_channels=12, num_gcn_scales=4, num_g3d_scales=3
    )
    layer = model.sgcn2[0]
    layer.PA.data.normal_()
    found = learned_graphs(model)
    assert len(found) == 3 * 3
    assert found["gcn3d1.gcn3d.1.gcn3d.1"].used.shape == (3, 85, 85)
    graph = found["sgcn2.0"]
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
def test_graphs_are_what_the_layer_multiplies_by(kind, options, monkeypatch):
    model = kind(graph_cfg("spatial"), base_channels=8, num_stages=2, **options)
    for name, value in model.named_parameters():
        if name.endswith((".PA", ".A")):
            value.data.add_(0.1 * value.data.new_ones(()).normal_())
    unit = model.gcn[0].gcn
    found = learned_graphs(model)["gcn.0.gcn"]
    seen = []
    if kind is AGCN:
        expected = unit.A + unit.PA
    elif kind is LayoutAAGCN:
        expected = unit.A
    else:
        einsum = torch.einsum
        monkeypatch.setattr(
            torch,
            "einsum",
            lambda what, args: seen.append(args[1]) or einsum(what, args),
        )
        model(torch.rand(1, 2, 8, 17, 3))
        expected = seen[0]
    np.testing.assert_array_equal(found.used, expected.detach())
    if kind is LayoutAAGCN:
        assert found.learned is None
    elif options:
        assert not found.learned.any()
    else:
        fixed = unit.A.numpy()
        np.testing.assert_allclose(found.learned, found.used - fixed, atol=1e-7)


def test_picture_of_graphs():
    rng = np.random.default_rng(0)
    graph = LearnedGraph(rng.normal(size=(9, 17, 17)), rng.normal(size=(9, 17, 17)) / 9)
    joints = SKELETONS["coco"].joints
    figure = graph_figure(graph, joints, "layer")
    maps = {ax.get_title(): ax for ax in figure.axes if ax.images}
    assert len(maps) == 18
    for number in (0, 8):
        for what, values in (("graph", graph.used), ("learned", graph.learned)):
            image = maps[f"{what} {number}"].images[0]
            np.testing.assert_array_equal(image.get_array(), values[number])
            most = np.abs(values).max()
            assert image.get_clim() == (-most, most)
    assert texts(maps["learned 7"].get_yticklabels()) == list(joints)
    graph.used[0, 0, 0] = np.nan
    with raises("not-finite"):
        graph_figure(graph)


def test_pictures_are_whole_or_not_there(tmp_path):
    figure = confusion_figure(COUNTS)
    for ending in ("png", "svg", "pdf"):
        save_figure(figure, tmp_path / f"a.{ending}")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    for path in ("a.jpg", "nowhere/a.png"):
        with raises("file-name", file=path):
            save_figure(figure, tmp_path / path)
    assert len(list(tmp_path.iterdir())) == 3
