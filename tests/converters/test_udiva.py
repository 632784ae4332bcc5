"""UDIVA converter: chunks, traits, skipped files, and invalid files."""

import contextlib
import io
import json
import sys
import zipfile
from functools import partial

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.targets import CHALLENGE_TRAITS
from msg3d.converters import convert_udiva
from msg3d.converters.udiva import parse_recording
from msg3d.converters.udiva_tables import read_tables
from msg3d.datasets import (
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import Source, detect_format, read

h5py = pytest.importorskip("h5py", reason="UDIVA requires h5py")

TRAITS = dict(zip((1, 2, 3, 4, 5), np.arange(25).reshape(5, 5) / 8, strict=True))
# split -> session -> participants in FC1 and FC2
SESSIONS = {
    "train": {"001002": (1, 2), "001003": (1, 3)},
    "val": {"004005": (4, 5)},
    "test": {"006007": (6, 7)},
}
PATH = "lego_annotations_train/001002/FC2_L/annotations_raw.hdf5"


def landmarks(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 24, 3)).astype(np.float32)


def hdf5(array, without=(), numbers=None, dtype=None):
    """Return a recording: a group per frame, without landmarks in frames `without`."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for index, frame in enumerate(array):
            group = file.create_group(f"{numbers[index] if numbers else index:05d}")
            group.create_group("hands")
            if index in without:
                group.create_group("body") if index % 2 else None
            else:
                group.create_group("body")["landmarks"] = frame.astype(dtype or float)
    return content.getvalue()


def tables_of(sessions=SESSIONS, traits=TRAITS):
    files = {}
    for split, pairs in sessions.items():
        lines = ["ID,DATE,PART.1,PART.2"]
        lines += [
            f"{name},x,{first},{second}" for name, (first, second) in pairs.items()
        ]
        files[f"metadata_{split}/sessions_{split}.csv"] = "\n".join(lines)
        lines = [",".join(("ID", "AGE", *CHALLENGE_TRAITS))]
        for person in sorted({person for pair in pairs.values() for person in pair}):
            numbers = map(str, traits[person]) if person in traits else [""] * 5
            lines.append(",".join((str(person), "30", *numbers)))
        files[f"metadata_{split}/parts_{split}.csv"] = "\n".join(lines)
    return files


def release(tasks=("animals", "lego"), frames=25):
    files = {}
    for split, sessions in SESSIONS.items():
        for number, session in enumerate(sessions):
            for task in tasks:
                for camera in ("FC1", "FC2"):
                    seed = len(files)
                    name = f"{camera}_{task[0].upper()}/annotations_raw.hdf5"
                    path = f"{task}_annotations_{split}/{session}/{name}"
                    files[path] = hdf5(landmarks(frames + number, seed))
    return {**files, **tables_of()}


def as_folder(files, path):
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def parse(tmp_path):
    tables = read_tables(as_folder(tables_of(), tmp_path / "tables"))
    return partial(parse_recording, PATH, tables=tables, chunk=10)


def command(*arguments):
    return msg3d_command("prepare", "udiva", *arguments, "--overwrite")


@pytest.mark.parametrize(
    ("remainder", "lengths"),
    [("keep", [10, 10, 5]), ("pad", [10] * 3), ("drop", [10, 10])],
)
def test_chunks(parse, remainder, lengths):
    expected = landmarks(25)
    samples = parse(content=hdf5(expected), remainder=remainder)
    assert [sample["total_frames"] for sample in samples] == lengths
    joined = np.concatenate([sample["keypoint"] for sample in samples], axis=1)[0]
    padded = expected[np.arange(sum(lengths)).clip(max=24)]
    np.testing.assert_array_equal(joined, padded)
    assert list(samples[0].pop("notes").values()) == [5]
    for number, sample in enumerate(samples):
        assert sample["keypoint"].dtype == np.float32
        assert "notes" not in sample
        assert sample["frame_dir"] == f"001002_lego_FC2_c{number:03d}"
        assert sample["person_id"] == "2"
        assert (sample["session"], sample["task"]) == ("001002", "lego")
        np.testing.assert_array_equal(sample["targets"], TRAITS[2].astype(np.float32))


@pytest.mark.parametrize("missing", ["remove", "zero"])
def test_frames_without_landmarks(parse, missing):
    array = landmarks(12)
    samples = parse(content=hdf5(array, without=(3, 4, 11)), missing=missing)
    joined = np.concatenate([sample["keypoint"] for sample in samples], axis=1)[0]
    expected = array.copy()
    expected[[3, 4, 11]] = 0
    expected = np.delete(array, [3, 4, 11], 0) if missing == "remove" else expected
    np.testing.assert_array_equal(joined, expected)
    result = "removed" if missing == "remove" else "zero"
    assert samples[0]["notes"][f"frames without body landmarks ({result})"] == 3
    note = "recordings shorter than a chunk of 10 frames"
    assert (note in samples[0]["notes"]) == (missing == "remove")


def test_frames_are_sorted_by_number(parse):
    array = landmarks(3)
    (sample,) = parse(content=hdf5(array, numbers=[10, 9, 100000]))
    np.testing.assert_array_equal(sample["keypoint"][0], array[[1, 0, 2]])
    what = "frame numbers that do not follow the previous number (joined)"
    assert sample["notes"][what] == 1


SKIPPED = {  # case -> path, options of `hdf5`, reason
    "masked": (PATH.replace("raw", "cleaned_masked"), {}, "masked"),
    "masked zip": (
        PATH.replace("raw.hdf5", "cleaned_masked.zip/annotations.hdf5"),
        {},
        "masked",
    ),
    "hidden traits": (
        "talk_annotations_test/006007/FC1_T/annotations_raw.hdf5",
        {},
        "traits are hidden",
    ),
    "no person": (PATH, {"without": range(12)}, "no frame has body landmarks"),
    "short": (PATH, {"without": range(3)}, "shorter than a chunk of 10 frames"),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_skipped_file(parse, case):
    path, options, reason = SKIPPED[case]
    with pytest.raises(SkipFile, match=reason):
        parse_recording(
            path,
            hdf5(landmarks(12), **options),
            **{**parse.keywords, "remainder": "drop"},
        )


def with_value(value, index=(2, 5, 1)):
    array = landmarks(12).astype(float)
    array[index] = value
    return hdf5(array)


# case -> path, content, kind of the error, field of the error
INVALID = {
    "wrong path": ("001002/FC2_L/a.hdf5", hdf5(landmarks(3)), "file-name", None),
    "unknown session": (
        PATH.replace("001002", "9"),
        hdf5(landmarks(3)),
        "unknown-name",
        None,
    ),
    "wrong split": (
        PATH.replace("train", "val"),
        hdf5(landmarks(3)),
        "split",
        None,
    ),
    "empty": (PATH, b"", "corrupt", None),
    "text": (PATH, b"frames", "corrupt", None),
    "truncated": (PATH, hdf5(landmarks(12))[:-500], "corrupt", None),
    "no frames": (PATH, hdf5(landmarks(0)), "empty", None),
    "NaN": (PATH, with_value(np.nan), "not-finite", "00002/body/landmarks"),
    "beyond float32": (PATH, with_value(1e60), "not-finite", "00002/body/landmarks"),
    "wrong number of joints": (
        PATH,
        hdf5(landmarks(3)[:, :23]),
        "shape",
        "00000/body/landmarks",
    ),
    "text instead of numbers": (
        PATH,
        hdf5(landmarks(3), dtype="S8"),
        "dtype",
        "00000/body/landmarks",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(parse, case):
    path, content, kind, field = INVALID[case]
    with raises(kind, DataError, field=field):
        parse_recording(path, content, **parse.keywords)


def test_group_that_is_not_a_frame(parse):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("metadata")
    with raises("structure", DataError):
        parse(content=content.getvalue())


def test_prediction_and_training_read_the_same(parse):
    content = hdf5(landmarks(12), without=(3, 4, 11))
    samples = parse(content=content)
    source = Source(PATH, content)
    assert detect_format(source).name == "udiva"
    (sequence,) = read(source)
    joined = np.concatenate([sample["keypoint"] for sample in samples], axis=1)
    np.testing.assert_array_equal(sequence["keypoint"], joined)
    assert sequence["notes"] == {"frames without body landmarks (removed)": 3}
    assert (sequence["layout"], sequence["unit"]) == ("smpl24", "unscaled")
    with raises("corrupt", DataError, file="a.hdf5"):
        read(Source("a.hdf5", b"frames"))


def test_truncated_and_corrupt_files(parse):
    valid = hdf5(landmarks(3))
    rng = np.random.default_rng(0)
    for length in rng.integers(0, len(valid), 40):
        with pytest.raises(DataError):
            parse(content=valid[:length])
    for _ in range(100):
        corrupt = bytearray(valid)
        corrupt[rng.integers(len(valid))] ^= 1 << rng.integers(8)
        with contextlib.suppress(DataError, SkipFile):
            parse(content=bytes(corrupt))


def test_release(tmp_path):
    raw = as_folder(release(), tmp_path / "raw")
    report = convert_udiva(raw, tmp_path / "a.pkl", chunk=10, jobs=1)
    assert report["written"]
    assert not report["refused"]
    data = load_annotations(tmp_path / "a.pkl")
    assert data["meta"]["targets"] == list(CHALLENGE_TRAITS)
    assert len(data["meta"]["joints"]) == 24
    assert {name: len(ids) for name, ids in data["split"].items()} == {
        "train": 8 * 3,
        "val": 4 * 3,
    }
    assert report["one_sided_splits"] == ["test"]
    tables = [path.relative_to(raw).as_posix() for path in raw.rglob("*.csv")]
    assert sorted(report["files_used"]) == sorted(tables)
    assert not set(tables) & set(report["other_files"])
    hidden = report["left_out"]["the participant's traits are hidden"]
    assert len(hidden) == 4
    assert all("_test/" in path for path in hidden)
    assert report["notes"]["frames in a shorter last chunk"] == {
        f"{session}_{task}_{camera}_c000": 5 + (session == "001003")
        for session in ("001002", "001003", "004005")
        for task in ("animals", "lego")
        for camera in ("FC1", "FC2")
    }
    persons = {
        sample["frame_dir"]: sample["person_id"] for sample in data["annotations"]
    }
    assert {persons[name] for name in data["split"]["train"]} == {"1", "2", "3"}
    assert persons["001003_animals_FC2_c000"] == "3"
    text = (tmp_path / "a.pkl.report.txt").read_text(encoding="utf-8")
    assert "shorter last chunk: 64 in 12 sequences" in text
    assert "labels" not in text


def test_recording_in_an_archive(tmp_path):
    """The release contains zipped recordings."""
    files = release()
    for name in [path for path in files if path.endswith(".hdf5")]:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("annotations_cleaned.hdf5", files.pop(name))
        files[name.replace("raw.hdf5", "cleaned_unmasked.zip")] = content.getvalue()
    raw = as_folder(files, tmp_path / "zipped")
    report = convert_udiva(raw, tmp_path / "a.pkl", chunk=10, jobs=1)
    assert report["written"]
    raw = as_folder(release(), tmp_path / "raw")
    convert_udiva(raw, tmp_path / "b.pkl", chunk=10, jobs=1)
    zipped, unpacked = (load_annotations(tmp_path / f"{name}.pkl") for name in "ab")
    for sample, expected in zip(
        zipped["annotations"], unpacked["annotations"], strict=True
    ):
        np.testing.assert_equal(sample, expected)


def test_participants_of_two_splits_are_noted(tmp_path):
    files = release()
    sessions = {**SESSIONS, "val": {"004005": (4, 1)}}
    files.update(tables_of(sessions))
    raw = as_folder(files, tmp_path / "raw")
    report = convert_udiva(raw, tmp_path / "a.pkl", chunk=10, jobs=1)
    note = "chunks of 1, who is in train and val"
    assert len(report["notes"][note]) == (4 + 2) * 3


# case -> function that changes the files, kind of the error, location of the error
INVALID_TABLES = {
    "no tables": (
        lambda files: files.clear(),
        "not-found",
        {"file": "raw"},
    ),
    "missing table": (
        lambda files: files.pop("metadata_val/parts_val.csv"),
        "not-found",
        {"file": "raw"},
    ),
    "missing column": (
        lambda files: files.update(
            {"metadata_val/sessions_val.csv": "ID,PART.1\n004005,4"}
        ),
        "columns",
        {"file": "sessions_val.csv"},
    ),
    "empty cell": (
        lambda files: files.update(
            {"metadata_val/sessions_val.csv": "ID,PART.1,PART.2\n004005,4,"}
        ),
        "row",
        {"file": "sessions_val.csv", "line": 2},
    ),
    "duplicate session": (
        lambda files: files.update(
            {"metadata_val/sessions_val.csv": "ID,PART.1,PART.2\n001002,4,5"}
        ),
        "duplicate",
        {"file": "sessions_val.csv", "line": 2},
    ),
    "text as trait": (
        lambda files: files.update(
            {
                name: content.replace("1.875", "high")
                for name, content in files.items()
                if "parts_val" in name
            }
        ),
        "target",
        {"file": "parts_val.csv", "line": 2, "field": "OPENMINDEDNESS_Z"},
    ),
    "different traits": (
        lambda files: files.update(
            {
                "metadata_val/parts_val.csv": f"ID,{','.join(CHALLENGE_TRAITS)}\n"
                "1,0,0,0,0,0"
            }
        ),
        "duplicate",
        {"file": "parts_val.csv", "line": 2},
    ),
    "UTF-16": (
        lambda files: files.update(
            {"metadata_val/parts_val.csv": "ID\n1".encode("utf-16")}
        ),
        "encoding",
        {"file": "parts_val.csv"},
    ),
}


@pytest.mark.parametrize("case", INVALID_TABLES)
def test_invalid_tables(tmp_path, case):
    change, kind, where = INVALID_TABLES[case]
    files = tables_of()
    change(files)
    (tmp_path / "raw").mkdir()
    with raises(kind, DataError, **where):
        read_tables(as_folder(files, tmp_path / "raw"))


def test_command(tmp_path, capsys):
    raw, out = as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl"
    arguments = (raw, out, "--chunk", 10, "--remainder", "pad", "--num-workers", 1)
    assert command(*arguments) == 0
    assert "frames added to pad the last chunk" in capsys.readouterr().out

    (raw / PATH).write_bytes(b"corrupt")
    before = out.read_bytes()
    assert command(*arguments) == 1
    assert out.read_bytes() == before
    report = json.loads((tmp_path / "a.pkl.report.json").read_text(encoding="utf-8"))
    assert [entry["file"] for entry in report["refused"]] == [PATH]
    assert command(*arguments, "--skip-invalid") == 0
    assert command(tmp_path / "missing", out, "--chunk", 9) == 1
    assert "missing" in capsys.readouterr().err
    for options in (("--chunk", "0"), ()):
        assert command(raw, out, *options) == 2


def test_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with raises("missing-package", DataError):
        convert_udiva(tmp_path, tmp_path / "a.pkl", chunk=10)
