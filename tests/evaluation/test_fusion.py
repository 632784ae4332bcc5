"""Tests of reading and fusing score files of all supported formats."""

import io
import json
import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults

from conftest import make_link
from errors import raises
from in_process import msg3d_command
from msg3d.datasets import load_annotations
from msg3d.errors import DataError, PickleError
from msg3d.evaluation import (
    Scores,
    aligned,
    fuse,
    labels_of,
    read_scores,
    search_weights,
)
from msg3d.evaluation.fusion import accuracies

IDS = [f"S001C001P001R001A{number:03d}" for number in range(1, 9)]
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])


def softmax(values):
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def logits(seed, strength=1.0):
    values = np.random.default_rng(seed).normal(size=(len(IDS), 3))
    values[np.arange(len(IDS)), LABELS] += strength
    return values


def mmaction_dump(path, values, ids=IDS, labels=LABELS):
    """Write a dump as MMEngine's DumpResults does for MMAction2's heads."""
    samples = [
        dict(
            pred_score=torch.tensor(row, dtype=torch.float32),
            pred_label=torch.tensor([int(row.argmax())]),
            gt_label=torch.tensor([label]),
            **({} if ids is None else {"frame_dir": ids[number]}),
        )
        for number, (row, label) in enumerate(zip(values, labels, strict=True))
    ]
    metric = DumpResults(str(path))
    metric.process(None, samples)
    metric.evaluate(len(samples))
    return path


def pickled(path, data):
    path.write_bytes(pickle.dumps(data))
    return path


def test_all_formats_give_the_same_scores(tmp_path):
    values = logits(0)
    original = pickled(
        tmp_path / "epoch1_test_score.pkl",
        {name: row.astype(np.float32) for name, row in zip(IDS, values, strict=True)},
    )
    pyskl = pickled(tmp_path / "result.pkl", list(softmax(values).astype(np.float32)))
    dump = mmaction_dump(tmp_path / "dump.pkl", softmax(values))
    known = dict(zip(IDS, map(int, LABELS), strict=True))
    for path, has_logits in ((original, True), (pyskl, False), (dump, False)):
        scores = read_scores(path, known)
        assert scores.ids == IDS
        assert scores.probabilities is not has_logits
        np.testing.assert_array_equal(scores.labels, LABELS)
        expected = values if has_logits else softmax(values)
        np.testing.assert_allclose(scores.values, expected, atol=1e-6)
        np.testing.assert_allclose(
            scores.as_probabilities().values, softmax(values), atol=1e-6
        )


def test_streams_are_matched_by_id(tmp_path):
    joint, bone = logits(1), logits(2)
    order = np.random.default_rng(3).permutation(len(IDS))
    first = read_scores(mmaction_dump(tmp_path / "a.pkl", softmax(joint)))
    second = read_scores(
        mmaction_dump(
            tmp_path / "b.pkl",
            softmax(bone)[order],
            [IDS[number] for number in order],
            LABELS[order],
        )
    )
    fused = fuse(aligned([first, second]), [1, 0.5])
    np.testing.assert_allclose(fused, softmax(joint) + 0.5 * softmax(bone), atol=1e-6)


def test_softmax_is_applied_only_to_mixtures_of_logits_and_probabilities():
    first = Scores("a", "", logits(1), IDS, LABELS)
    probabilities = Scores("b", "", softmax(logits(2)), IDS, LABELS)
    np.testing.assert_allclose(
        fuse(aligned([first, probabilities]), [1, 1]),
        softmax(logits(1)) + softmax(logits(2)),
    )
    second = Scores("c", "", logits(2), IDS, LABELS)
    np.testing.assert_allclose(
        fuse(aligned([first, second]), [1, 2]), logits(1) + 2 * logits(2)
    )


def test_mismatched_streams_are_rejected():
    scores = Scores("joint.pkl", "dump", logits(1), IDS, LABELS)
    fewer = Scores("bone.pkl", "dump", logits(1)[1:], IDS[1:], LABELS[1:])
    other = Scores("bone.pkl", "dump", logits(1), [*IDS[1:], "x"], LABELS)
    wide = Scores("bone.pkl", "dump", np.ones((8, 4)), IDS, LABELS)
    changed = LABELS.copy()
    changed[2] = 0
    relabeled = Scores("bone.pkl", "dump", logits(1), IDS, changed)
    without_ids = Scores("bone.pkl", "list", logits(1))
    for stream, kind, where, text in (
        (fewer, "samples-differ", {}, f"1 only in joint.pkl, such as {IDS[0]}"),
        (other, "samples-differ", {}, "1 only in bone.pkl, such as x"),
        (wide, "score", {}, "joint.pkl"),
        (relabeled, "samples-differ", {"sample": IDS[2]}, "joint.pkl"),
        (without_ids, "samples-differ", {}, "--ann-file"),
    ):
        with raises(kind, file="bone.pkl", **where) as error:
            aligned([scores, stream])
        assert text in str(error.value)
    for weights in ([1], (0, 0), (1, -0.5), (np.nan, 1), (1, np.inf)):
        with raises("option"):
            fuse([scores, scores], weights)
    np.testing.assert_array_equal(fuse([scores, scores], [0, 2]), 2 * scores.values)


def test_invalid_files_are_rejected(tmp_path):
    good = dict(zip(IDS, logits(1), strict=True))
    label = {"field": "gt_label"}
    for name, data, kind, where in (
        ("text", "hello", "structure", {}),
        ("empty", [], "empty", {}),
        ("nothing", {}, "empty", {}),
        (
            "annotations",
            {"split": {"val": IDS[:1]}, "annotations": [{"frame_dir": IDS[0]}]},
            "wrong-file-type",
            {},
        ),
        ("names", {"a": {}, "b": [1, 2]}, "score", {"sample": 0}),
        ("words", {**good, IDS[2]: ["1", "2", "3"]}, "score", {"sample": 2}),
        ("uneven", {**good, IDS[2]: [1, [2, 3], 4]}, "score", {"sample": 2}),
        ("complex", {**good, IDS[0]: np.ones(3) * 1j}, "score", {"sample": 0}),
        ("no class", {IDS[0]: []}, "shape", {}),
        ("label", [{"pred_score": [1, 2], "gt_label": "x"}], "label", label),
        ("no label", [{"pred_score": [1, 2], "gt_label": None}], "label", label),
        ("half", [{"pred_score": [1, 2], "gt_label": 0.5}], "label", label),
        ("several", [{"pred_score": [1, 2], "gt_label": [0, 1]}], "label", label),
        (
            "beyond",
            [{"pred_score": [1, 2], "gt_label": 2, "frame_dir": "a"}],
            "label",
            {"sample": "a"},
        ),
        ("ragged", {**good, IDS[0]: np.zeros(2)}, "shape", {}),
        ("2d", {**good, IDS[0]: np.zeros((3, 1))}, "shape", {}),
        ("nan", {**good, IDS[1]: np.full(3, np.nan)}, "not-finite", {"sample": 1}),
        ("number", {**good, 5: np.zeros(3)}, "structure", {"field": "frame_dir"}),
        (
            "no score",
            [{"gt_label": 1}],
            "structure",
            {"sample": 0, "field": "pred_score"},
        ),
    ):
        path = pickled(tmp_path / name, data)
        with raises(kind, file=str(path), **where) as error:
            read_scores(path)
        assert "\n" not in str(error.value)
    with raises("not-found", file="none"):
        read_scores(tmp_path / "none")
    with raises("io", file=str(tmp_path)):
        read_scores(tmp_path)
    repeated = mmaction_dump(tmp_path / "repeated.pkl", logits(1), [IDS[0], *IDS[:7]])
    with raises("duplicate", file="repeated.pkl", sample=IDS[0]):
        read_scores(repeated)
    without_ids = pickled(tmp_path / "list", list(logits(1)))
    with raises("samples-differ", file="list", sample=None):
        read_scores(without_ids, {"a": 0})
    unknown = pickled(tmp_path / "dict", good)
    with raises("samples-differ", file="dict", sample=IDS[0], field=None):
        read_scores(unknown, {"a": 0})
    dump = mmaction_dump(tmp_path / "labels.pkl", logits(1))
    wrong = {**dict(zip(IDS, map(int, LABELS), strict=True)), IDS[3]: 2}
    with raises("samples-differ", file="labels.pkl", sample=IDS[3], field="gt_label"):
        read_scores(dump, wrong)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_pickled_code_is_not_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Nested:
        """A tensor storage whose bytes are another pickle."""

        def __reduce__(self):
            buffer = io.BytesIO()
            torch.save({"a": Malicious()}, buffer)
            return torch.storage._load_from_bytes, (buffer.getvalue(),)

    for name, data in (("a.pkl", [Malicious()]), ("b.pkl", [{"pred_score": Nested()}])):
        path = pickled(tmp_path / name, data)
        with raises("unsafe", PickleError, file=name) as error:
            read_scores(path)
        assert "posix.system" in str(error.value)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()


def test_other_file_types_are_reported(tmp_path):
    """Readers of scores and of annotations report the type of the file."""
    torch.save({"weight": torch.ones(2)}, tmp_path / "x.pkl")
    torch.save(
        {"weight": torch.ones(2)},
        tmp_path / "old.pkl",
        _use_new_zipfile_serialization=False,
    )
    (tmp_path / "page.pkl").write_bytes(b"<html>")
    (tmp_path / "page.npz").write_bytes(b"<html>")
    for name in ("x.pkl", "old.pkl", "page.pkl"):
        for read in (read_scores, load_annotations):
            with raises("wrong-file-type", file=name) as error:
                read(tmp_path / name)
            expected = "a web page" if name == "page.pkl" else "a checkpoint"
            assert expected in str(error.value)
    with raises("wrong-file-type", file="page.npz"):
        read_scores(tmp_path / "page.npz")
    torch.save({"weight": torch.ones(2)}, tmp_path / "x.npz")
    with raises("wrong-file-type", file="x.npz"):
        read_scores(tmp_path / "x.npz")
    dump = mmaction_dump(tmp_path / "dump.pkl", logits(1))
    with raises("wrong-file-type", file="dump.pkl"):
        load_annotations(dump)


def test_labels_of_annotation_files(tmp_path):
    samples = [
        {"frame_dir": name, "label": int(label)}
        for name, label in zip(IDS, LABELS, strict=True)
    ]
    data = {"split": {"val": IDS[::-1][:4]}, "annotations": samples}
    path = pickled(tmp_path / "a.pkl", data)
    # PoseDataset tests samples in the order of the file, not of the split.
    assert labels_of(path, "val") == dict(
        zip(IDS[4:], map(int, LABELS[4:]), strict=True)
    )
    original = pickled(tmp_path / "val_label.pkl", (IDS, list(map(int, LABELS))))
    assert labels_of(original) == dict(zip(IDS, map(int, LABELS), strict=True))
    with pytest.raises(DataError):
        labels_of(path, "test")
    for data in (pickled(tmp_path / "b.pkl", [1, 2]), pickled(tmp_path / "c.pkl", "x")):
        with pytest.raises(DataError):
            labels_of(data)
    with raises("structure", file="d.pkl"):
        labels_of(pickled(tmp_path / "d.pkl", (["a"], ["walk"])))


def test_weight_search_prefers_informative_streams():
    noise = Scores("noise", "", logits(4, strength=0.0), IDS, LABELS)
    signal = Scores("signal", "", logits(5, strength=6.0), IDS, LABELS)
    weights, accuracy = search_weights([signal, noise])
    assert weights[0] == 1
    assert accuracy == 1
    weights, accuracy = search_weights([noise, signal, noise, noise])
    assert weights[1] > max(weights[2:])
    assert accuracy == 1


def test_accuracies():
    values = np.array([[3.0, 1, 2], [1, 2, 3], [1, 1, 1], [0, 0, 9]])
    result = accuracies(values, np.array([0, 1, 2, 2]))
    # The argmax of the constant row is class 0, but its label is 2.
    assert result["top1"] == 50
    assert result["classes"] == {0: 100, 1: 0, 2: 50}
    assert result["mean_class"] == 50
    assert result["top5"] == 100


def test_fuse_command(tmp_path, capsys):
    joint = mmaction_dump(tmp_path / "joint.pkl", softmax(logits(1, 2.0)))
    bone = pickled(
        tmp_path / "bone.pkl", dict(zip(IDS[::-1], logits(2, 2.0)[::-1], strict=True))
    )
    out, path = tmp_path / "fused.pkl", tmp_path / "fused.json"
    assert msg3d_command("fuse", joint, bone, "--output", out, "--json", path) == 0
    printed = capsys.readouterr().out
    assert "MMAction2 dump, 8 samples, probabilities" in printed
    assert "(id -> logits), 8 samples, logits" in printed
    expected = softmax(logits(1, 2.0)) + softmax(logits(2, 2.0))
    fused = read_scores(out)
    np.testing.assert_allclose(fused.values, expected / 2, atol=1e-6)
    report = json.loads(path.read_text(encoding="utf-8"))
    top1 = 100 * (expected.argmax(1) == LABELS).mean()
    assert report["scores"]["fused"]["top1"] == pytest.approx(top1)
    changes = [line["change"] for line in report["classes"]]
    assert changes == sorted(changes)
    assert len(changes) == 3

    assert msg3d_command("fuse", joint, bone, "--search", joint, bone) == 1
    assert "8 samples" in capsys.readouterr().err
    others = [f"other {name}" for name in IDS]
    searched = [
        mmaction_dump(tmp_path / f"{seed}.pkl", softmax(logits(seed, 2.0)), others)
        for seed in (6, 7)
    ]
    assert msg3d_command("fuse", joint, bone, "--search", *searched) == 0
    assert "--search" in capsys.readouterr().out
    assert msg3d_command("fuse", bone) == 1
    assert "--ann-file" in capsys.readouterr().err


def assert_rejects_same_file(first, second, capsys):
    assert msg3d_command("fuse", first, second) == 1
    error = capsys.readouterr().err
    assert str(second) in error
    assert error.count("\n") == 1


def test_fuse_follows_links(tmp_path, capsys):
    joint = mmaction_dump(tmp_path / "joint.pkl", softmax(logits(1, 2.0)))
    make_link(tmp_path / "link.pkl", joint)
    assert_rejects_same_file(joint, tmp_path / "link.pkl", capsys)


def test_fuse_rejects_invalid_arguments(tmp_path, capsys):
    joint = mmaction_dump(tmp_path / "joint.pkl", softmax(logits(1, 2.0)))
    assert_rejects_same_file(joint, joint, capsys)
    assert_rejects_same_file(joint, tmp_path / "." / "joint.pkl", capsys)
    bone = mmaction_dump(tmp_path / "bone.pkl", softmax(logits(2, 2.0)))
    assert msg3d_command("fuse", joint, bone, "--fusion-weights", 0, 0) == 2
    assert "--fusion-weights" in capsys.readouterr().err
    assert msg3d_command("fuse", joint, bone, "--output", tmp_path) == 1
    assert str(tmp_path) in capsys.readouterr().err
    assert msg3d_command("fuse", joint, bone, "--output", tmp_path / "fused.txt") == 1
    assert "fused.txt" in capsys.readouterr().err
    assert (
        msg3d_command("fuse", joint, bone, "--output", tmp_path / "new" / "fused.npz")
        == 0
    )
    assert len(read_scores(tmp_path / "new" / "fused.npz").values) == 8


def test_fuse_with_a_single_file(tmp_path, capsys):
    values = softmax(logits(1, 2.0))
    joint = mmaction_dump(tmp_path / "joint.pkl", values)
    assert msg3d_command("fuse", joint, "--json", tmp_path / "a.json") == 0
    printed = capsys.readouterr().out
    assert "fused" not in printed
    assert "change" not in printed
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    correct = values.argmax(1) == LABELS
    assert next(iter(report["scores"].values()))["top1"] == pytest.approx(
        100 * correct.mean()
    )
    actual = {line["class"]: line["accuracy"] for line in report["classes"]}
    expected = {label: 100 * correct[label == LABELS].mean() for label in (0, 1, 2)}
    assert actual == pytest.approx(expected)
