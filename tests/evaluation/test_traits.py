"""Traits of persons: means, errors and files, against numbers worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS

from conftest import load_module
from msg3d.errors import DataError
from msg3d.evaluation import PersonTraitMetric
from msg3d.evaluation.traits import (
    CHALLENGE_TRAITS,
    Traits,
    read_traits,
    squared_errors,
    write_traits,
)

TOOL = Path(__file__).parents[2] / "tools" / "personality" / "score_traits.py"
HEADER = ",".join(("Participant ID", *CHALLENGE_TRAITS))
NAMES = ("calm", "loud")

# person, session, prediction of (calm, loud); the truths are below
CHUNKS = [
    ("7", "a", (1.0, 0.0)),
    ("7", "a", (2.0, 0.0)),
    ("7", "a", (3.0, 3.0)),
    ("7", "b", (6.0, 5.0)),
    ("9", "c", (0.0, 1.0)),
]
TRUTH = {"7": (3.0, 1.0), "9": (2.0, 1.0)}


def command(*arguments, monkeypatch):
    tool = load_module(TOOL)
    monkeypatch.setattr("sys.argv", ["score_traits.py", *map(str, arguments)])
    return tool.main()


def evaluate(chunks=CHUNKS, truth=TRUTH, **kwargs):
    metric = METRICS.build(dict(type="PersonTraitMetric", traits=NAMES, **kwargs))
    samples = [
        dict(
            frame_dir=f"s{number}",
            person_id=person,
            session=session,
            pred_targets=torch.tensor(predicted),
            gt_targets=torch.tensor(truth[person]),
        )
        for number, (person, session, predicted) in enumerate(chunks)
    ]
    for start in range(0, len(samples), 2):
        metric.process(None, samples[start : start + 2])
    return metric.evaluate(len(samples))


def test_sessions_by_hand():
    """7: session a is (2, 1), b (6, 5), so (4, 3); 9: (0, 1)."""
    found = evaluate()
    # calm: (4 - 3)^2 and (0 - 2)^2; loud: (3 - 1)^2 and 0
    assert found == {"mse/calm": 2.5, "mse/loud": 2.0, "mse/mean": 2.25}


def test_chunks_by_hand():
    """7: the mean of four is (3, 2)."""
    found = evaluate(by="chunks")
    assert found == {"mse/calm": 2.0, "mse/loud": 0.5, "mse/mean": 1.25}


def test_samples_by_hand():
    """calm: 4, 1, 0, 9 and 4; loud: 1, 1, 4, 16 and 0."""
    found = evaluate(by="samples")
    assert found["mse/calm"] == pytest.approx(18 / 5)
    assert found["mse/loud"] == pytest.approx(22 / 5)


def test_predictions_are_written(tmp_path):
    evaluate(csv=str(tmp_path / "p.csv"))
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines == ["Participant ID,calm,loud", "7,4.0,3.0", "9,0.0,1.0"]


@pytest.mark.parametrize(
    "by, field, message",
    [
        ("sessions", "session", "sample 's0' has no session"),
        ("chunks", "person_id", "sample 's0' has no person_id"),
        ("samples", "pred_targets", "sample 's0' has no pred_targets"),
        ("samples", "gt_targets", "sample 's0' has no gt_targets"),
    ],
)
def test_what_a_sample_lacks_is_named(by, field, message):
    sample = dict(frame_dir="s0", person_id=1, session=2)
    sample.update(pred_targets=torch.zeros(2), gt_targets=torch.zeros(2))
    metric = PersonTraitMetric(NAMES, by=by)
    metric.process(None, [sample])
    del sample[field]
    with pytest.raises(DataError, match=message):
        metric.process(None, [sample])


def test_other_faults_are_named():
    with pytest.raises(ValueError, match="by='person': expected one of"):
        PersonTraitMetric(by="person")
    sample = dict(frame_dir="s", person_id=1, session=2, pred_targets=torch.zeros(2))
    with pytest.raises(
        DataError, match=r"has \(2,\) pred_targets, expected one number"
    ):
        PersonTraitMetric().process(None, [sample])
    metric = PersonTraitMetric(NAMES)
    for truth in (0.0, 1.0):
        full = dict(sample, gt_targets=torch.full((2,), truth))
        metric.process(None, [full])
    with pytest.raises(DataError, match=r"person '1' has gt_targets \[0.0, 0.0\] and"):
        metric.evaluate(2)


def rows(values, header=HEADER):
    lines = [",".join((name, *map(str, row))) for name, row in values.items()]
    return "\n".join((header, *lines)) + "\n"


VALUES = {"8": (0, 1, 2, 3, 4), "67": (1, 1, 1, 1, 1), "105": (-1.5, 0, 0, 0, 0.5)}


def test_file_and_back(tmp_path):
    values = {key: np.array(row, float) / 3 for key, row in VALUES.items()}
    shuffled = {key: values[key] for key in ("67", "105", "8")}
    write_traits(Traits("", CHALLENGE_TRAITS, shuffled), tmp_path / "a.csv")
    assert [line.split(",")[0] for line in open(tmp_path / "a.csv")] == [
        "Participant ID",
        *VALUES,
    ]
    found = read_traits(tmp_path / "a.csv")
    assert found.names == CHALLENGE_TRAITS
    np.testing.assert_equal(found.values, values)


def test_errors_of_the_challenge_by_hand(tmp_path, monkeypatch, capsys):
    (tmp_path / "truth.csv").write_text(rows(VALUES))
    guess = {"105": (0.5, 0, 0, 0, 0.5), "8": (0, 2, 2, 3, 1), "67": (1, 1, 3, 1, 1)}
    (tmp_path / "pred.csv").write_text("\ufeff" + rows(guess), encoding="utf-8")
    expected = dict(zip(CHALLENGE_TRAITS, (4 / 3, 1 / 3, 4 / 3, 0, 9 / 3)))
    expected["mean"] = 6 / 5
    pair = (tmp_path / "pred.csv", tmp_path / "truth.csv")
    assert squared_errors(*map(read_traits, pair)) == pytest.approx(expected)

    assert command(*pair, monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["OPENMINDEDNESS_Z", "1.333333"]
    assert lines[-1].split() == ["mean", "1.200000"]
    assert command(*pair, "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(expected)


BAD = {
    "missing": (
        rows({"8": VALUES["8"]}),
        "lacks 2 of the 3 participants of .*truth.csv: 67, 105: predict each",
    ),
    "unknown": (
        rows({**VALUES, "9": VALUES["8"]}),
        "has 1 of the 4 participants of .*pred.csv: 9, which .*truth.csv does not have",
    ),
    "doubled": (
        rows(VALUES) + "8,0,0,0,0,0\n",
        "line 5: participant 8 is there a second time",
    ),
    "a field too few": (rows({**VALUES, "9": (1, 2, 3, 4)}), "line 5: has 5 fields"),
    "text": (
        rows({**VALUES, "8": (0, "low", 0, 0, 0)}),
        "line 2: CONSCIENTIOUSNESS_Z of participant 8 is 'low', expected a finite",
    ),
    "NaN": (rows({**VALUES, "8": (0, 0, 0, 0, "nan")}), "is 'nan', expected a finite"),
    "other traits": (
        rows(VALUES, HEADER.replace("EXTRAVERSION_Z", "E")),
        "expected the same in the same order",
    ),
    "no header": (
        rows(VALUES, "8,0,0,0,0,0"),
        "begins with '8,0,0,0,0,0', expected the",
    ),
    "no row": (HEADER, "holds no participant"),
    "empty": ("", "begins with '', expected the line Participant ID,OPEN"),
    "a trait twice": (rows({}, "Participant ID,a,a"), "names a trait twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_predictions_are_named(tmp_path, monkeypatch, capsys, case):
    text, expected = BAD[case]
    (tmp_path / "truth.csv").write_text(rows(VALUES))
    (tmp_path / "pred.csv").write_text(text)
    pair = (tmp_path / "pred.csv", tmp_path / "truth.csv")
    with pytest.raises(DataError, match=expected):
        squared_errors(*map(read_traits, pair))
    assert command(*pair, monkeypatch=monkeypatch) == 1
    assert "\n" not in capsys.readouterr().err.strip()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_traits(tmp_path / "no.csv")
    (tmp_path / "a.csv").write_bytes(rows(VALUES).encode("utf-16"))
    with pytest.raises(DataError, match="cannot be read"):
        read_traits(tmp_path / "a.csv")
