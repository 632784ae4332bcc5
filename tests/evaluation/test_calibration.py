"""Tests of calibration: reliability, temperature, and `msg3d calibrate`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_fusion import pickled, softmax

from errors import raises
from exported_models import needs_onnx_export, tiny, walks
from in_process import msg3d_command
from msg3d import Recognizer
from msg3d.checkpoints import rewrite
from msg3d.checkpoints.reading import read_data
from msg3d.checkpoints.temperature import store_temperature
from msg3d.errors import CheckpointError
from msg3d.evaluation import apply_temperature, calibration_error, fit_temperature
from msg3d.evaluation.calibration import log_loss, reliability
from msg3d.export import export
from msg3d.visualization import reliability_figure
from tiny_models import trained_on_targets


def overconfident(seed, factor=3.0, samples=4000, classes=5):
    """Return probabilities of a network with logits `factor` times too large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=1.5, size=(samples, classes))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(1)  # softmax(logits)
    return softmax(factor * logits), labels


def test_reliability_and_error():
    # Bins (0.2, 0.4], (0.4, 0.6], and (0.8, 1].
    values = [[0.6, 0.4], [0.5, 0.5], [0.1, 0.9], [1, 0], [0.95, 0.05]]
    probabilities, labels = np.array(values), np.array([1, 0, 1, 0, 0])
    samples, accuracy, confidence = reliability(probabilities, labels, bins=5)
    assert samples.tolist() == [0, 0, 2, 0, 3]
    np.testing.assert_allclose(accuracy[[2, 4]], [0.5, 1])
    np.testing.assert_allclose(confidence[[2, 4]], [0.55, 0.95])
    assert np.isnan(accuracy[0])
    error = calibration_error(probabilities, labels, bins=5)
    assert error == pytest.approx((2 * 0.05 + 3 * 0.05) / 5)


def test_temperature_of_an_overconfident_network():
    probabilities, labels = overconfident(0)
    temperature = fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(3, rel=0.1)
    test, test_labels = overconfident(1)
    calibrated = apply_temperature(test, temperature)
    assert calibration_error(test, test_labels) > 0.1
    assert calibration_error(calibrated, test_labels) < 0.03
    np.testing.assert_array_equal(calibrated.argmax(1), test.argmax(1))
    np.testing.assert_allclose(calibrated.sum(1), 1)


def test_temperature_is_the_minimum():
    probabilities, labels = overconfident(2, factor=0.4, samples=300)
    best = fit_temperature(probabilities, labels)
    assert best < 1
    losses = [
        log_loss(apply_temperature(probabilities, factor * best), labels)
        for factor in (1, 0.99, 1.01)
    ]
    assert losses[0] == min(losses)
    assert fit_temperature(apply_temperature(probabilities, best), labels) == (
        pytest.approx(1, abs=1e-6)
    )


def test_scores_without_a_temperature():
    perfect = np.full((6, 3), 0.1) + 0.7 * np.eye(3)[[0, 1, 2, 0, 1, 2]]
    with raises("score", field="temperature"):
        fit_temperature(perfect, perfect.argmax(1))  # all correct: T -> 0
    with raises("score", field="temperature"):
        fit_temperature(perfect, perfect.argmin(1))  # all wrong: T -> infinity


def test_reliability_figure():
    top, bottom = reliability_figure(*overconfident(0), "title").axes
    samples, accuracy, _ = reliability(*overconfident(0))
    heights = [bar.get_height() for bar in top.patches]
    np.testing.assert_array_equal(heights, accuracy)
    heights = [bar.get_height() for bar in bottom.patches]
    np.testing.assert_allclose(heights, 100 * samples / 4000)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Config, checkpoint, and predicted scores of a network of four classes."""
    config, checkpoint = tiny(tmp_path_factory.mktemp("network"), "ResTCN", [*"abcd"])
    return config, checkpoint, predicted(config, checkpoint)


def predicted(*files):
    predictions = Recognizer(*files).predict(walks())
    return np.stack([prediction.scores for prediction in predictions])


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_recognizer_is_calibrated(network, suffix, tmp_path, capsys):
    pytest.importorskip("safetensors", reason="needs the package safetensors")
    config, checkpoint, scores = network
    probabilities, labels = overconfident(0, samples=500, classes=4)
    samples = [
        {"pred_score": row, "gt_label": label, "frame_dir": str(number)}
        for number, (row, label) in enumerate(zip(probabilities, labels, strict=True))
    ]
    val, out = pickled(tmp_path / "val.pkl", samples), str(tmp_path / f"out{suffix}")
    words = ("calibrate", checkpoint, val, "--output", out)
    assert msg3d_command(*words) == 0
    temperature = read_data(out)["meta"]["temperature"]
    assert temperature == fit_temperature(probabilities, labels)
    assert f"{temperature:.4f}" in capsys.readouterr().out
    assert read_data(out)["meta"]["dataset_meta"] == {"classes": [*"abcd"]}
    expected = apply_temperature(scores, temperature)
    assert np.abs(expected - scores).max() > 0.01
    np.testing.assert_allclose(predicted(config, out), expected, atol=1e-6)
    # Conversion keeps the temperature, and another calibration replaces it.
    again = str(tmp_path / ("again.pth" if suffix != ".pth" else "again.safetensors"))
    rewrite(out, again)
    np.testing.assert_array_equal(predicted(config, again), predicted(config, out))
    assert msg3d_command("calibrate", again, val, "--output", again) == 1
    assert msg3d_command("calibrate", again, val, "--output", again, "--overwrite") == 0
    assert read_data(again)["meta"]["temperature"] == temperature


def test_head_that_averages_logits(network, tmp_path):
    config, checkpoint, _ = network
    text = Path(config).read_text(encoding="utf-8")
    logits_config = tmp_path / "logits.py"
    logits_config.write_text(
        f"{text}\nmodel['cls_head']['average_clips'] = 'score'\n", encoding="utf-8"
    )
    out = str(tmp_path / "out.pth")
    store_temperature(checkpoint, out, 2.0, 4)
    logits = predicted(logits_config, checkpoint)
    expected = apply_temperature(softmax(logits), 2.0)
    np.testing.assert_allclose(predicted(logits_config, out), expected, atol=1e-6)


@needs_onnx_export
@pytest.mark.parametrize(
    ("backbone", "suffix"),
    [("ResTCN", ".pt2"), ("ResTCN", ".onnx"), ("MSG3D", ".onnx")],
)
def test_exported_networks_are_calibrated(backbone, suffix, tmp_path):
    config, checkpoint = tiny(tmp_path, backbone)
    out = str(tmp_path / "out.pth")
    store_temperature(checkpoint, out, 2.5, 4)
    export(config, out, tmp_path / f"model{suffix}")
    expected = apply_temperature(predicted(config, checkpoint), 2.5)
    actual = predicted(tmp_path / f"model{suffix}")
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_temperature_that_does_not_fit(network, tmp_path):
    config, checkpoint, _ = network
    out = str(tmp_path / "out.pth")
    with raises("weights", CheckpointError, file=checkpoint):
        store_temperature(checkpoint, out, 1.5, num_classes=60)
    with raises("file-name", CheckpointError):
        store_temperature(checkpoint, str(tmp_path / "out.onnx"), 1.5, 4)
    data = torch.load(checkpoint, weights_only=True)
    for wrong in (0, -1.0, float("nan"), float("inf"), "1", True):
        torch.save(dict(data, meta={"temperature": wrong}), out)
        with raises("number", CheckpointError, file=out, field="meta['temperature']"):
            Recognizer(config, out)


def test_regression_networks_ignore_the_temperature(tmp_path):
    checkpoint = str(trained_on_targets(tmp_path / "targets.pth", ["O", "C"]))
    data = torch.load(checkpoint, weights_only=True)
    out = str(tmp_path / "out.pth")
    torch.save(dict(data, meta=dict(data["meta"], temperature=2.0)), out)
    walk = np.random.default_rng(0).normal(size=(1, 20, 24, 3))
    expected = Recognizer(checkpoint).predict(walk).targets
    assert Recognizer(out).predict(walk).targets == expected
