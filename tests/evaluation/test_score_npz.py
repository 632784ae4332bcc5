"""Tests of score files in `.npz` format."""

import io
import zipfile

import numpy as np
import pytest
from test_fusion import IDS, LABELS, logits, mmaction_dump, softmax

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import save_annotations
from msg3d.evaluation import labels_of, read_scores
from msg3d.evaluation.score_npz import write_score_npz
from msg3d.stores.packing import pack
from samples import annotations


def test_round_trip(tmp_path):
    path, values = tmp_path / "scores.npz", softmax(logits(0))
    write_score_npz(str(path), IDS, values, LABELS)
    scores = read_scores(path)
    assert scores.ids == IDS
    assert scores.probabilities
    np.testing.assert_array_equal(scores.values, values)
    np.testing.assert_array_equal(scores.labels, LABELS)
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == IDS
        assert arrays["scores"].shape == (8, 3)


def test_file_written_by_numpy_without_labels(tmp_path):
    values = logits(1).astype(np.float32)
    np.savez(tmp_path / "scores.npz", ids=IDS, scores=values)
    scores = read_scores(
        tmp_path / "scores.npz", dict(zip(IDS, LABELS.tolist(), strict=True))
    )
    np.testing.assert_array_equal(scores.values, values)
    np.testing.assert_array_equal(scores.labels, LABELS)


def test_fuse_converts_a_dump(tmp_path):
    dump = mmaction_dump(tmp_path / "dump.pkl", softmax(logits(0)))
    assert msg3d_command("fuse", dump, "--output", tmp_path / "scores.npz") == 0
    actual, expected = read_scores(tmp_path / "scores.npz"), read_scores(dump)
    assert actual.ids == expected.ids
    np.testing.assert_array_equal(actual.values, expected.values)
    np.testing.assert_array_equal(actual.labels, expected.labels)


def npz(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array, **kwargs):
    file = io.BytesIO()
    np.save(file, array, **kwargs)
    return file.getvalue()


VALID = npy(np.ones((8, 3)))


@pytest.mark.parametrize(
    ("members", "kind", "where"),
    [
        ({"ids": npy(np.array(IDS))}, "structure", {"field": "scores"}),
        ({"scores": npy(np.ones(8))}, "shape", {"field": "scores"}),
        ({"scores": VALID, "labels": npy(np.arange(7))}, "shape", {"field": "labels"}),
        ({"scores": VALID, "ids": npy(np.arange(8))}, "dtype", {"field": "ids"}),
        (
            {"scores": VALID, "ids": npy(np.array(["a"] * 8))},
            "duplicate",
            {"sample": "a"},
        ),
        ({"scores": npy(np.array([{}], object))}, "dtype", {"field": "scores"}),
        (
            {"scores": VALID.replace(b"(8, 3)", b"(9, 3)")},
            "truncated",
            {"field": "scores"},
        ),
        (
            {"scores": VALID.replace(b"(8, 3)", b"(7, 3)")},
            "corrupt",
            {"field": "scores"},
        ),
        ({"scores": VALID[:-5]}, "truncated", {"field": "scores"}),
        ({"scores": npy(np.array([[1.0, np.nan]]))}, "not-finite", {"sample": 0}),
    ],
)
def test_invalid_files_are_rejected(tmp_path, members, kind, where):
    with raises(kind, file="scores.npz", **where):
        read_scores(npz(tmp_path / "scores.npz", **members))


def test_compressed_arrays_are_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scores.npy", npy(np.zeros((4000, 1000))))
    assert (tmp_path / "s.npz").stat().st_size < 100_000
    with raises("structure", file="s.npz", field="scores"):
        read_scores(tmp_path / "s.npz")


def test_labels_of_a_packed_store(tmp_path):
    data = annotations()
    save_annotations(data, tmp_path / "a.pkl")
    pack(data, str(tmp_path / "a.packed"))
    for split in (None, "val"):
        expected = labels_of(str(tmp_path / "a.pkl"), split)
        assert labels_of(str(tmp_path / "a.packed"), split) == expected
