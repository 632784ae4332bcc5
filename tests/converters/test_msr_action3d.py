"""MSR-Action3D converter: samples, invalid files, splits, and the release."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_msr_action3d
from msg3d.converters.msr_action3d import NOT_OF_CVPR_2012, SUBSETS, parse_sequence
from msg3d.converters.report import report_text
from msg3d.datasets import (
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import Source, detect_format, read
from msg3d.formats.msr_action3d import FORMAT
from samples import same

# Joints in the order of the files.
FILE_ORDER = (
    *("l_shoulder", "r_shoulder", "shoulder_center", "spine", "l_hip", "r_hip"),
    *("hip_center", "l_elbow", "r_elbow", "l_wrist", "r_wrist", "l_hand", "r_hand"),
    *("l_knee", "r_knee", "l_ankle", "r_ankle", "l_foot", "r_foot", "head"),
)


def text(frames=3, seed=0, empty=()):
    """Return a file in the format of the release. The frames in `empty` are zero."""
    rng = np.random.default_rng(seed)
    lines = []
    for frame in range(frames):
        for _ in range(20):
            xyz = rng.normal(size=3) * (frame not in empty)
            lines.append("{:.6f} {:.6f} {:.6f} 1.000000".format(*xyz))
    return "\n".join(lines) + "\n"


def reference_read(content):
    """Read a file line by line; return joint name -> [x, y, z] for each nonzero frame."""
    lines = content.strip().split("\n")
    frames = []
    for start in range(0, len(lines), 20):
        by_name = {}
        for name, line in zip(FILE_ORDER, lines[start : start + 20], strict=True):
            by_name[name] = [float(field) for field in line.split(" ")[:3]]
        if any(value for joint in by_name.values() for value in joint):
            frames.append(by_name)
    return frames


def release(actions=(1, 2, 6, 20), subjects=(1, 2)):
    return {
        f"a{action:02d}_s{subject:02d}_e01_skeleton3D.txt": text(seed=31 * action)
        + text(1, seed=subject)
        for action in actions
        for subject in subjects
    }


def as_folder(files, path):
    path.mkdir()
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (path / name).write_bytes(data)
    return path


def as_tar(files, path):
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"MSRAction3D/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


def command(*arguments):
    return msg3d_command("prepare", "msr-action3d", *arguments, "--overwrite")


def test_sample():
    content = text(5, empty=(0, 3))
    (sample,) = parse_sequence("any/where/a20_s03_e02_skeleton3D.txt", content.encode())
    assert (sample["frame_dir"], sample["label"]) == ("a20_s03_e02", 19)
    assert sample["keypoint"].dtype == np.float32
    assert sample["total_frames"] == 3
    names = (
        *("hip_center", "spine", "shoulder_center", "head"),
        *("l_shoulder", "l_elbow", "l_wrist", "l_hand"),
        *("r_shoulder", "r_elbow", "r_wrist", "r_hand"),
        *("l_hip", "l_knee", "l_ankle", "l_foot"),
        *("r_hip", "r_knee", "r_ankle", "r_foot"),
    )
    frames = reference_read(content)
    expected = [[frame[name] for name in names] for frame in frames]
    np.testing.assert_array_equal(
        sample["keypoint"], np.array([expected], dtype=np.float32)
    )
    assert list(sample["notes"].values()) == [2]


def test_line_endings_and_trailing_blank_lines():
    name, content = "a01_s01_e01_skeleton3D.txt", text()
    (expected,) = parse_sequence(name, content.encode())
    for variant in (content.replace("\n", "\r\n"), content + "\n \n", content[:-1]):
        (sample,) = parse_sequence(name, variant.encode())
        np.testing.assert_array_equal(sample["keypoint"], expected["keypoint"])


def with_line(number, line):
    def corrupt(content):
        lines = content.split("\n")
        lines[number - 1] = line
        return "\n".join(lines)

    return corrupt


# case -> function that corrupts a file, line of the error, kind of the error
INVALID = {
    "empty": (lambda content: "", None, "empty"),
    "blank": (lambda content: "\n \n", None, "empty"),
    "three fields": (with_line(7, "1 2 3"), 7, "row"),
    "five fields": (with_line(7, "1 2 3 4 5"), 7, "row"),
    "blank line": (with_line(30, ""), 30, "row"),
    "text": (with_line(7, "1 2 x 1"), 7, "number"),
    "underscore": (with_line(7, "1 2 1_0 1"), 7, "number"),
    "decimal comma": (with_line(7, "1 2 0,5 1"), 7, "number"),
    "NaN": (with_line(59, "1 2 nan 1"), 59, "not-finite"),
    "infinite": (with_line(59, "1 -inf 2 1"), 59, "not-finite"),
    "beyond float32": (with_line(59, "1 1e300 2 1"), 41, "not-finite"),
    "missing line": (with_line(60, ""), 59, "truncated"),
    "extra line": (lambda content: content + "1 2 3 1\n", 61, "truncated"),
    "latin-1": (lambda content: content.encode() + b"\xe9", 61, "encoding"),
    "UTF-16": (lambda content: content.encode("utf-16"), 1, "encoding"),
    "binary": (lambda content: bytes(200), 1, "row"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(tmp_path, case):
    corrupt, line, kind = INVALID[case]
    name = "a02_s01_e01_skeleton3D.txt"
    raw = as_folder({**release(), name: corrupt(text())}, tmp_path / "raw")
    report = convert_msr_action3d(raw, tmp_path / "a.pkl")
    assert not report["written"]
    assert not (tmp_path / "a.pkl").exists()
    (entry,) = report["refused"]
    assert entry["file"] == name
    assert entry.get("line") == line
    assert entry["kind"] == kind
    assert "\n" not in entry["why"]
    assert convert_msr_action3d(raw, tmp_path / "a.pkl", allow_bad=True)["written"]
    assert len(load_annotations(tmp_path / "a.pkl")["annotations"]) == 7


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("walk_skeleton3D.txt", None),
        ("a01_s01_e01_skeleton3D (1).txt", None),
        ("a00_s01_e01_skeleton3D.txt", "action"),
        ("a21_s01_e01_skeleton3D.txt", "action"),
        ("a01_s11_e01_skeleton3D.txt", "subject"),
        ("a01_s01_e04_skeleton3D.txt", "repeat"),
    ],
)
def test_invalid_name(name, field):
    with raises("file-name", DataError, field=field):
        parse_sequence(name, text().encode())


def test_prediction_and_training_read_the_same():
    content = text(5, empty=(0, 3)).encode()
    (sample,) = parse_sequence("a20_s03_e02_skeleton3D.txt", content)
    source = Source("raw/a20_s03_e02_skeleton3D.txt", content)
    assert detect_format(source).name == "msr_action3d"
    (sequence,) = read(source)
    np.testing.assert_array_equal(sequence["keypoint"], sample["keypoint"])
    assert sequence["notes"] == sample["notes"]
    assert (sequence["layout"], sequence["unit"]) == ("kinect20", "m")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1 2 3 4\n" * 19,
        b"1 2 3\n" * 20,
        b"0 0.5 0.5 0.1 0.2\n" * 20,  # YOLO boxes
        b"1,2,3,4\n" * 20,
        b"a b c d\n" * 20,
        b"\x00\xff" * 500,
    ],
)
def test_other_text_is_not_detected(content):
    assert not FORMAT.detect(Source("a.txt", content))


def test_truncation():
    """Truncation is detected, except at the end of a frame."""
    name, content = "a01_s01_e01_skeleton3D.txt", text(2).encode()
    (complete,) = parse_sequence(name, content)
    rejected = 0
    for end in range(0, len(content), 7):
        try:
            (sample,) = parse_sequence(name, content[:end])
        except DataError:
            rejected += 1
            continue
        expected = complete["keypoint"][:, : sample["total_frames"]]
        np.testing.assert_array_equal(sample["keypoint"], expected)
    assert rejected > 0.9 * len(content) / 7


def test_corrupt_bytes_raise_only_data_errors():
    rng, errors = np.random.default_rng(0), []
    content = np.frombuffer(text(2).encode(), dtype=np.uint8)
    for _ in range(500):
        corrupt = content.copy()
        indices = rng.integers(0, len(content), size=rng.integers(1, 4))
        corrupt[indices] ^= 1 << rng.integers(0, 8, size=len(indices)).astype(np.uint8)
        try:
            parse_sequence("a01_s01_e01_skeleton3D.txt", corrupt.tobytes())
        except DataError as error:
            errors.append(error)
    for error in errors:
        assert error.kind != "unspecified"
        assert "\n" not in str(error)


def test_splits_and_meta(tmp_path):
    files = release()
    for excluded in ("a02_s03_e02", "a20_s10_e03"):
        files[f"{excluded}_skeleton3D.txt"] = text(seed=len(files))
    convert_msr_action3d(as_tar(files, tmp_path / "a.tar.xz"), tmp_path / "a.pkl")
    data = load_annotations(tmp_path / "a.pkl")
    split = data["split"]
    assert split["xsub_train"] == [f"a{a}_s01_e01" for a in ("01", "02", "06", "20")]
    assert split["xsub_val"] == [f"a{a}_s02_e01" for a in ("01", "02", "06", "20")]
    assert split["as1_train"] == ["a02_s01_e01", "a06_s01_e01", "a20_s01_e01"]
    assert split["as2_val"] == ["a01_s02_e01"]
    assert split["as3_val"] == ["a06_s02_e01", "a20_s02_e01"]
    assert "a02_s03_e02" in split["xsub_all_train"]
    assert "a20_s10_e03" in split["xsub_all_val"]
    assert data["meta"]["subject"]["a20_s10_e03"] == 10
    assert data["meta"]["classes"][19] == "pickup and throw"
    assert data["meta"]["joints"][7] == "l_hand"
    assert data["annotations"][0].keys() == {
        *("frame_dir", "label", "total_frames", "keypoint")
    }


def test_files_and_frames_without_joints(tmp_path):
    name = "a13_s09_e02_skeleton3D.txt"
    with pytest.raises(SkipFile):
        parse_sequence(name, text(3, empty=range(3)).encode())
    files = {**release(), name: text(3, empty=range(3))}
    files["a01_s05_e01_skeleton3D.txt"] = text(6, empty=(1, 2))
    report = convert_msr_action3d(
        as_folder(files, tmp_path / "raw"), tmp_path / "a.pkl"
    )
    assert report["written"]
    assert list(report["left_out"].values()) == [[name]]
    ((note, counts),) = report["notes"].items()
    assert counts == {"a01_s05_e01": 2}
    assert f"note           {note}: 2 in 1 sequences" in report_text(report)


def test_command(tmp_path, capsys):
    raw, out = as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl"
    assert command(raw, out) == 0
    assert "split xsub: 4 train, 4 val" in capsys.readouterr().out
    report = json.loads((tmp_path / "a.pkl.report.json").read_text(encoding="utf-8"))
    assert report["units"] == "m"
    assert report["sequences"] == 8
    (raw / "a01_s01_e01_skeleton3D.txt").write_text("1 2 3", encoding="utf-8")
    assert command(raw, out) == 1
    assert "a01_s01_e01_skeleton3D.txt: line 1: " in capsys.readouterr().out
    assert command(raw, out, "--skip-invalid") == 0
    assert command(tmp_path / "none", out) == 1
    (tmp_path / "empty").mkdir()
    with raises("empty", DataError, file="empty"):
        convert_msr_action3d(tmp_path / "empty", out)


def test_release(shared, tmp_path):
    raw = shared / "data" / "msr_action3d_raw.tar.xz"
    assert command(raw, tmp_path / "a.pkl") == 0
    report = json.loads((tmp_path / "a.pkl.report.json").read_text(encoding="utf-8"))
    skipped = ["msr_action3d_raw/a13_s09_e02_skeleton3D.txt"]
    assert list(report["left_out"].values()) == [skipped]
    (counts,) = report["notes"].values()
    assert sum(counts.values()) == 1075
    assert counts["a13_s09_e03"] == 740

    data = load_annotations(tmp_path / "a.pkl")
    reference = load_annotations(shared / "data" / "msr_action3d.pkl")
    assert data["split"] == reference["split"]
    assert data["meta"] == reference["meta"]
    for sample, expected in zip(
        data["annotations"], reference["annotations"], strict=True
    ):
        assert same(sample, expected), expected["frame_dir"]


def test_list_of_the_cvpr_2012_paper(shared):
    """The published list lacks exactly the sequences that `xsub` excludes."""
    with tarfile.open(shared / "data" / "msr_action3d_raw.tar.xz") as archive:
        names = archive.getnames()
        (path,) = [name for name in names if name.endswith("cvpr12_paper.txt")]
        listed = set(archive.extractfile(path).read().decode().split())
    released = {Path(name).name[:11] for name in names if "_skeleton3D" in name}
    assert len(listed) == 557
    assert released - listed == NOT_OF_CVPR_2012


def test_sizes_of_the_subsets(shared):
    split = load_annotations(shared / "data" / "msr_action3d.pkl")["split"]
    for subset, sequences in (("as1", 219), ("as2", 228), ("as3", 222)):
        names = split[f"{subset}_train"] + split[f"{subset}_val"]
        assert len(names) == sequences
        assert {int(name[1:3]) for name in names} == set(SUBSETS[subset])
