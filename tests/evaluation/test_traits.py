"""Tests of the trait metric and of trait files, with values computed by hand."""

import json

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS

from errors import raises
from in_process import msg3d_command
from msg3d.errors import ConfigError
from msg3d.evaluation import PersonTraitMetric
from msg3d.evaluation.traits import (
    CHALLENGE_TRAITS,
    Traits,
    read_traits,
    squared_errors,
    write_traits,
)

HEADER = ",".join(("Participant ID", *CHALLENGE_TRAITS))
NAMES = ("calm", "loud")

# person, session, prediction of (calm, loud)
CHUNKS = [
    ("7", "a", (1.0, 0.0)),
    ("7", "a", (2.0, 0.0)),
    ("7", "a", (3.0, 3.0)),
    ("7", "b", (6.0, 5.0)),
    ("9", "c", (0.0, 1.0)),
]
TRUTH = {"7": (3.0, 1.0), "9": (2.0, 1.0)}


def command(*arguments):
    return msg3d_command("score-traits", *arguments)


def evaluate(chunks=CHUNKS, truth=TRUTH, **kwargs):
    metric = METRICS.build(dict(type="PersonTraitMetric", traits=NAMES, **kwargs))
    samples = [
        {
            "frame_dir": f"s{number}",
            "person_id": person,
            "session": session,
            "pred_targets": torch.tensor(predicted),
            "gt_targets": torch.tensor(truth[person]),
        }
        for number, (person, session, predicted) in enumerate(chunks)
    ]
    for start in range(0, len(samples), 2):
        metric.process(None, samples[start : start + 2])
    return metric.evaluate(len(samples))


def test_mean_over_sessions():
    """Person 7: (2, 1) in session a and (6, 5) in b, mean (4, 3). Person 9: (0, 1)."""
    errors = evaluate()
    # calm: (4 - 3)^2 and (0 - 2)^2; loud: (3 - 1)^2 and 0
    assert errors == {"mse/calm": 2.5, "mse/loud": 2.0, "mse/mean": 2.25}


def test_mean_over_chunks():
    """Person 7: the mean of four chunks is (3, 2)."""
    errors = evaluate(by="chunks")
    assert errors == {"mse/calm": 2.0, "mse/loud": 0.5, "mse/mean": 1.25}


def test_mean_over_samples():
    """Squared errors of calm: 4, 1, 0, 9, and 4; of loud: 1, 1, 4, 16, and 0."""
    errors = evaluate(by="samples")
    assert errors["mse/calm"] == pytest.approx(18 / 5)
    assert errors["mse/loud"] == pytest.approx(22 / 5)


def test_predictions_are_written(tmp_path):
    evaluate(csv=str(tmp_path / "p.csv"))
    lines = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["Participant ID,calm,loud", "7,4.0,3.0", "9,0.0,1.0"]


@pytest.mark.parametrize(
    ("by", "field", "kind"),
    [
        ("sessions", "session", "structure"),
        ("chunks", "person_id", "structure"),
        ("samples", "pred_targets", "target"),
        ("samples", "gt_targets", "target"),
    ],
)
def test_missing_fields_are_reported(by, field, kind):
    sample = {"frame_dir": "s0", "person_id": 1, "session": 2}
    sample.update(pred_targets=torch.zeros(2), gt_targets=torch.zeros(2))
    metric = PersonTraitMetric(NAMES, by=by)
    metric.process(None, [sample])
    del sample[field]
    with raises(kind, sample="s0", field=field):
        metric.process(None, [sample])


def test_invalid_options_and_targets_are_reported():
    with raises("option", ConfigError, field="by"):
        PersonTraitMetric(by="person")
    sample = {
        "frame_dir": "s",
        "person_id": 1,
        "session": 2,
        "pred_targets": torch.zeros(2),
    }
    with raises("target", sample="s", field="pred_targets"):
        PersonTraitMetric().process(None, [sample])
    metric = PersonTraitMetric(NAMES)
    for truth in (0.0, 1.0):
        metric.process(None, [dict(sample, gt_targets=torch.full((2,), truth))])
    with raises("target", field="gt_targets") as error:
        metric.evaluate(2)
    assert "person '1'" in str(error.value)


def rows(values, header=HEADER):
    lines = [",".join((name, *map(str, row))) for name, row in values.items()]
    return "\n".join((header, *lines)) + "\n"


VALUES = {"8": (0, 1, 2, 3, 4), "67": (1, 1, 1, 1, 1), "105": (-1.5, 0, 0, 0, 0.5)}


def test_round_trip_of_a_trait_file(tmp_path):
    values = {key: np.array(row, float) / 3 for key, row in VALUES.items()}
    shuffled = {key: values[key] for key in ("67", "105", "8")}
    write_traits(Traits("", CHALLENGE_TRAITS, shuffled), tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "Participant ID",
        *VALUES,
    ]
    traits = read_traits(tmp_path / "a.csv")
    assert traits.names == CHALLENGE_TRAITS
    np.testing.assert_equal(traits.values, values)


def test_errors_of_the_challenge(tmp_path, capsys):
    (tmp_path / "truth.csv").write_text(rows(VALUES), encoding="utf-8")
    pred = {"105": (0.5, 0, 0, 0, 0.5), "8": (0, 2, 2, 3, 1), "67": (1, 1, 3, 1, 1)}
    (tmp_path / "pred.csv").write_text("\ufeff" + rows(pred), encoding="utf-8")
    expected = dict(zip(CHALLENGE_TRAITS, (4 / 3, 1 / 3, 4 / 3, 0, 9 / 3), strict=True))
    expected["mean"] = 6 / 5
    pair = (tmp_path / "pred.csv", tmp_path / "truth.csv")
    assert squared_errors(*map(read_traits, pair)) == pytest.approx(expected)

    assert command(*pair) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["OPENMINDEDNESS_Z", "1.333333"]
    assert lines[-1].split() == ["mean", "1.200000"]
    assert command(*pair, "--json") == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(expected)


# file content, error kind, error location, part of the error message
INVALID = {
    "missing": (rows({"8": VALUES["8"]}), "samples-differ", {}, "67, 105"),
    "unknown": (rows({**VALUES, "9": VALUES["8"]}), "samples-differ", {}, " 9"),
    "duplicate": (rows(VALUES) + "8,0,0,0,0,0\n", "duplicate", {"line": 5}, "8"),
    "missing field": (rows({**VALUES, "9": (1, 2, 3, 4)}), "row", {"line": 5}, "5"),
    "text": (
        rows({**VALUES, "8": (0, "low", 0, 0, 0)}),
        "number",
        {"line": 2, "field": "CONSCIENTIOUSNESS_Z"},
        "'low'",
    ),
    "NaN": (
        rows({**VALUES, "8": (0, 0, 0, 0, "nan")}),
        "number",
        {"line": 2, "field": "NEGATIVEEMOTIONALITY_Z"},
        "'nan'",
    ),
    "other traits": (
        rows(VALUES, HEADER.replace("EXTRAVERSION_Z", "E")),
        "target",
        {},
        " E,",
    ),
    "no header": (
        rows(VALUES, "8,0,0,0,0,0"),
        "columns",
        {"line": 1},
        "'8,0,0,0,0,0'",
    ),
    "no rows": (HEADER, "empty", {}, ""),
    "empty": ("", "columns", {"line": 1}, HEADER),
    "duplicate trait": (rows({}, "Participant ID,a,a"), "columns", {"line": 1}, ""),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_predictions_are_reported(tmp_path, capsys, case):
    text, kind, where, part = INVALID[case]
    (tmp_path / "truth.csv").write_text(rows(VALUES), encoding="utf-8")
    (tmp_path / "pred.csv").write_text(text, encoding="utf-8")
    pair = (tmp_path / "pred.csv", tmp_path / "truth.csv")
    with raises(kind, file="pred.csv", **where) as error:
        squared_errors(*map(read_traits, pair))
    assert part in str(error.value)
    assert command(*pair) == 1
    assert "\n" not in capsys.readouterr().err.strip()


def test_unreadable_files_are_reported(tmp_path):
    with raises("not-found", file="no.csv"):
        read_traits(tmp_path / "no.csv")
    (tmp_path / "a.csv").write_bytes(rows(VALUES).encode("utf-16"))
    with raises("encoding", file="a.csv"):
        read_traits(tmp_path / "a.csv")
