"""Tests of integrated gradients and of the deletion metric."""

import numpy as np
import pytest
import torch
from tiny_task import CLASSES, INFORMATIVE, JOINTS, samples, write_trained
from torch import nn

from msg3d.visualization.deletion import Deletion, check_saliency, deletion_figure
from msg3d.visualization.explainer import Explainer, sizes_of
from msg3d.visualization.saliency import (
    integrated_gradients,
    margin,
    saliency_figure,
)


class Squares(nn.Module):
    """Network whose logits are weighted sums of squares, with a known integral."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def extract_feat(self, inputs, stage):
        assert stage == "head"
        rows = inputs.flatten(0, 1).flatten(1)
        return rows.square() @ self.weight, {}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(config, checkpoint, annotation file)."""
    return write_trained(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def explainer(tiny):
    return Explainer(*tiny[:2], device="cpu")


def test_saliency_of_squares():
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 1, 4, 5, 3, dtype=torch.float64)
    weight = torch.randn(60, 4, dtype=torch.float64)
    saliency = integrated_gradients(Squares(weight), inputs, torch.tensor([1, 3]), 5)
    for row, label in enumerate((1, 3)):
        relative = (weight[:, label] - weight.mean(1)).view(1, 4, 5, 3)
        expected = (inputs[row] ** 2 * relative).sum(-1) / 3  # mean over 3 clips
        torch.testing.assert_close(saliency[row], expected, rtol=1e-6, atol=1e-6)


def test_saliency_sums_to_the_change_of_the_margin(explainer):
    clips = [explainer.clips(sample).inputs for sample in samples(3)]
    inputs = explainer.to_network(clips)
    labels = torch.tensor([2, 0, 1])
    saliency = integrated_gradients(explainer.model, inputs, labels, 64)
    with torch.no_grad():
        change = margin(explainer.model, inputs, labels) - margin(
            explainer.model, inputs * 0, labels
        )
    assert change.abs().min() > 0.1
    total = saliency.flatten(1).sum(1)
    torch.testing.assert_close(total, change, rtol=0.02, atol=0.02)


def test_informative_joint_is_most_salient(explainer):
    """Except for `still`, the class whose informative joint is near zero."""
    for sample in samples(9, seed=7):
        saliency, label = explainer.saliency(explainer.clips(sample))
        assert label == sample["label"]
        assert saliency.shape == sample["keypoint"].shape[:3]
        if label:
            joints = saliency.sum((0, 1))
            assert joints.argmax() == INFORMATIVE
            assert joints[INFORMATIVE] > 0.6 * np.abs(joints).sum()


def test_saliency_of_a_wrong_label_is_negative(explainer):
    sample = samples(2)[1]
    clips = explainer.clips(sample)
    saliency, label = explainer.saliency(clips, label=2)
    assert label == 2
    assert saliency[..., INFORMATIVE].sum() < 0
    positive, negative = sizes_of(saliency), sizes_of(-saliency)
    assert positive[..., INFORMATIVE].sum() < negative[..., INFORMATIVE].sum()
    assert negative.max() == 1
    assert negative.min() == 0


def test_deleting_salient_joints_hurts_more_than_random(explainer):
    moving = [sample for sample in samples(18, seed=3) if sample["label"]]
    joints, frames = check_saliency(explainer, moving, steps=8, repeats=6, batch_size=5)
    salient, random, least = joints.accuracy.values()
    assert joints.counts.tolist() == [0, 1, 2]
    assert salient[0] == random[0] == least[0] == 100
    assert salient[1] < 40
    assert least[1] == 100
    # 1 of 5 joints is informative.
    assert 70 < random[1] < 95
    assert joints.samples == len(moving)
    assert joints.area("most salient first") < joints.area("at random") - 10
    assert frames.counts[-1] == 4
    assert frames.area("most salient first") < frames.area("least salient first")


def test_deleted_joints_are_zero_in_the_inputs(explainer):
    sample = samples(2, seed=5)[1]
    (joints, _) = check_saliency(explainer, [sample], steps=8, repeats=1)
    inputs = explainer.clips(sample).inputs.copy()
    inputs[..., INFORMATIVE, :] = 0
    score = explainer.probabilities(torch.from_numpy(inputs)[None])[0, sample["label"]]
    assert joints.score["most salient first"][1] == pytest.approx(100 * score, abs=1e-3)


def test_table_and_figure_of_the_deletion_metric():
    orders = ("most salient first", "at random", "least salient first")
    deletion = Deletion(
        "joints",
        np.array([0, 1, 3]),
        dict(
            zip(
                orders,
                np.array([[90, 50, 10], [90, 80, 60], [90, 89, 88.0]]),
                strict=True,
            )
        ),
        dict(
            zip(
                orders,
                np.array([[80, 40, 0], [80, 80, 80], [80, 80, 77.0]]),
                strict=True,
            )
        ),
        7,
    )
    # (80 + 40) / 2 over 1 joint, (40 + 0) / 2 over 2 joints.
    assert deletion.area("most salient first") == pytest.approx((60 + 2 * 20) / 3)
    lines = deletion.table().splitlines()
    assert lines[3] == "| 1 | 50.0 / 40.0 | 80.0 / 80.0 | 89.0 / 80.0 |"
    assert lines[-1] == "| mean score | 33.3 | 80.0 | 79.0 |"
    ax = deletion_figure([deletion]).axes[0]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[0, 90], [1, 50], [3, 10]])


def test_saliency_figure_shows_the_sums_of_both_axes():
    values = np.random.default_rng(0).normal(size=(2, 6, JOINTS))
    figure = saliency_figure(values, tuple("abcde"), "title")
    ax, right = figure.axes[2:]
    np.testing.assert_allclose(ax.images[0].get_array(), values.sum(0).T)
    widths = [bar.get_width() for bar in right.patches]
    np.testing.assert_allclose(widths, values.sum((0, 1)))
    assert [text.get_text() for text in ax.get_yticklabels()] == list("abcde")
    assert len({sample["label"] for sample in samples(3)}) == CLASSES
