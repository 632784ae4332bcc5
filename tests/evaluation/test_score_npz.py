"""Scores without any pickle: the same ones come back, and a lying file is refused."""

import io
import zipfile

import numpy as np
import pytest
from test_fusion import IDS, LABELS, logits, mmaction_dump, softmax

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import save_annotations
from msg3d.evaluation import (
    labels_of,
    read_scores,
)
from msg3d.evaluation.score_npz import write_score_npz
from msg3d.stores.packing import pack
from samples import annotations


def test_what_was_written_comes_back(tmp_path):
    path, values = tmp_path / "scores.npz", softmax(logits(0))
    write_score_npz(str(path), IDS, values, LABELS)
    scores = read_scores(path)
    assert scores.ids == IDS
    assert scores.probabilities
    np.testing.assert_array_equal(scores.values, values)
    np.testing.assert_array_equal(scores.labels, LABELS)
    with np.load(path, allow_pickle=False) as plain:
        assert plain["ids"].tolist() == IDS
        assert plain["scores"].shape == (8, 3)


def test_as_numpy_writes_them_without_labels(tmp_path):
    values = logits(1).astype(np.float32)
    np.savez(tmp_path / "scores.npz", ids=IDS, scores=values)
    scores = read_scores(
        tmp_path / "scores.npz", dict(zip(IDS, LABELS.tolist(), strict=True))
    )
    np.testing.assert_array_equal(scores.values, values)
    np.testing.assert_array_equal(scores.labels, LABELS)


def test_a_dump_becomes_one(tmp_path):
    """And counts as the dump it was made of."""
    dump = mmaction_dump(tmp_path / "dump.pkl", softmax(logits(0)))
    assert msg3d_command("fuse", dump, "--output", tmp_path / "plain.npz") == 0
    plain, dumped = read_scores(tmp_path / "plain.npz"), read_scores(dump)
    assert plain.ids == dumped.ids
    np.testing.assert_array_equal(plain.values, dumped.values)
    np.testing.assert_array_equal(plain.labels, dumped.labels)


def npz(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array, **kwargs):
    file = io.BytesIO()
    np.save(file, array, **kwargs)
    return file.getvalue()


GOOD = npy(np.ones((8, 3)))


@pytest.mark.parametrize(
    ("members", "kind", "where"),
    [
        ({"ids": npy(np.array(IDS))}, "structure", {"field": "scores"}),
        ({"scores": npy(np.ones(8))}, "shape", {"field": "scores"}),
        ({"scores": GOOD, "labels": npy(np.arange(7))}, "shape", {"field": "labels"}),
        ({"scores": GOOD, "ids": npy(np.arange(8))}, "dtype", {"field": "ids"}),
        (
            {"scores": GOOD, "ids": npy(np.array(["a"] * 8))},
            "duplicate",
            {"sample": "a"},
        ),
        ({"scores": npy(np.array([{}], object))}, "dtype", {"field": "scores"}),
        (
            {"scores": GOOD.replace(b"(8, 3)", b"(9, 3)")},
            "truncated",
            {"field": "scores"},
        ),
        (
            {"scores": GOOD.replace(b"(8, 3)", b"(7, 3)")},
            "corrupt",
            {"field": "scores"},
        ),
        ({"scores": GOOD[:-5]}, "truncated", {"field": "scores"}),
        ({"scores": npy(np.array([[1.0, np.nan]]))}, "not-finite", {"sample": 0}),
    ],
)
def test_refused(tmp_path, members, kind, where):
    with raises(kind, file="scores.npz", **where):
        read_scores(npz(tmp_path / "scores.npz", **members))


def test_a_bomb_is_not_unpacked(tmp_path):
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
