"""Tests of intervals, McNemar's test, per-class metrics, and `msg3d report`."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest
from test_fusion import IDS, LABELS, logits, mmaction_dump, softmax

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import save_annotations
from msg3d.evaluation import (
    apply_temperature,
    calibration_error,
    class_table,
    mcnemar,
    wilson_interval,
)
from msg3d.evaluation.statistics import confusion_counts
from msg3d.stores.packing import pack
from samples import annotations


@pytest.mark.parametrize(
    ("correct", "total"), [(0, 1), (1, 1), (0, 20), (17, 20), (20, 20), (881, 1000)]
)
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_interval_equals_scipy(correct, total, confidence):
    expected = binomtest(correct, total).proportion_ci(confidence, "wilson")
    actual = wilson_interval(correct, total, confidence)
    np.testing.assert_allclose(actual, (expected.low, expected.high), atol=1e-12)


def test_invalid_counts():
    for correct, total in ((-1, 5), (6, 5), (0, 0)):
        with raises("number", field="correct"):
            wilson_interval(correct, total)
    with raises("number", field="confidence"):
        wilson_interval(1, 2, confidence=95)


@pytest.mark.parametrize(
    ("first_only", "second_only"), [(0, 0), (1, 0), (5, 5), (9, 23), (400, 330)]
)
def test_mcnemar_equals_the_binomial_test(first_only, second_only):
    both = [True] * 6 + [False] * 3
    first = np.array(both + [True] * first_only + [False] * second_only)
    second = np.array(both + [False] * first_only + [True] * second_only)
    result = mcnemar(first, second)
    assert result[:2] == (first_only, second_only)
    total = first_only + second_only
    expected = binomtest(first_only, total).pvalue if total else 1
    assert result.p_value == pytest.approx(expected, rel=1e-9)
    assert mcnemar(second, first).p_value == result.p_value


def test_mcnemar_with_many_samples():
    first = np.arange(60_000) % 2 == 0
    second = first.copy()
    second[:20_000] = ~second[:20_000]
    assert mcnemar(first, second).p_value == 1
    assert mcnemar(first, np.zeros_like(first)).p_value == 0  # below 2 ** -1074


def test_mcnemar_of_different_samples():
    with raises("shape"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_class_table():
    labels = np.array([0, 0, 0, 0, 1, 1])
    predicted = np.array([0, 0, 0, 1, 1, 0])
    counts = confusion_counts(labels, np.eye(4)[predicted])
    first, second, *empty = class_table(counts)
    assert first == dict(support=4, recall=75, precision=75, f1=75, **{"class": 0})
    assert second == dict(support=2, recall=50, precision=50, f1=50, **{"class": 1})
    for line in empty:
        metrics = (line["recall"], line["precision"], line["f1"])
        assert (line["support"], metrics) == (0, (None, None, None))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two score files with the same samples in another order."""
    monkeypatch.chdir(tmp_path)
    order = np.arange(len(IDS))[::-1]
    values = softmax(logits(1, 3)), softmax(logits(2, 0))
    mmaction_dump("a.pkl", values[0])
    ids = [IDS[number] for number in order]
    mmaction_dump("b.pkl", values[1][order], ids, LABELS[order])
    return tmp_path, values


def test_report(files, capsys):
    folder, values = files
    words = ("a.pkl", "b.pkl", "--json", "report.json", "--pictures", "new/pictures")
    assert msg3d_command("report", *words) == 0
    out = capsys.readouterr().out
    correct = [row.argmax(1) == LABELS for row in values]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for name, hits, row in zip(("a.pkl", "b.pkl"), correct, values, strict=True):
        scores = report["scores"][name]
        assert scores["top1"] == 100 * hits.mean()
        expected = [100 * bound for bound in wilson_interval(int(hits.sum()), 8)]
        assert scores["interval"] == expected
        assert f"{expected[0]:.2f} - {expected[1]:.2f}" in out
        error = 100 * calibration_error(row, LABELS)
        assert scores["ece"] == pytest.approx(error, abs=1e-4)
    assert report["mcnemar"] == mcnemar(*correct)._asdict()
    assert report["classes"] == class_table(confusion_counts(LABELS, values[0]))
    for name in ("confusion", "reliability"):
        assert (folder / "new" / "pictures" / f"{name}.png").stat().st_size
    assert msg3d_command("report", *words) == 1
    assert msg3d_command("report", *words, "--overwrite") == 0


def test_report_with_temperature(files):
    folder, (values, _) = files
    words = ("a.pkl", "--temperature", 2, "--json", "report.json")
    assert msg3d_command("report", *words) == 0
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    expected = 100 * calibration_error(apply_temperature(values, 2), LABELS)
    assert report["scores"]["a.pkl"]["ece"] == pytest.approx(expected, abs=1e-4)
    assert "mcnemar" not in report
    assert msg3d_command("report", "a.pkl", "--temperature", 0) == 2


def test_class_names(files, capsys):
    data = annotations(samples=len(IDS))
    for sample, name, label in zip(data["annotations"], IDS, LABELS, strict=True):
        sample.update(frame_dir=name, label=int(label))
    data["split"] = {"val": IDS}
    data["meta"] = {"classes": ["wave", "sit", "jump"]}
    save_annotations(data, "mine.pkl")
    pack(data, "mine.packed")
    for file in ("mine.pkl", "mine.packed"):
        assert msg3d_command("report", "a.pkl", "--ann-file", file) == 0
        assert "jump" in capsys.readouterr().out
    data["meta"]["classes"].append("fall")
    save_annotations(data, "mine.pkl")
    with raises("label", field="classes"):
        msg3d_command("report", "a.pkl", "--ann-file", "mine.pkl", "--debug")


def test_files_without_labels_and_passed_twice(files):
    np.savez("plain.npz", ids=np.array(IDS), scores=softmax(logits(1)))
    with raises("label", file="plain.npz"):
        msg3d_command("report", "plain.npz", "--debug")
    with raises("duplicate", file="a.pkl"):
        msg3d_command("report", "a.pkl", "a.pkl", "--debug")
