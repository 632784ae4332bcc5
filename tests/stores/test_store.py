"""Packed stores: round trips, corrupt files, and interrupted writing."""

import json
import os
import pickle
import random
import shutil
from pathlib import Path

import mmengine
import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import (
    StoreWriter,
    check_annotations,
    load_annotations,
    load_store,
    pack,
    save_annotations,
)
from msg3d.errors import KINDS, DataError
from msg3d.io.json_data import decode, encode
from msg3d.stores.packing import pack_file
from samples import annotations, same


def varied():
    """Return annotations whose samples differ in every possible way."""
    data = annotations(channels=2, persons=2)
    samples = data["annotations"]
    samples[0]["keypoint"] = samples[0]["keypoint"][:1]  # one person fewer
    samples[0]["keypoint_score"] = samples[0]["keypoint_score"][:1]
    samples[1].update(label=np.int64(2), total_frames=np.int32(9))
    samples[1]["keypoint"] = samples[1]["keypoint"][:, :9]
    samples[1]["keypoint_score"] = samples[1]["keypoint_score"][:, :9]
    samples[2].update(label=[3, 0], text="schritt für schritt \udc80 \U0001f600")
    samples[3].update(
        valid={0.5: 7, 0.6: 5},
        box_score=np.linspace(0, 1, 5, dtype=np.float16),
        nothing=None,
        empty=[np.zeros((0, 3)), {}, (), ""],
    )
    samples[4].update(
        number=np.float64(0.1),
        infinite=[float("inf"), -0.0, float("nan"), 2**70],
        blob=b"\x00\xff",
        names=np.array(["a", "bcd"]),
        marked={"~tuple": [1], "plain": {1, 2}},
    )
    del samples[5]["img_shape"]
    del samples[6]["label"]
    samples[6]["targets"] = np.linspace(0, 1, 5, dtype=np.float32)
    samples[7]["targets"] = [1, 2.5, 3, 4, 5]
    data["split"]["both"] = data["split"]["val"][::-1] + data["split"]["train"]
    data["meta"] = {
        "classes": ["a", "b"],
        "subject": {"sample000": 3},
        "view": {3: (1, 2)},
    }
    data["source"] = "made"
    return data


def test_round_trip(tmp_path):
    data = varied()
    before = pickle.dumps(data)
    pack(data, tmp_path / "a.packed")
    assert pickle.dumps(data) == before
    assert same(load_store(tmp_path / "a.packed").unpack(), data)


def test_round_trip_of_a_plain_list(tmp_path):
    data = annotations()["annotations"]
    pack(data, tmp_path / "a.packed")
    assert same(load_store(tmp_path / "a.packed").unpack(), data)


def test_round_trip_without_splits(tmp_path):
    data = {**annotations(), "split": {}}
    pack(data, tmp_path / "a.packed")
    assert same(load_store(tmp_path / "a.packed").unpack(), data)


def test_read_single_samples(tmp_path):
    data = annotations()
    pack(data, tmp_path / "a.packed")
    store = load_store(tmp_path / "a.packed")
    for number in (7, 0, -1):
        assert same(store[number], data["annotations"][number])
    with pytest.raises(IndexError):
        store[len(data["annotations"])]


def test_samples_are_copies(tmp_path):
    data = annotations()
    pack(data, tmp_path / "a.packed")
    store = load_store(tmp_path / "a.packed")
    store[0]["keypoint"][:] = 7
    assert same(store[0], data["annotations"][0])


@pytest.mark.parametrize("dtype", ["float16", "float64", "int16"])
def test_dtypes(tmp_path, dtype):
    data = annotations(channels=2)
    for sample in data["annotations"]:
        sample["keypoint"] = sample["keypoint"].astype(dtype)
        sample["keypoint_score"] = sample["keypoint_score"].astype(np.float64)
    pack(data, tmp_path / "kept.packed", keep_dtype=True)
    assert same(load_store(tmp_path / "kept.packed").unpack(), data)
    pack(data, tmp_path / "a.packed")
    for sample, original in zip(
        load_store(tmp_path / "a.packed"), data["annotations"], strict=True
    ):
        assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
        expected = original["keypoint"].astype(np.float32)
        np.testing.assert_array_equal(sample["keypoint"], expected)


def test_mixed_dtypes_cannot_be_kept(tmp_path):
    data = annotations()
    data["annotations"][3]["keypoint"] = data["annotations"][3]["keypoint"].astype(
        float
    )
    with raises("dtype", file="a.packed", sample="sample003", field="keypoint"):
        pack(data, tmp_path / "a.packed", keep_dtype=True)
    pack(data, tmp_path / "a.packed")
    assert load_store(tmp_path / "a.packed")[3]["keypoint"].dtype == np.float32


def test_arrays_are_plain_npy(tmp_path):
    """The arrays can be mapped; rows are persons x frames, sample after sample."""
    data = annotations(channels=2, persons=2)
    pack(data, tmp_path / "a.packed")
    folder = tmp_path / "a.packed" / "data.1"
    for field in ("keypoint", "keypoint_score"):
        mapped = np.load(folder / f"{field}.npy", mmap_mode="r")
        rows = [
            sample[field].reshape(-1, *sample[field].shape[2:])
            for sample in data["annotations"]
        ]
        np.testing.assert_array_equal(mapped, np.concatenate(rows))


def test_scores_of_none(tmp_path):
    """Scores must be None in all samples, or arrays in all samples."""
    data = annotations(channels=2)
    for sample in data["annotations"]:
        sample["keypoint_score"] = None
    pack(data, tmp_path / "a.packed")
    assert same(load_store(tmp_path / "a.packed").unpack(), data)
    data["annotations"][1] = annotations(channels=2)["annotations"][1]
    with raises("score-missing", sample="sample001", field="keypoint_score"):
        write_store(tmp_path / "b.packed", data["annotations"])


def test_writer_equals_pack(tmp_path):
    """`splits` and `meta` may be set last; a set is stored in the order of the file."""
    data = annotations()
    data["split"]["train"] = set(data["split"]["train"])
    with StoreWriter(tmp_path / "a.packed") as writer:
        for sample in data["annotations"]:
            writer.add(sample)
        writer.splits = data["split"]
        writer.meta = {"classes": ("a", "b")}
    data["split"]["train"] = sorted(data["split"]["train"])
    data["meta"] = {"classes": ("a", "b")}
    assert same(load_store(tmp_path / "a.packed").unpack(), data)


def test_summary_equals_check_annotations(tmp_path):
    data = varied()
    pack(data, tmp_path / "a.packed")
    store = load_store(tmp_path / "a.packed")
    for split in data["split"]:
        expected = check_annotations(data, split, str(store.path), multi_class=True)
        assert store.summary(store.split(split)) == expected


@pytest.mark.parametrize(
    "value", [np.float64(0.1), (1, [2, (3,)]), {"~a": 1}, {"~": {(1, 2): None}}, b"~"]
)
def test_json_round_trip(value):
    assert same(decode(encode(value)), value)


def test_json_rejects_unsupported_types():
    for value in (object(), np.array([object()]), [lambda: 0], Path("a")):
        with raises("dtype"):
            encode(value)
    for text, kind in (
        (b"{", "corrupt"),
        (b'{"~import": ["os"]}', "corrupt"),
        (b'{"~array": ["|O", [1], "AAAAAAAAAAA="]}', "dtype"),
    ):
        with raises(kind):
            decode(text)


def write_store(path, samples, splits=None):
    with StoreWriter(path) as writer:
        for sample in samples:
            writer.add(sample)
        writer.splits = splits


def not_finite(samples):
    samples[3]["keypoint"][0, 2, 1] = np.nan


def other_joints(samples):
    samples[3]["keypoint"] = samples[3]["keypoint"][:, :, 1:]


def duplicate_id(samples):
    samples[3]["frame_dir"] = "sample002"


def missing_id(samples):
    del samples[3]["frame_dir"]


def overflow(samples):
    samples[3]["keypoint"] = samples[3]["keypoint"].astype(float) * 1e39


def unsupported_type(samples):
    samples[3]["reader"] = open


# change -> kind, sample, field
FAULTS = {
    not_finite: ("keypoint-not-finite", "sample003", "keypoint"),
    other_joints: ("joints-differ", "sample003", "keypoint"),
    duplicate_id: ("id-twice", None, "frame_dir"),
    missing_id: ("id-missing", 3, "frame_dir"),
    overflow: ("keypoint-not-finite", "sample003", "keypoint"),
    unsupported_type: ("dtype", "sample003", None),
}


@pytest.mark.parametrize("change", FAULTS)
def test_writer_rejects_faulty_samples(tmp_path, change):
    data = annotations()
    change(data["annotations"])
    kind, sample, field = FAULTS[change]
    path = tmp_path / "a.packed"
    with raises(kind, file=path, sample=sample, field=field):
        write_store(path, data["annotations"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("splits", "kind", "field"),
    [
        ({"train": ["ghost"]}, "split-unknown-id", "split['train']"),
        ({"train": []}, "split-empty", "split['train']"),
        ({1: ["sample000"]}, "split", "split"),
    ],
)
def test_writer_rejects_faulty_splits(tmp_path, splits, kind, field):
    with raises(kind, file="a.packed", field=field):
        write_store(tmp_path / "a.packed", annotations()["annotations"], splits)
    assert not list(tmp_path.iterdir())


def test_writer_without_samples(tmp_path):
    with raises("no-samples", file="a.packed"):
        write_store(tmp_path / "a.packed", [])
    assert not list(tmp_path.iterdir())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_replace_store(tmp_path):
    """Open readers of the old store can continue to read it."""
    old, new = annotations(seed=1), annotations(seed=2, joints=17)
    pack(old, tmp_path / "a.packed")
    reader = load_store(tmp_path / "a.packed")
    pack(new, tmp_path / "a.packed")
    assert same(load_store(tmp_path / "a.packed").unpack(), new)
    assert same(reader[3], old["annotations"][3])
    assert names(tmp_path / "a.packed") == ["data.2", "store.json"]


def test_error_keeps_the_old_store(tmp_path):
    old, new = annotations(seed=1), annotations(seed=2)
    pack(old, tmp_path / "a.packed")
    not_finite(new["annotations"])
    with pytest.raises(DataError):
        write_store(tmp_path / "a.packed", new["annotations"])

    def stop_after_a_sample():
        with StoreWriter(tmp_path / "a.packed") as writer:
            writer.add(new["annotations"][0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_after_a_sample()
    assert same(load_store(tmp_path / "a.packed").unpack(), old)
    assert names(tmp_path / "a.packed") == ["data.1", "store.json"]


def test_only_stores_are_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("text", encoding="utf-8")
    (tmp_path / "file.pkl").write_text("data", encoding="utf-8")
    for name in ("folder", "file.pkl"):
        with raises("exists", file=name):
            pack(annotations(), tmp_path / name)
    assert (tmp_path / "folder" / "thesis.tex").read_text(encoding="utf-8") == "text"


def test_header_cannot_delete_other_folders(tmp_path):
    (tmp_path / "precious").mkdir()
    pack(annotations(), tmp_path / "a.packed")
    header = json.loads(
        (tmp_path / "a.packed" / "store.json").read_text(encoding="utf-8")
    )
    header["data"] = "../precious"
    (tmp_path / "a.packed" / "store.json").write_text(
        json.dumps(header), encoding="utf-8"
    )
    with raises("corrupt", file="store.json"):
        load_store(tmp_path / "a.packed")
    pack(annotations(), tmp_path / "a.packed")
    assert (tmp_path / "precious").is_dir()


def test_killed_at_every_step(tmp_path, monkeypatch):
    """Simulate a kill before each file operation in turn."""
    old, new = annotations(seed=1), annotations(seed=2)

    class Killed(BaseException):
        pass

    def counted(step):
        def counting(*args, **kwargs):
            remaining[0] -= 1
            if remaining[0] < 0:
                raise Killed
            return step(*args, **kwargs)

        return counting

    outcomes = []
    while not outcomes or outcomes[-1] != "done":
        path = tmp_path / f"{len(outcomes)}.packed"
        pack(old, path)
        remaining = [len(outcomes)]
        with monkeypatch.context() as patch:
            for name in ("mkdir", "fsync", "replace", "unlink", "rmdir", "open"):
                patch.setattr(os, name, counted(getattr(os, name)))
            patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
            try:
                pack(new, path)
                outcomes.append("done")
            except Killed:
                outcomes.append("killed")
        content = load_store(path).unpack()
        if same(content, old):
            outcomes[-1] = "old"
        else:
            assert same(content, new)
    first_new = outcomes.index("killed")
    assert first_new > 5
    assert set(outcomes[:first_new]) == {"old"}
    assert set(outcomes[first_new:-1]) == {"killed"}


def test_killed_before_the_first_store_is_complete(tmp_path):
    with StoreWriter(tmp_path / "a.packed") as writer:
        writer.add(annotations()["annotations"][0])
        shutil.copytree(tmp_path / "a.packed", tmp_path / "killed.packed")
    with raises("not-found", file="killed.packed/store.json"):
        load_store(tmp_path / "killed.packed")
    pack(annotations(), tmp_path / "killed.packed")
    assert len(load_store(tmp_path / "killed.packed")) == 12


FILES = ["store.json"] + [
    f"data.1/{name}"
    for name in (
        "keypoint.npy",
        "keypoint_score.npy",
        "index.npy",
        "fields.npy",
        "splits.npy",
        "meta.json",
    )
]


@pytest.mark.parametrize("file", FILES)
def test_truncated_or_removed(tmp_path, file):
    pack(annotations(channels=2), tmp_path / "a.packed")
    path = tmp_path / "a.packed" / file
    content = path.read_bytes()
    for length in (len(content) - 1, len(content) // 2, 1, 0):
        path.write_bytes(content[:length])
        with raises("corrupt" if file == "store.json" else "truncated", file=path):
            load_store(tmp_path / "a.packed")
    path.unlink()
    with raises("not-found", file=path):
        load_store(tmp_path / "a.packed")
    path.write_bytes(content)
    load_store(tmp_path / "a.packed")


def test_truncated_while_open(tmp_path):
    """A memory-mapped file would crash the process here."""
    pack(annotations(), tmp_path / "a.packed")
    store = load_store(tmp_path / "a.packed")
    os.truncate(tmp_path / "a.packed" / "data.1" / "keypoint.npy", 500)
    with raises("truncated", file="data.1/keypoint.npy"):
        store[11]


def test_corrupt_header(tmp_path):
    """A corrupt header is read, or raises a DataError with the file."""
    pack(annotations(), tmp_path / "a.packed")
    path = tmp_path / "a.packed" / "store.json"
    content = path.read_bytes()
    rng, errors = random.Random(0), []
    for _ in range(200):
        corrupt = bytearray(content)
        corrupt[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(corrupt)
        try:
            load_store(tmp_path / "a.packed")
        except DataError as error:
            errors.append(error)
    for error in errors:
        assert error.where.file.startswith(str(tmp_path / "a.packed"))
        assert error.kind in KINDS


def test_corrupt_fields(tmp_path):
    pack(annotations(), tmp_path / "a.packed")
    path = tmp_path / "a.packed" / "data.1" / "fields.npy"
    path.write_bytes(path.read_bytes().replace(b'{"frame_dir"', b'["frame_dir"'))
    with raises("corrupt", file="data.1/fields.npy", sample=3):
        load_store(tmp_path / "a.packed")[3]


def test_other_versions_and_programs(tmp_path):
    pack(annotations(), tmp_path / "a.packed")
    header = tmp_path / "a.packed" / "store.json"
    data = json.loads(header.read_text(encoding="utf-8"))
    header.write_text(json.dumps({**data, "version": 2}), encoding="utf-8")
    with raises("version", file=header):
        load_store(header.parent)
    header.write_text("[]", encoding="utf-8")
    with raises("wrong-file-type", file=header):
        load_store(header.parent)


def test_missing_store(tmp_path):
    with raises("not-found", file="a.packed"):
        load_store(tmp_path / "a.packed")
    (tmp_path / "a.packed").write_text("", encoding="utf-8")
    with raises("wrong-path", file="a.packed"):
        load_store(tmp_path / "a.packed")


def command(*arguments):
    return msg3d_command("pack", *arguments)


def test_command(tmp_path, monkeypatch, capsys):
    data = annotations()
    save_annotations(data, tmp_path / "a.pkl")
    out = tmp_path / "new" / "a.packed"
    assert command(tmp_path / "a.pkl", out) == 0
    printed = capsys.readouterr()
    assert "samples: 12\nsplits: train 8, val 4" in printed.out
    assert command(out, tmp_path / "b.pkl") == 0
    assert same(load_annotations(tmp_path / "b.pkl"), data)


def test_command_with_keep_dtype(tmp_path, monkeypatch):
    data = annotations()
    for sample in data["annotations"]:
        sample["keypoint"] = sample["keypoint"].astype(np.float16)
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    out = tmp_path / "a.packed"
    command(tmp_path / "a.pkl", out, "--keep-dtype")
    command(out, tmp_path / "b.pkl")
    assert same(load_annotations(tmp_path / "b.pkl"), data)


@pytest.mark.parametrize(
    ("names", "kind", "file"),
    [
        (("none.pkl", "a.packed"), "not-found", "none.pkl"),
        (("none.packed", "a.pkl"), "not-found", "none.packed"),
        (("bad.pkl", "a.packed"), "joints-differ", "bad.pkl"),
        (("bad.pkl", "a.npz"), "file-name", "a.npz"),
        (("bad.pkl", "b.pkl"), "file-name", "b.pkl"),
        ((".", "a.packed"), "file-name", "a.packed"),
    ],
)
def test_command_errors(tmp_path, monkeypatch, capsys, names, kind, file):
    data = annotations()
    other_joints(data["annotations"])
    mmengine.dump(data, str(tmp_path / "bad.pkl"))
    paths = [str(tmp_path / name) for name in names]
    with raises(kind, file=file):
        pack_file(*paths)
    capsys.readouterr()
    assert command(*paths) == 1
    assert file in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "bad.pkl"]


def test_real_data(tmp_path, shared):
    for name in ("nw_ucla", "penn_action"):
        data = load_annotations(shared / "data" / f"{name}.pkl")
        pack(data, tmp_path / "a.packed", keep_dtype=True)
        assert same(load_store(tmp_path / "a.packed").unpack(), data)
