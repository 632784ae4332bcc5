"""Reading, writing, and checking annotation files."""

import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import mmengine
import numpy as np
import pytest

from conftest import unpickled
from errors import raises
from msg3d.annotations import files as module
from msg3d.annotations.files import (
    check_annotations,
    load_annotations,
    save_annotations,
)
from msg3d.errors import KINDS, DataError
from samples import annotations


def dump(data, path, protocol=4):
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    return str(path)


def error_text(kind, function, *args, where=None, **kwargs):
    """Return the message of the error of this kind that a function must raise."""
    with raises(kind, DataError, **(where or {})) as caught:
        function(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    return text


IN_FILE = {"file": "a.pkl"}


def equal(left, right):
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(
            equal(left[key], right[key]) for key in left
        )
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and left == right


# Reading


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_all_protocols_load_as_with_pickle(tmp_path, protocol):
    data = annotations()
    data["annotations"][0].update(
        label=np.int64(0),
        extra=OrderedDict(a={1, 2}, b=frozenset("xy"), c=b"\xff", d=b"", e=None),
        scalars=[np.float32(0.5), np.str_("é"), np.bool_(True), np.str_("")],
        empty=np.zeros((0, 3)),
        fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        permuted=np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
        strided=np.arange(10)[::2],
        names=np.array(["left", "right"]),
        half=np.ones((2, 2), dtype=np.float16),
        big_endian=np.arange(3, dtype=">f4"),
        structured=np.zeros(2, dtype=[("x", "f4"), ("y", "i8")]),
        objects=np.array([1, "two", None], dtype=object),
    )
    path = dump(data, tmp_path / "a.pkl", protocol)
    assert equal(load_annotations(path), pickle.loads(Path(path).read_bytes()))


def test_load_file_of_numpy_1(tmp_path):
    data = pickle.dumps(annotations(), protocol=2)
    old = data.replace(b"numpy._core.", b"numpy.core.")
    (tmp_path / "old.pkl").write_bytes(old)
    assert equal(load_annotations(tmp_path / "old.pkl"), annotations())


def test_load_file_of_mmengine(tmp_path):
    path = str(tmp_path / "a.pkl")
    mmengine.dump(annotations()["annotations"], path)
    assert equal(load_annotations(path), annotations()["annotations"])


def test_missing_file(tmp_path):
    path = str(tmp_path / "none.pkl")
    error_text("not-found", load_annotations, path, where={"file": path})


def test_folder(tmp_path):
    error_text("wrong-path", load_annotations, tmp_path, where={"file": tmp_path})


def test_unreadable_file(tmp_path, monkeypatch):
    path = dump(annotations(), tmp_path / "a.pkl")

    def deny(path, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "load_plain", deny)
    error_text("io", load_annotations, path, where={"file": path})


@pytest.mark.parametrize("content", [b"frame_dir,label\n", b'{"a": 1}'])
def test_not_a_pickle(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    error_text("corrupt", load_annotations, tmp_path / "a.pkl", where=IN_FILE)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_truncated(tmp_path, protocol):
    content = pickle.dumps(annotations(), protocol=protocol)
    for length in (0, 2, len(content) // 3, len(content) - 1):
        (tmp_path / "a.pkl").write_bytes(content[:length])
        kind = "truncated" if length else "empty"
        error_text(kind, load_annotations, tmp_path / "a.pkl", where=IN_FILE)


def test_corrupt_bytes_raise_only_data_errors(tmp_path):
    content = bytearray(pickle.dumps(annotations(samples=2), protocol=4))
    rng, errors = np.random.default_rng(0), []
    for _ in range(300):
        corrupt = bytearray(content)
        for position in rng.integers(0, 300, size=3):
            corrupt[position] = rng.integers(256)
        (tmp_path / "a.pkl").write_bytes(corrupt)
        try:
            load_annotations(tmp_path / "a.pkl")
        except DataError as error:
            errors.append(error)
    for error in errors:
        assert error.where.file.endswith("a.pkl")
        assert error.kind in KINDS


HUGE = 2**36


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x95" + struct.pack("<Q", HUGE) + b"N.",  # frame
        b"\x80\x04\x8e" + struct.pack("<Q", HUGE) + b"abc.",  # bytes
        b"\x80\x05\x96" + struct.pack("<Q", HUGE) + b"abc.",  # bytearray
        b"\x80\x04\x8d" + struct.pack("<Q", HUGE) + b"abc.",  # text
    ],
)
def test_header_claims_64_gib(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    error_text("truncated", load_annotations, tmp_path / "a.pkl", where=IN_FILE)


def test_array_header_claims_64_gib(tmp_path):
    content = pickle.dumps([np.zeros((3, 1), dtype=np.uint8)], protocol=2)
    small, huge = b"K\x03K\x01", b"\x8a\x05" + struct.pack("<Q", HUGE)[:5] + b"K\x01"
    assert small in content
    (tmp_path / "a.pkl").write_bytes(content.replace(small, huge))
    with raises("corrupt", file="a.pkl"):
        load_annotations(tmp_path / "a.pkl")


class Command:
    """Object that creates a folder when it is unpickled without restrictions."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_loading_executes_nothing(tmp_path, protocol):
    sentinel = tmp_path / "executed"
    data = annotations()
    data["annotations"][3]["extra"] = Command(sentinel)
    path = dump(data, tmp_path / "a.pkl", protocol)
    text = error_text("unsafe", load_annotations, path, where={"file": path})
    assert f"{os.name}.mkdir" in text
    assert not sentinel.exists()
    pickle.loads((tmp_path / "a.pkl").read_bytes())
    assert sentinel.exists(), "the pickle is harmless, so the test is invalid"


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "builtins getattr",
        "builtins exec",
        "os system",
        "numpy.core.multiarray fromfile",
        "numpy load",
        "numpy.core.records fromrecords",
        "collections OrderedDict.fromkeys",
        "functools partial",
        "msg3d.io.safe_pickle pickle",
    ],
)
def test_error_contains_unsafe_global(tmp_path, name):
    module_name, attribute = name.split()
    (tmp_path / "a.pkl").write_bytes(f"c{module_name}\n{attribute}\n.".encode())
    text = error_text("unsafe", load_annotations, tmp_path / "a.pkl", where=IN_FILE)
    assert f"{module_name}.{attribute}" in text


@pytest.mark.parametrize(
    "content",
    [
        # _codecs.encode('x', 'zlib'); ndarray((9,)); BUILD on a placeholder
        b"c_codecs\nencode\n(Vx\nVzlib\ntR.",
        b"cnumpy\nndarray\n((I9\nttR.",
        b"c_codecs\nencode\n(N(VX\nI1\ndtb.",
        b"cnumpy\nndarray\n(N(VX\nI1\ndtb.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(Vf4\ntRtR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I9\ntVd\ntR.",
    ],
)
def test_allowed_globals_cannot_be_misused(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    with raises("corrupt", file="a.pkl"):
        load_annotations(tmp_path / "a.pkl")


def test_not_annotations(tmp_path):
    path = dump(np.zeros(3), tmp_path / "a.pkl")
    assert "ndarray" in error_text("structure", load_annotations, path, where=IN_FILE)


# Writing


def test_save_and_load(tmp_path):
    data = annotations(channels=2)
    for sample in data["annotations"]:
        sample["keypoint"] = sample["keypoint"].astype(np.float64)
    save_annotations(data, tmp_path / "a.pkl")
    loaded = load_annotations(tmp_path / "a.pkl")
    assert loaded["split"] == data["split"]
    assert data["annotations"][0]["keypoint"].dtype == np.float64
    for sample, original in zip(
        loaded["annotations"], data["annotations"], strict=True
    ):
        assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
        np.testing.assert_array_equal(
            sample["keypoint"], original["keypoint"].astype(np.float32)
        )


def test_failed_save_keeps_existing_file(tmp_path):
    path = tmp_path / "a.pkl"
    save_annotations(annotations(), path)
    before = path.read_bytes()
    faulty = annotations()
    # Finite in float64, but not in float32.
    keypoint = faulty["annotations"][0]["keypoint"].astype(np.float64)
    faulty["annotations"][0]["keypoint"] = keypoint * 1e200
    error_text("keypoint-not-finite", save_annotations, faulty, path, where=IN_FILE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "a.pkl"
    save_annotations(annotations(), path)
    before = path.read_bytes()

    def fail(data, file, protocol):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module.pickle, "dump", fail)
    with pytest.raises(KeyboardInterrupt):
        save_annotations(annotations(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_creates_the_folder(tmp_path):
    save_annotations(annotations(), tmp_path / "none" / "a.pkl")
    assert len(load_annotations(tmp_path / "none" / "a.pkl")["annotations"]) == 12


# Checking


def sample_with(**changes):
    """Return annotations with changed fields of sample002; None removes a field."""
    data = annotations(channels=changes.pop("channels", 3), frames=(21, 22))
    sample = data["annotations"][2]
    for field, value in changes.items():
        if value is None:
            del sample[field]
        else:
            sample[field] = value(sample[field]) if callable(value) else value
    return data


def put(value):
    def change(keypoint):
        keypoint = keypoint.copy()
        keypoint[0, 3, 7] = value
        return keypoint

    return change


# fault -> (changes, kind, field, values in the message, separated by |)
KEY, SCORE = "keypoint", "keypoint_score"
FAULTS = {
    "no label": ({"label": None}, "label-missing", "label", ""),
    "no total_frames": (
        *({"total_frames": None}, "total-frames-missing", "total_frames", ""),
    ),
    "no keypoint": ({"keypoint": None}, "keypoint-missing", KEY, ""),
    "label text": ({"label": "walk"}, "label-kind", "label", "'walk'"),
    "label float": ({"label": 1.0}, "label-kind", "label", "1.0"),
    "label bool": ({"label": True}, "label-kind", "label", "True"),
    "label negative": ({"label": -1}, "label-negative", "label", "-1"),
    "three axes": (
        *({"keypoint": lambda k: k[0]}, "keypoint-axes", KEY, "[M, T, V, C]"),
    ),
    "a list": ({"keypoint": lambda k: k.tolist()}, "keypoint-kind", KEY, "list"),
    "objects": (
        *({"keypoint": lambda k: k.astype(object)}, "keypoint-kind", KEY, "object"),
    ),
    "text": ({"keypoint": lambda k: k.astype(str)}, "keypoint-kind", KEY, "<U"),
    "one channel": (
        *({"keypoint": lambda k: k[..., :1]}, "keypoint-channels", KEY, ", 1)"),
    ),
    "four channels": (
        {"keypoint": lambda k: np.concatenate([k, k[..., :1]], axis=-1)},
        *("keypoint-channels", KEY, ", 4)"),
    ),
    "2D among 3D": (
        {"keypoint": lambda k: k[..., :2]},
        *("channels-differ", KEY, "(1, 21, 20, 2)|'sample000'|3"),
    ),
    "joints": (
        {"keypoint": lambda k: k[:, :, :17]},
        *("joints-differ", KEY, "17|(1, 21, 17, 3)|'sample000'|20"),
    ),
    "NaN": (
        {"keypoint": put(np.nan)},
        *("keypoint-not-finite", KEY, "3 NaN|person 0, frame 3, joint 7"),
    ),
    "infinite": ({"keypoint": put(-np.inf)}, "keypoint-not-finite", KEY, "3 NaN"),
    "zero frames": (
        {"keypoint": lambda k: k[:, :0], "total_frames": 0},
        *("keypoint-empty", KEY, "(1, 0, 20, 3)|frames"),
    ),
    "zero persons": (
        *({"keypoint": lambda k: k[:0]}, "keypoint-empty", KEY, "(0, |persons"),
    ),
    "zero joints": (
        *(
            {"keypoint": lambda k: k[:, :, :0]},
            "keypoint-empty",
            KEY,
            ", 0, 3)|joints",
        ),
    ),
    "total_frames": (
        {"total_frames": 20},
        *("total-frames", "total_frames", "20|21|(1, 21, 20, 3)"),
    ),
    "total_frames text": (
        *({"total_frames": "21"}, "total-frames", "total_frames", "'21'"),
    ),
    "total_frames array": (
        {"total_frames": np.array([21, 21])},
        *("total-frames", "total_frames", "array([21, 21])"),
    ),
    "score shape": (
        {"channels": 2, "keypoint_score": lambda s: s[:, 1:]},
        *("score-kind", SCORE, "(1, 20, 20)|(1, 21, 20)"),
    ),
    "score list": (
        {"channels": 2, "keypoint_score": lambda s: s.tolist()},
        *("score-kind", SCORE, "list"),
    ),
    "score NaN": (
        {"channels": 2, "keypoint_score": lambda s: s * np.nan},
        *("score-not-finite", SCORE, ""),
    ),
    "score missing": (
        *(
            {"channels": 2, "keypoint_score": None},
            "score-missing",
            SCORE,
            "'sample000'",
        ),
    ),
}


@pytest.mark.parametrize("form", ["split", "file", "list"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_sample(fault, form):
    changes, kind, field, values = FAULTS[fault]
    data = sample_with(**changes)
    split = "train" if form == "split" else None
    data = data["annotations"] if form == "list" else data
    where = {"file": "x.pkl", "sample": "sample002", "field": field}
    text = error_text(kind, check_annotations, data, split, source="x.pkl", where=where)
    assert all(value in text for value in values.split("|")), text


def test_other_splits_are_not_checked():
    assert check_annotations(sample_with(label=-1), "val").samples == 4


def test_summary():
    data = annotations(channels=2, joints=17)
    data["annotations"][5]["label"] = np.int32(9)
    summary = check_annotations(data, "train", source="x.pkl")
    assert (summary.source, summary.samples, summary.sample) == (
        "x.pkl",
        8,
        "sample000",
    )
    assert (summary.joints, summary.channels, summary.scored) == (17, 2, True)
    assert (summary.max_label, summary.max_label_sample) == (9, "sample005")


def test_separate_keypoints_and_lists_of_labels():
    data = annotations()
    for sample in data["annotations"]:
        del sample["keypoint"], sample["total_frames"]
        sample["label"] = [sample["label"], 6]
    summary = check_annotations(data, keypoints=False, multi_class=True)
    assert summary.joints is None
    assert summary.max_label == 6
    assert "[0, 6]" in error_text(
        "label-kind", check_annotations, data, keypoints=False
    )


def test_ids_in_filename():
    data = annotations()
    for sample in data["annotations"]:
        sample["filename"] = sample.pop("frame_dir")
    assert check_annotations(data, "train").samples == 8
    data["annotations"][4]["filename"] = "sample001"
    where = {"field": "filename"}
    text = error_text("id-twice", check_annotations, data, "train", where=where)
    assert "'sample001'" in text


# form -> (mutation, kind, sample, field, values in the message)
TRAIN = "split['train']"
FORMS = {
    "no split key": (lambda d: d.pop("split"), "form", None, "split", "dict"),
    "no annotations": (
        *(lambda d: d.pop("annotations"), "form", None, "annotations", "list"),
    ),
    "split list": (
        *(lambda d: d.update(split=["a"]), "form", None, "split", "list|dict"),
    ),
    "no samples": (lambda d: d.update(annotations=[]), "no-samples", None, None, ""),
    "not a dict": (
        lambda d: d["annotations"].insert(1, "x"),
        *("sample-kind", None, None, "annotation 1|str"),
    ),
    "no id": (
        lambda d: d["annotations"][1].pop("frame_dir"),
        *("id-missing", 1, "frame_dir", ""),
    ),
    "id number": (
        lambda d: d["annotations"][1].update(frame_dir=5),
        *("id-missing", 1, "frame_dir", "5"),
    ),
    "duplicate": (
        lambda d: d["annotations"].append(d["annotations"][1]),
        *("id-twice", None, "frame_dir", "'sample001'|2"),
    ),
    "unknown split": (
        lambda d: d["split"].pop("train"),
        *("split", None, "split", "'train'|'val'"),
    ),
    "empty split": (
        *(lambda d: d["split"].update(train=[]), "split-empty", None, TRAIN, "'train'"),
    ),
    "split text": (
        *(lambda d: d["split"].update(train="a"), "split-kind", None, TRAIN, "str"),
    ),
    "unknown id": (
        lambda d: d["split"]["train"].append("ghost"),
        *("split-unknown-id", None, TRAIN, "'ghost'|1 of 9"),
    ),
    "unknown ids": (
        lambda d: d["split"].update(train=[["a"], 3]),
        *("split-unknown-id", None, TRAIN, "['a']|2 of 2"),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_faulty_form(form):
    data = annotations()
    change, kind, sample, field, values = FORMS[form]
    change(data)
    where = {"file": "x.pkl", "sample": sample, "field": field}
    text = error_text(
        kind, check_annotations, data, "train", source="x.pkl", where=where
    )
    assert all(value in text for value in values.split("|")), text


def test_plain_list_has_no_splits():
    samples = annotations()["annotations"]
    error_text("split", check_annotations, samples, "train", where={"field": "split"})


def test_empty_list():
    error_text("no-samples", check_annotations, [])


def test_real_file_is_valid(shared):
    path = shared / "data" / "sbu.pkl"
    assert check_annotations(load_annotations(path)).joints == 15


def test_real_file_loads_as_with_pickle(shared):
    path = shared / "data" / "sbu.pkl"
    assert equal(load_annotations(path), unpickled(path))
