"""NW-UCLA converter: samples, invalid files, archives, splits, and leaks."""

import io
import json
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.leaks import find_leaks
from msg3d.converters import convert_nw_ucla
from msg3d.converters.nw_ucla import ACTIONS, parse_sequence
from msg3d.converters.report import report_text
from msg3d.datasets import (
    load_annotations,
    load_store,
)
from msg3d.errors import DataError
from msg3d.formats.base import Source, detect_format, read
from msg3d.formats.nw_ucla import FORMAT
from msg3d.io import archives as reader
from samples import same


def record(name, frames=4, seed=None):
    """Return a sequence in the format of the release."""
    rng = np.random.default_rng(abs(hash(name)) % 2**32 if seed is None else seed)
    return {
        "file_name": name,
        "skeletons": rng.normal(size=(frames, 20, 3)).round(5).tolist(),
        "label": ACTIONS.index(int(name[1:3])) + 1,
    }


def release(actions=(1, 2, 12), subjects=(1, 2)):
    """Return file name -> JSON text of a small release without leaks."""
    names = [
        f"a{action:02d}_s{subject:02d}_e00_v{view:02d}"
        for action in actions
        for subject in subjects
        for view in (1, 2, 3)
    ]
    return {
        f"{name}.json": json.dumps(record(name, seed=number))
        for number, name in enumerate(names)
    }


def as_folder(files, path):
    for name, text in files.items():
        target = path / "all_sqe" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def as_tar(files, path, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, text in files.items():
            content = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(f"all_sqe/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def as_zip(files, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("all_sqe/", "")
        for name, text in files.items():
            archive.writestr(f"all_sqe/{name}", text)
    return path


def content_of(path):
    return pickle.dumps(load_annotations(path))


def command(*arguments):
    return msg3d_command("prepare", "nw-ucla", *arguments, "--overwrite")


def test_folder_and_archives_give_the_same_annotations(tmp_path):
    raws = [
        as_folder(release(), tmp_path / "folder"),
        as_tar(release(), tmp_path / "a.tar.xz"),
        as_tar(release(), tmp_path / "a.tar.gz", "w:gz"),
        as_tar(release(), tmp_path / "a.tar", "w"),
        as_zip(release(), tmp_path / "a.zip"),
    ]
    for number, raw in enumerate(raws):
        report = convert_nw_ucla(raw, tmp_path / f"{number}.pkl")
        assert report["written"]
        assert report["files_read"] == 18
        assert content_of(tmp_path / f"{number}.pkl") == content_of(tmp_path / "0.pkl")


def test_sample():
    name = "a12_s03_e04_v02"
    raw = record(name)
    (sample,) = parse_sequence(f"../../{name}.json", json.dumps(raw).encode())
    assert (sample["frame_dir"], sample["label"]) == (name, 9)
    assert sample["total_frames"] == 4
    assert sample["keypoint"].dtype == np.float32
    np.testing.assert_array_equal(
        sample["keypoint"], np.array([raw["skeletons"]], dtype=np.float32)
    )


def test_splits_and_meta(tmp_path):
    convert_nw_ucla(as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl")
    data = load_annotations(tmp_path / "a.pkl")
    names = [sample["frame_dir"] for sample in data["annotations"]]
    split, meta = data["split"], data["meta"]
    for protocol, is_test in (
        ("xview", lambda name: name.endswith("v03")),
        ("xview_clean_v1", lambda name: name.endswith("v01")),
        ("xsub", lambda name: "s02" in name),
    ):
        assert split[f"{protocol}_val"] == [name for name in names if is_test(name)]
        assert split[f"{protocol}_train"] == [
            name for name in names if not is_test(name)
        ]
    assert meta["classes"][9] == "carry"
    assert meta["joints"][4] == "l_shoulder"
    assert meta["subject"][names[-1]] == 2
    assert meta["view"][names[-1]] == 3


def with_frame(change):
    def corrupt(raw):
        change(raw["skeletons"][2])
        return raw

    return corrupt


# case -> function that corrupts a record, kind of the error
INVALID = {
    "truncated": (lambda raw: json.dumps(raw)[:-40], "syntax"),
    "empty": (lambda raw: "", "syntax"),
    "not UTF-8": (lambda raw: b"\xff\xfe\x00", "encoding"),
    "deeply nested": (lambda raw: "[" * 100000, "syntax"),
    "not an object": (lambda raw: "[1]", "structure"),
    "missing field": (lambda raw: {"label": 1}, "structure"),
    "wrong file_name": (
        lambda raw: {**raw, "file_name": "a01_s01_e01_v02"},
        "file-name",
    ),
    "wrong label": (lambda raw: {**raw, "label": 1}, "label"),
    "string label": (lambda raw: {**raw, "label": "2"}, "label"),
    "no frames": (lambda raw: {**raw, "skeletons": []}, "empty"),
    "19 joints": (with_frame(lambda frame: frame.pop()), "layout"),
    "no joints": (with_frame(lambda frame: frame.clear()), "layout"),
    "2 coordinates": (with_frame(lambda frame: frame[5].pop()), "shape"),
    "NaN": (
        with_frame(lambda frame: frame[5].__setitem__(0, float("nan"))),
        "not-finite",
    ),
    "beyond float32": (
        with_frame(lambda frame: frame[5].__setitem__(0, 1e300)),
        "not-finite",
    ),
    "string coordinate": (
        with_frame(lambda frame: frame[5].__setitem__(0, "0.1")),
        "number",
    ),
    "null": (with_frame(lambda frame: frame[5].__setitem__(0, None)), "number"),
    "nested list": (with_frame(lambda frame: frame[5].__setitem__(0, [1.0])), "number"),
    "zeros": (
        lambda raw: {**raw, "skeletons": np.zeros((4, 20, 3)).tolist()},
        "no-person",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(tmp_path, case):
    corrupt, kind = INVALID[case]
    name = "a02_s01_e00_v01"
    content = corrupt(record(name))
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    raw = as_folder({**release(), f"{name}.json": text}, tmp_path / "raw")
    report = convert_nw_ucla(raw, tmp_path / "a.pkl")
    assert not report["written"]
    assert not (tmp_path / "a.pkl").exists()
    assert report["files_read"] == 18
    assert report["sequences"] == 17
    (entry,) = report["refused"]
    assert entry["file"] == f"all_sqe/{name}.json"
    assert entry["kind"] == kind
    assert entry["why"]
    assert "\n" not in entry["why"]
    assert convert_nw_ucla(raw, tmp_path / "a.pkl", allow_bad=True)["written"]
    assert len(load_annotations(tmp_path / "a.pkl")["annotations"]) == 17


@pytest.mark.parametrize("frame", [0, 3])
def test_error_contains_the_frame(frame):
    """Generated JSON has no useful line numbers."""
    raw = record("a02_s01_e00_v01")
    raw["skeletons"][frame].pop()
    with raises("layout", DataError, field="skeletons") as error:
        parse_sequence("a02_s01_e00_v01.json", json.dumps(raw).encode())
    assert f"frame {frame}" in error.value.message


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("walking.json", None),
        ("a01_s01_e00_v01 (1).json", None),
        ("a07_s01_e00_v01.json", "action"),
        ("a01_s11_e00_v01.json", "subject"),
        ("a01_s01_e00_v04.json", "view"),
    ],
)
def test_invalid_name(name, field):
    with raises("file-name", DataError, field=field):
        parse_sequence(name, b"{}")


def test_prediction_and_training_read_the_same():
    name = "a12_s03_e04_v02"
    content = json.dumps(record(name)).encode()
    (sample,) = parse_sequence(f"{name}.json", content)
    source = Source(f"raw/{name}.json", content)
    assert detect_format(source).name == "nw_ucla"
    (sequence,) = read(source)
    np.testing.assert_array_equal(sequence["keypoint"], sample["keypoint"])
    assert sequence["label"] == sample["label"]
    assert sequence["frame_dir"] == f"raw/{name}"
    assert (sequence["layout"], sequence["unit"]) == ("kinect20", "m")
    assert not FORMAT.detect(Source("a.json", b'{"label": 1, "skeletons": []}'))
    assert not FORMAT.detect(Source("a.json", b"[1]"))


def test_duplicate(tmp_path):
    files = release()
    files["again/a01_s01_e00_v01.json"] = files["a01_s01_e00_v01.json"]
    report = convert_nw_ucla(as_tar(files, tmp_path / "a.tar.xz"), tmp_path / "a.pkl")
    (entry,) = report["refused"]
    assert entry["file"] == "all_sqe/again/a01_s01_e00_v01.json"
    assert entry["kind"] == "duplicate"
    assert "all_sqe/a01_s01_e00_v01.json" in entry["why"]


def test_paths_outside_the_archive_are_not_extracted(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    files = {f"../../{name}": text for name, text in release().items()}
    archives = [
        as_tar(files, folder / "a.tar.gz", "w:gz"),
        as_zip(files, folder / "a.zip"),
    ]
    for archive in archives:
        assert convert_nw_ucla(archive, folder / "a.pkl")["sequences"] == 18
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_other_files_links_and_large_files_are_ignored(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_BYTES", 5000)
    path = as_tar({**release(), "README": "hello"}, tmp_path / "a.tar", "w")
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("a01_s09_e00_v01.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        large = tarfile.TarInfo("a01_s08_e00_v01.json")
        large.size = 5001
        archive.addfile(large, io.BytesIO(b" " * large.size))
    report = convert_nw_ucla(path, tmp_path / "a.pkl")
    assert report["other_files"] == [
        "all_sqe/README",
        "a01_s09_e00_v01.json",
        "a01_s08_e00_v01.json",
    ]


@pytest.mark.parametrize("mode", ["w:xz", "w:gz", "w"])
def test_truncated_archive(tmp_path, mode):
    path = as_tar(release(), tmp_path / "a.tar.x", mode)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with raises("corrupt-archive", DataError, file="a.tar.x"):
        convert_nw_ucla(path, tmp_path / "a.pkl")
    assert not (tmp_path / "a.pkl").exists()


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_truncated_or_corrupt_tar(tmp_path, part):
    """tarfile does not detect a truncation between two members."""
    path = as_tar(release(), tmp_path / "a.tar", "w")
    content = path.read_bytes()
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        header = members[int(part * len(members))].offset
    corrupt = bytearray(content)
    corrupt[header] ^= 0xFF
    for data in (content[:header], content[: header + 100], bytes(corrupt)):
        path.write_bytes(data)
        with raises("corrupt-archive", DataError, file="a.tar"):
            convert_nw_ucla(path, tmp_path / "a.pkl")


def test_one_sided_protocols_are_omitted(tmp_path):
    raw = as_folder(release(subjects=(1,)), tmp_path / "raw")
    report = convert_nw_ucla(raw, tmp_path / "new" / "folder" / "a.pkl")
    assert report["written"]
    assert report["one_sided_splits"] == ["xsub"]
    split = load_annotations(tmp_path / "new" / "folder" / "a.pkl")["split"]
    assert "xview_val" in split
    assert "xsub_val" not in split


def test_protocols_are_kept_if_all_are_one_sided(tmp_path):
    """A single view and subject gives only training or only test samples."""
    files = {name: text for name, text in release().items() if "v03" in name}
    raw = as_folder({n: t for n, t in files.items() if "s01" in n}, tmp_path / "raw")
    report = convert_nw_ucla(raw, tmp_path / "a.pkl")
    assert report["written"]
    assert not report["one_sided_splits"]
    split = load_annotations(tmp_path / "a.pkl")["split"]
    assert len(split["xview_val"]) == 3
    assert "xview_train" not in split
    text = report_text(report)
    assert "note           split xview contains no training samples" in text


def test_packed(tmp_path):
    """The output is a packed store instead of a pickle file."""
    raw = as_folder(release(), tmp_path / "raw")
    convert_nw_ucla(raw, tmp_path / "a.pkl")
    report = convert_nw_ucla(raw, tmp_path / "a.packed")
    assert report["written"]
    assert report["sequences"] == 18
    data = load_annotations(tmp_path / "a.pkl")
    store = load_store(tmp_path / "a.packed")
    for number, sample in enumerate(data["annotations"]):
        packed = store[number]
        assert {**packed, "keypoint": 0} == {**sample, "keypoint": 0}
        np.testing.assert_array_equal(packed["keypoint"], sample["keypoint"])


def test_no_output_without_valid_files(tmp_path):
    raw = as_folder({"a01_s01_e00_v01.json": "{"}, tmp_path / "raw")
    report = convert_nw_ucla(raw, tmp_path / "a.pkl", allow_bad=True)
    assert not report["written"]
    assert not (tmp_path / "a.pkl").exists()
    first_words = [line.split()[0] for line in report_text(report).splitlines()]
    assert first_words == ["files", "sequences", "rejected", "NOT"]


def make_folder(path):
    path.mkdir()
    (path / "a.txt").write_text("", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        ("a.pkl", make_folder, "wrong-path"),
        ("a.packed", make_folder, "exists"),
        ("a.packed", lambda path: path.write_text("", encoding="utf-8"), "exists"),
        ("a.json", lambda path: None, "file-name"),
    ],
)
def test_output_is_checked_before_parsing(tmp_path, monkeypatch, name, make, kind):
    raw = as_folder(release(), tmp_path / "raw")
    make(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("msg3d.converters.convert.parse_files", None)
    with raises(kind, file=name):
        convert_nw_ucla(raw, tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_missing_or_empty_input(tmp_path):
    with raises("not-found", DataError, file="none"):
        convert_nw_ucla(tmp_path / "none", tmp_path / "a.pkl")
    with raises("empty", DataError, file=tmp_path.name):
        convert_nw_ucla(tmp_path, tmp_path / "a.pkl")


def test_leaks(tmp_path):
    """Copies between views are reported and are not in the clean splits."""
    files = release()
    copy = json.loads(files["a02_s01_e00_v02.json"])
    files["a02_s01_e00_v03.json"] = json.dumps({**copy, "file_name": "a02_s01_e00_v03"})
    partial_copy = json.loads(files["a01_s01_e00_v01.json"])
    source = json.loads(files["a01_s01_e00_v02.json"])
    partial_copy["skeletons"][:3] = source["skeletons"][:3]
    files["a01_s01_e00_v01.json"] = json.dumps(partial_copy)
    report = convert_nw_ucla(as_folder(files, tmp_path / "raw"), tmp_path / "a.pkl")
    leaks = {name: split["leaks"] for name, split in report["splits"].items()}
    assert leaks["xview"]["identical"] == ["a02_s01_e00_v03"]
    assert leaks["xview_v1"]["mostly"] == ["a01_s01_e00_v01"]
    for name in ("xview_clean", "xview_clean_v1", "xsub"):
        assert leaks[name] == {"identical": [], "mostly": [], "partly": []}
    data = load_annotations(tmp_path / "a.pkl")
    assert "a02_s01_e00_v03" not in data["split"]["xview_clean_val"]
    assert "a01_s01_e00_v01" not in data["split"]["xview_clean_v1_val"]
    assert "a01_s01_e00_v01" in data["split"]["xview_val_v1"]


def test_absent_persons_are_not_leaks():
    keypoints = {name: np.zeros((1, 3, 2, 3), dtype=np.float32) for name in "ab"}
    keypoints["b"][0, 0] = 1
    assert find_leaks(keypoints, ["a"], ["b"])["partly"] == []


def test_command(tmp_path, capsys):
    raw, out = as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl"
    assert command(raw, out) == 0
    printed = capsys.readouterr()
    assert "split xview: 12 train, 6 val; val samples also in train: 0" in printed.out
    assert not printed.err, "progress bar without a terminal"
    report = json.loads((tmp_path / "a.pkl.report.json").read_text(encoding="utf-8"))
    assert report["written"]
    assert report["frames"] == {"min": 4, "median": 4, "max": 4}

    before = out.read_bytes()
    (raw / "all_sqe" / "a01_s01_e00_v01.json").write_text("{", encoding="utf-8")
    assert command(raw, out) == 1
    printed = capsys.readouterr().out
    assert "rejected       all_sqe/a01_s01_e00_v01.json: " in printed
    assert "NOT written" in printed
    assert out.read_bytes() == before
    assert command(raw, out, "--skip-invalid") == 0
    assert out.read_bytes() != before

    assert command(tmp_path / "none", out) == 1
    assert "none" in capsys.readouterr().err


def test_release(shared, tmp_path):
    """The standard split has a known leak."""
    report = convert_nw_ucla(
        shared / "data" / "nw_ucla_raw.tar.xz", tmp_path / "nw_ucla.pkl"
    )
    assert report["files_read"] == 1484
    assert not report["refused"]
    assert report["frames"] == {"min": 1, "median": 31, "max": 201}
    splits = report["splits"]
    assert len(splits["xview"]["leaks"]["identical"]) == 95
    assert {name[:3] for name in splits["xview"]["leaks"]["identical"]} == {
        "a02",
        "a03",
    }
    for name in ("xview_clean_v1", "xview_clean", "xsub"):
        assert splits[name]["leaks"]["identical"] == []
        assert splits[name]["leaks"]["mostly"] == []
    data = load_annotations(tmp_path / "nw_ucla.pkl")
    reference = load_annotations(shared / "data" / "nw_ucla.pkl")
    assert data["split"] == reference["split"]
    assert data["meta"] == reference["meta"]
    for sample, expected in zip(
        data["annotations"], reference["annotations"], strict=True
    ):
        assert same(sample, expected), expected["frame_dir"]
