"""Deferred work of MMEngine and MMAction2, which must not change results."""

import sys

import numpy as np
import pytest
import scipy.stats
from mmaction.datasets.transforms import pose_transforms
from mmaction.visualization import ActionVisualizer
from mmengine.config import Config, config
from mmengine.visualization import Visualizer
from yapf.yapflib.yapf_api import FormatCode

from msg3d.compat import startup


def test_statistics():
    assert sys.modules["scipy.stats"] is scipy.stats
    values = np.array([[3, 1, 1], [2, 2, 0]])
    actual, expected = (
        mode(values, axis=1) for mode in (pose_transforms.mode, scipy.stats.mode)
    )
    np.testing.assert_array_equal(actual, expected)


def test_config_text(monkeypatch):
    calls = []

    def counted(text, **options):
        calls.append(text)
        return FormatCode(text, **options)

    monkeypatch.setattr(config, "FormatCode", startup._remembered(counted))
    first, second = Config({"a": [1, {"b": 2}]}), Config({"a": [1, {"b": 3}]})
    assert (
        first.pretty_text == first.pretty_text == "a = [\n    1,\n    dict(b=2),\n]\n"
    )
    assert second.pretty_text == first.pretty_text.replace("2", "3")
    assert len(calls) == 2


@pytest.mark.parametrize("kind", [ActionVisualizer, Visualizer])
def test_figure(kind):
    visualizer = kind(fig_save_cfg={"frameon": False, "dpi": 50})
    assert not set(startup.FIGURE) & set(vars(visualizer))
    with pytest.raises(AttributeError, match="other"):
        visualizer.other  # noqa: B018
    image = np.zeros((20, 30, 3), np.uint8)
    visualizer.set_image(image)
    visualizer.draw_lines(np.array([0, 29]), np.array([10, 10]), colors="r")
    drawn = visualizer.get_image()
    assert visualizer.dpi == 50
    assert drawn.shape == image.shape
    assert drawn[10, 15, 0] > 200


def test_image_at_once():
    image = np.full((20, 30, 3), 7, np.uint8)
    np.testing.assert_array_equal(Visualizer("other", image).get_image(), image)
    np.testing.assert_array_equal(Visualizer(image=image).get_image(), image)
