"""Disturbances and configs of the study of robustness."""

import numpy as np
import pytest
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from studies import robustness

POSE = np.random.default_rng(0).normal(size=(1, 30, 20, 3)).astype(np.float32)


def disturbed(title, value):
    _, function = robustness.DISTURBANCES[title]
    return function(POSE, np.random.default_rng(0), value)


@pytest.mark.parametrize("title", robustness.DISTURBANCES)
def test_the_first_value_changes_nothing(title):
    values, _ = robustness.DISTURBANCES[title]
    np.testing.assert_allclose(disturbed(title, values[0]), POSE, atol=1e-6)
    assert not np.array_equal(disturbed(title, values[-1]), POSE)


def test_disturbances():
    assert 0.045 < (disturbed("noise, cm", 5) - POSE).std() < 0.055
    assert (disturbed("missing joints of 20", 4) == 0).all((0, 1, 3)).sum() == 4
    assert (disturbed("missing frames, %", 40) == 0).all((0, 2, 3)).sum() == 12
    np.testing.assert_array_equal(disturbed("frames per second", 10), POSE[:, ::3])
    moved = disturbed("camera angle, degrees", 90)
    np.testing.assert_allclose(moved[..., 1], POSE[..., 1], atol=1e-5)
    np.testing.assert_allclose(moved[0, 0, 0], POSE[0, 0, 0], atol=1e-5)


def test_the_recipes_have_equal_budgets(tmp_path):
    init_default_scope("mmaction")
    for network in ("msg3d", "stgcn"):
        small, plain = (
            robustness.config(network, kind, tmp_path) for kind in ("small", "plain")
        )
        backbones = [MODELS.build(cfg.model.backbone) for cfg in (small, plain)]
        sizes = [sum(p.numel() for p in net.parameters()) for net in backbones]
        assert sizes[1] < sizes[0] < 1.1 * sizes[1]  # the input has more channels
        repeats = small.train_dataloader.dataset.times
        assert plain.train_cfg.max_epochs == repeats * small.train_cfg.max_epochs
