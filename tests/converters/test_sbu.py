"""SBU converter: two persons per line, five folds by pair."""

import zipfile

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_sbu
from msg3d.converters.report import report_text
from msg3d.converters.sbu import FOLDS, PAIRS, parse_sequence, units_name
from msg3d.datasets import load_annotations
from msg3d.errors import ConfigError, DataError
from msg3d.formats.base import ReadOptions, Source, detect_format, read
from msg3d.formats.sbu import FORMAT
from samples import same

PATH = "s01s02/03/002/skeleton_pos.txt"


def as_text(keypoint, first=1):
    """Format [2, T, 15, 3] as in the release, with the shortest exact digits."""
    lines = []
    for number, frame in enumerate(keypoint.swapaxes(0, 1), first):
        fields = [str(number)]
        for person in frame:
            for joint in person:
                fields += [str(value) for value in joint]
        lines.append(",".join(fields))
    return "\n".join(lines) + "\n"


def keypoints(frames=4, seed=0):
    """Return float32 [2, T, 15, 3] with five digits, all coordinates in 0..1."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (2, frames, 15, 3)).round(5).astype(np.float32)


def release(pairs=PAIRS, actions=(1, 8)):
    return {
        f"{pair}/{action:02d}/001/skeleton_pos.txt": as_text(
            keypoints(seed=100 * action + number)
        )
        for number, pair in enumerate(pairs)
        for action in actions
    }


def as_folder(files, path):
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def command(*arguments):
    return msg3d_command("prepare", "sbu", *arguments, "--overwrite")


def test_sample():
    expected = keypoints()
    for path in (PATH, f"SBU/s01s02/{PATH}", f"../../{PATH}"):
        (sample,) = parse_sequence(path, as_text(expected).encode())
        assert (sample["frame_dir"], sample["label"]) == ("s01s02_a03_002", 2)
        assert sample["total_frames"] == 4
        assert sample["keypoint"].dtype == np.float32
        np.testing.assert_array_equal(sample["keypoint"], expected)
        assert not sample["notes"]


def test_meters():
    """The center of the image is the optical axis. Absent joints stay absent."""
    keypoint = keypoints(frames=1)
    keypoint[0, 0, 0] = (0.5, 0.5, 0.78125)
    keypoint[1, 0, 3] = (0.25, 0.75, 2)
    keypoint[1, 0, 14] = 0
    content = as_text(keypoint).encode()
    (sample,) = parse_sequence(PATH, content, units="m")
    np.testing.assert_allclose(sample["keypoint"][0, 0, 0], (0, 0, 1), atol=1e-7)
    np.testing.assert_allclose(
        sample["keypoint"][1, 0, 3], (0.64, -0.48, 2.56), rtol=1e-6
    )
    assert not sample["keypoint"][1, 0, 14].any()
    x, y, z = keypoint[0, 0, 7].astype(float)
    published = (1280 - x * 2560, 960 - y * 1920, z * 10000 / 7.8125)  # millimeters
    np.testing.assert_allclose(1000 * sample["keypoint"][0, 0, 7], published, rtol=1e-5)


def fields(change, line=2):
    def corrupt(content):
        lines = content.split("\n")
        parts = lines[line - 1].split(",")
        change(parts)
        lines[line - 1] = ",".join(parts)
        return "\n".join(lines)

    return corrupt


# case -> function that corrupts a file, line of the error, kind of the error
INVALID = {
    "empty": (lambda content: "", None, "empty"),
    "one person": (
        fields(lambda parts: parts.__delitem__(slice(46, None))),
        2,
        "row",
    ),
    "trailing comma": (fields(lambda parts: parts.append("")), 2, "row"),
    "empty field": (fields(lambda parts: parts.__setitem__(5, "")), 2, "number"),
    "text": (fields(lambda parts: parts.__setitem__(5, "x")), 2, "number"),
    "NaN": (fields(lambda parts: parts.__setitem__(5, "NaN")), 2, "not-finite"),
    "infinite": (fields(lambda parts: parts.__setitem__(5, "1e999")), 2, "not-finite"),
    "beyond float32": (
        fields(lambda parts: parts.__setitem__(5, "1e99")),
        2,
        "not-finite",
    ),
    "fractional frame number": (
        fields(lambda parts: parts.__setitem__(0, "1.5")),
        2,
        "frame-numbers",
    ),
    "truncated": (lambda content: content[:-400], 4, "row"),
    "spaces instead of commas": (lambda content: content.replace(",", " "), 1, "row"),
    "blank line": (lambda content: content.replace("\n", "\n\n"), 2, "row"),
    "zeros": (
        lambda content: as_text(np.zeros((2, 4, 15, 3), dtype=np.float32)),
        None,
        "no-person",
    ),
    "UTF-16": (lambda content: content.encode("utf-16"), 1, "encoding"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(tmp_path, case):
    corrupt, line, kind = INVALID[case]
    files = {**release(), PATH: corrupt(as_text(keypoints()))}
    raw = as_folder(files, tmp_path / "raw")
    report = convert_sbu(raw, tmp_path / "a.pkl")
    assert not report["written"]
    assert not (tmp_path / "a.pkl").exists()
    (entry,) = report["refused"]
    assert entry["file"] == PATH
    assert entry.get("line") == line
    assert entry["kind"] == kind
    assert "\n" not in entry["why"]
    assert convert_sbu(raw, tmp_path / "a.pkl", allow_bad=True)["written"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("skeleton_pos.txt", None),
        ("s01s02/1/001/skeleton_pos.txt", None),
        ("s01s02/01/001/old_skeleton_pos.txt", None),
        ("s01s04/01/001/skeleton_pos.txt", "pair"),
        ("s01s02/09/001/skeleton_pos.txt", "action"),
        ("s01s02/00/001/skeleton_pos.txt", "action"),
    ],
)
def test_invalid_path(path, field):
    with raises("file-name", DataError, field=field):
        parse_sequence(path, as_text(keypoints()).encode())


@pytest.mark.parametrize("unit", [None, "m", "px"])
def test_prediction_and_training_read_the_same(unit):
    content = as_text(keypoints()).encode()
    in_meters = unit == "m"
    (sample,) = parse_sequence(PATH, content, "m" if in_meters else "unscaled")
    source = Source(PATH, content)
    assert detect_format(source).name == "sbu"
    (sequence,) = read(source, ReadOptions(unit=unit))
    np.testing.assert_array_equal(sequence["keypoint"], sample["keypoint"])
    assert sequence["layout"] == "sbu15"
    assert sequence["unit"] == ("m" if in_meters else "unscaled")
    assert sequence.get("y_down", False) == (not in_meters)
    for other in (b"", b"1,2,3\n", content.replace(b",", b" "), b"a," * 90 + b"a"):
        assert not FORMAT.detect(Source("a.txt", other))


@pytest.mark.parametrize(
    ("text", "name"), [("raw", "unscaled"), ("meters", "m"), ("m", "m")]
)
def test_names_of_units(text, name):
    assert units_name(text) == name
    for unsupported in ("mm", "feet"):
        with raises("unit", ConfigError):
            units_name(unsupported)


def test_truncation():
    """Truncation is detected, except in the last number or at the end of a line."""
    complete = keypoints(2)
    content = as_text(complete).encode()
    for end in range(0, len(content), 3):
        try:
            (sample,) = parse_sequence(PATH, content[:end])
        except DataError:
            continue
        keypoint, frames = sample["keypoint"], sample["total_frames"]
        differs = keypoint != complete[:, :frames]
        differs[-1, -1, -1, -1] = False
        assert not differs.any()


def test_corrupt_bytes_raise_only_data_errors():
    rng, errors = np.random.default_rng(0), []
    content = np.frombuffer(as_text(keypoints(2)).encode(), dtype=np.uint8)
    for _ in range(500):
        corrupt = content.copy()
        indices = rng.integers(0, len(content), size=rng.integers(1, 4))
        corrupt[indices] ^= 1 << rng.integers(0, 8, size=len(indices)).astype(np.uint8)
        for units in ("unscaled", "m"):
            try:
                parse_sequence(PATH, corrupt.tobytes(), units)
            except DataError as error:
                errors.append(error)
    for error in errors:
        assert error.kind != "unspecified"
        assert "\n" not in str(error)


def test_folds_are_disjoint_and_complete(tmp_path):
    convert_sbu(as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl")
    data = load_annotations(tmp_path / "a.pkl")
    names = [sample["frame_dir"] for sample in data["annotations"]]
    test_names = []
    for number, fold in enumerate(FOLDS, 1):
        val = data["split"][f"fold{number}_val"]
        assert val == [name for name in names if name[:6] in fold]
        assert sorted(val + data["split"][f"fold{number}_train"]) == names
        test_names += val
    assert sorted(test_names) == names
    assert len(PAIRS) == 21
    assert data["meta"]["pair"]["s07s03_a08_001"] == "s07s03"
    assert "units" not in data["meta"]


def test_skipped_frame_numbers_are_noted(tmp_path):
    files = release()
    files[PATH] = as_text(keypoints(3), first=0) + as_text(keypoints(2), first=7)
    report = convert_sbu(as_folder(files, tmp_path / "raw"), tmp_path / "a.pkl")
    ((note, counts),) = report["notes"].items()
    assert counts == {"s01s02_a03_002": 1}
    assert note in report_text(report)


def test_command(tmp_path, capsys):
    raw, out = as_folder(release(), tmp_path / "raw"), tmp_path / "a.pkl"
    assert command(raw, out) == 0
    printed = capsys.readouterr().out
    assert "42 of 282 released" in printed
    assert "units          unscaled" in printed
    assert command(raw, out, "--unit", "m") == 0
    assert "units          m\n" in capsys.readouterr().out
    data = load_annotations(out)
    (expected,) = parse_sequence(
        "s01s02/01/001/skeleton_pos.txt",
        (raw / "s01s02/01/001/skeleton_pos.txt").read_bytes(),
        units="m",
    )
    keypoint = data["annotations"][0]["keypoint"]
    np.testing.assert_array_equal(keypoint, expected["keypoint"])
    assert data["meta"]["units"] == "m"

    (raw / PATH).parent.mkdir(parents=True)
    (raw / PATH).write_text("1,2", encoding="utf-8")
    assert command(raw, out) == 1
    assert f"{PATH}: line 1: " in capsys.readouterr().out
    assert command(raw, out, "--skip-invalid") == 0
    assert command(tmp_path / "none", out) == 1
    assert command(raw, out, "--unit", "mm") == 2


def test_release(shared, tmp_path):
    """The published annotations, written as raw files and converted, are unchanged."""
    reference = load_annotations(shared / "data" / "sbu.pkl")
    archive = tmp_path / "sbu.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for sample in reference["annotations"]:
            pair, action, run = sample["frame_dir"].split("_")
            path = f"{pair}/{action[1:]}/{run}/skeleton_pos.txt"
            file.writestr(path, as_text(sample["keypoint"]))
    report = convert_sbu(archive, tmp_path / "a.pkl", jobs=1)
    assert report["files_read"] == report["files_released"] == 282
    data = load_annotations(tmp_path / "a.pkl")
    assert data["split"] == reference["split"]
    assert data["meta"] == reference["meta"]
    for sample, expected in zip(
        data["annotations"], reference["annotations"], strict=True
    ):
        assert same(sample, expected), expected["frame_dir"]


def test_bones_have_constant_length_in_meters(shared):
    """The length of the neck varies less in meters, so the conversion is correct."""
    reference = load_annotations(shared / "data" / "sbu.pkl")
    deviations = {"unscaled": [], "m": []}
    for sample in reference["annotations"][::8]:
        content = as_text(sample["keypoint"]).encode()
        for units, values in deviations.items():
            (parsed,) = parse_sequence(PATH, content, units)
            neck = parsed["keypoint"][:, :, 1] - parsed["keypoint"][:, :, 2]
            length = np.linalg.norm(neck, axis=-1)
            values.append(length.std(axis=1) / length.mean(axis=1))
    assert np.median(np.concatenate(deviations["m"])) < 0.002
    assert np.median(np.concatenate(deviations["unscaled"])) > 0.008
