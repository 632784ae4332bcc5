"""Conversion of users' folders of .csv and .npy files."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.splits import hold_out
from msg3d.converters import convert_folder
from msg3d.converters.labels import read_class_folders
from msg3d.converters.report import report_text
from msg3d.datasets import (
    SkeletonDataset,
    load_annotations,
)
from msg3d.errors import DataError
from msg3d.formats.arrays import Arrays, to_sequence
from msg3d.formats.csv_table import read_csv
from msg3d.formats.npy import read_npy
from msg3d.skeletons import skeleton
from msg3d.skeletons.units import PER_METER
from msg3d.synthetic.actions import make_synthetic_actions

JOINTS = ("hip", "left_knee", "right_knee")
LAYOUT = skeleton(
    {"num_node": 3, "inward": [(1, 0), (2, 0)], "center": 0, "joints": JOINTS}
)


def keypoint(frames=4, seed=0, persons=None, channels=3):
    shape = (frames, len(JOINTS), channels)
    shape = shape if persons is None else (persons, *shape)
    return np.random.default_rng(seed).normal(size=shape).round(3)


def table(array, axes="xyz", joints=JOINTS):
    """Format [T, V, C] as CSV with named columns."""
    lines = [",".join(f"{joint}_{axis}" for joint in joints for axis in axes)]
    lines += [",".join(str(value) for value in frame.ravel()) for frame in array]
    return "\n".join(lines) + "\n"


def as_npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def folder(path, files):
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def recordings(classes=("wave", "bow"), people=4, repeats=2, seed=0):
    """Return different CSV files CLASS/pPERSON_REPEAT.csv."""
    rng = np.random.default_rng(seed)
    return {
        f"{name}/p{person}_{repeat}.csv": table(keypoint(seed=int(rng.integers(2**31))))
        for name in classes
        for person in range(people)
        for repeat in range(repeats)
    }


def convert(raw, out, **options):
    return convert_folder(raw, out, LAYOUT, **{"units": "m", **options})


def command(*arguments):
    return msg3d_command("prepare", *arguments, "--overwrite")


def test_csv_with_named_columns_in_any_order():
    """Compare with csv.DictReader on shuffled columns."""
    array = keypoint(5)
    columns = list(zip(*csv.reader(io.StringIO(table(array))), strict=True))
    shuffled = [columns[i] for i in np.random.default_rng(1).permutation(9)]
    text = "\n".join(",".join(row) for row in zip(*shuffled, strict=True))
    sequence = read_csv(text.encode(), JOINTS, 3)
    assert sequence.coordinates.shape == (1, 5, 3, 3)
    assert sequence.scores is None
    for frame, row in enumerate(csv.DictReader(io.StringIO(text))):
        for joint, name in enumerate(JOINTS):
            for channel, axis in enumerate("xyz"):
                value = sequence.coordinates[0, frame, joint, channel]
                assert value == float(row[f"{name}_{axis}"])
    np.testing.assert_array_equal(sequence.coordinates[0], array)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("left_knee_x", '"Left Knee-X"'),
        lambda text: text.replace("hip_", " HIP_").replace(",", ", "),
        lambda text: (
            text.replace("hip", "frame,hip", 1).replace("\n", "\n7,", 1)
            if text.count("\n") == 2
            else text
        ),
    ],
)
def test_csv_dialects(change):
    array = keypoint(1)
    sequence = read_csv(change(table(array)).encode(), JOINTS, 3)
    np.testing.assert_array_equal(sequence.coordinates[0], array)


def test_csv_with_numbered_columns_and_scores():
    text = "y0,x0,score0,x1,y1,score1,score2,x2,y2\n1,2,.5,3,4,.25,0,5,6\n"
    sequence = read_csv(text.encode(), JOINTS, 2)
    expected = [[[[2, 1], [3, 4], [5, 6]]]]
    np.testing.assert_array_equal(sequence.coordinates, expected)
    np.testing.assert_array_equal(sequence.scores, [[[0.5, 0.25, 0]]])


def test_csv_of_several_persons():
    """Rows may have any order. A person without a row in a frame is absent."""
    header = "frame,person," + table(keypoint(0)).strip()
    rows = {(11, "b"): 1, (10, "a"): 2, (13, "a"): 3}
    text = header + "".join(
        f"\n{frame},{person}," + ",".join([str(value)] * 9)
        for (frame, person), value in rows.items()
    )
    sequence = read_csv(text.encode(), JOINTS, 3)
    assert sequence.coordinates.shape == (2, 4, 3, 3)
    expected = np.full((2, 4), np.nan)  # Persons are in the order of the file: b, a.
    expected[0, 1], expected[1, 0], expected[1, 3] = 1, 2, 3
    np.testing.assert_array_equal(sequence.coordinates[..., 1, 2], expected)
    np.testing.assert_array_equal(sequence.lines, [[0, 2, 0, 0], [3, 0, 0, 4]])
    assert sequence.notes == {"frames without a row, written as zero": 1}


VALID = table(keypoint(3))
LONG = "frame,person," + VALID.replace("\n", "\n1,a,").removesuffix("1,a,")
INVALID_CSV = {  # case -> content, line, kind of the error
    "empty": ("", 1, "empty"),
    "header only": (table(keypoint(0)), None, "empty"),
    "unknown joint": (VALID.replace("hip_x", "pelvis_x"), 1, "columns"),
    "unknown column": (VALID.replace("hip_x", "time,hip_x", 1), 1, "columns"),
    "missing column": (VALID.replace("hip_z,", ""), 1, "columns"),
    "missing score columns": (VALID.replace("hip_x", "hip_score,hip_x"), 1, "columns"),
    "wrong number of columns": ("x0,y0,z0\n1,2,3\n", 1, "columns"),
    "duplicate column": (VALID.replace("hip_y", "hip_x"), 1, "columns"),
    "wrong number of cells": (VALID + "1,2\n", 5, "row"),
    "blank line": (VALID.replace("\n", "\n\n", 1), 2, "row"),
    "text": (VALID + "1,2,3,4,5,6,7,8,x\n", 5, "number"),
    "decimal comma": (VALID.replace(",", ";").replace(".", ","), 2, "number"),
    "underscore": (VALID + "1,2,3,4,5,6,7,8,1_0\n", 5, "number"),
    "incomplete joint": (VALID + "1,2,3,4,,6,7,8,9\n", 5, "incomplete-joint"),
    "infinite": (VALID + "1,2,3,4,5,inf,7,8,9\n", 5, "not-finite"),
    "beyond float32": (VALID + "1,2,3,4,5,1e60,7,8,9\n", 5, "not-finite"),
    "no person": (table(np.full((2, 3, 3), np.nan)), None, "no-person"),
    "zeros": (table(np.zeros((2, 3, 3))), None, "no-person"),
    "latin-1": (VALID.encode() + b"\xe9", 5, "encoding"),
    "UTF-16": (VALID.encode("utf-16"), 1, "encoding"),
    "open quote": (VALID + '"1,2,3', 5, "syntax"),
    "person without frame": (
        VALID.replace("\n", "\na,").removesuffix("a,").replace("hip", "person,hip", 1),
        1,
        "columns",
    ),
    "duplicate frame": (LONG, 3, "duplicate"),
    "frame is text": (LONG.replace("1,a,", "one,a,"), 2, "number"),
    "fractional frame": (LONG.replace("1,a,", "1.5,a,"), 2, "number"),
    "huge frame": (LONG.replace("1,a,", "1e999,a,"), 2, "number"),
    "timestamps": (
        LONG.replace("1,a,", "1700000000,a,", 1).replace("\n1,a", "\n2,a", 1),
        None,
        "frame-numbers",
    ),
}


@pytest.mark.parametrize("case", INVALID_CSV)
def test_invalid_csv(tmp_path, case):
    content, line, kind = INVALID_CSV[case]
    content = content if isinstance(content, bytes) else content.encode()
    with raises(kind, line=line):
        to_sequence(read_csv(content, JOINTS, 3), "a", JOINTS)
    raw = folder(tmp_path / "raw", {**recordings(), "wave/invalid.csv": content})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    assert not report["written"]
    assert report["sequences"] == 16
    (entry,) = report["refused"]
    assert entry["file"] == "wave/invalid.csv"
    assert entry.get("line") == line
    assert "\n" not in entry["why"]


def test_incomplete_joint():
    content = (VALID + "1,2,3,4,,6,7,8,9\n").encode()
    with raises("incomplete-joint", line=5, field="left_knee"):
        to_sequence(read_csv(content, JOINTS, 3), "a", JOINTS)


def test_npy():
    for array in (keypoint(4), keypoint(4, persons=2), np.ones((2, 3, 3), dtype="i2")):
        for stored in (array, np.asfortranarray(array), array.astype(array.dtype)):
            sequence = read_npy(as_npy(stored), 3, 3)
            expected = array if array.ndim == 4 else array[None]
            np.testing.assert_array_equal(sequence.coordinates, expected)
            assert sequence.scores is None
    scored = keypoint(4, persons=2)
    sequence = read_npy(as_npy(scored), 3, 2)
    np.testing.assert_array_equal(sequence.coordinates, scored[..., :2])
    np.testing.assert_array_equal(sequence.scores, scored[..., 2])


class Malicious:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


INVALID_NPY = {  # case -> content, kind of the error
    "empty": (b"", "corrupt"),
    "text": (b"hello", "corrupt"),
    "truncated": (as_npy(keypoint())[:-1], "truncated"),
    "trailing byte": (as_npy(keypoint()) + b"0", "corrupt"),
    "two axes": (as_npy(np.ones((3, 3))), "shape"),
    "wrong number of joints": (as_npy(np.ones((4, 5, 3))), "shape"),
    "no frames": (as_npy(np.ones((0, 3, 3))), "shape"),
    "two channels": (as_npy(np.ones((4, 3, 2))), "shape"),
    "four channels": (as_npy(np.ones((4, 3, 4))), "shape"),
    "complex": (as_npy(np.ones((4, 3, 3), dtype=complex)), "dtype"),
    "objects": (as_npy(np.full((4, 3, 3), Malicious(), dtype=object)), "dtype"),
}


@pytest.mark.parametrize("case", INVALID_NPY)
def test_invalid_npy(case):
    content, kind = INVALID_NPY[case]
    with raises(kind):
        read_npy(content, 3, 3)


def test_npy_header_with_huge_shape_is_rejected():
    content = as_npy(keypoint()).replace(b"(4, 3, 3)", b"(9" + b"9" * 20 + b", 3, 3)")
    with pytest.raises(DataError):
        read_npy(content, 3, 3)


def test_corrupt_bytes_raise_only_data_errors():
    rng, messages = np.random.default_rng(0), []
    for content, read in (
        (as_npy(keypoint(2)), lambda data: read_npy(data, 3, 3)),
        (LONG.encode(), lambda data: read_csv(data, JOINTS, 3)),
        (VALID.encode(), lambda data: read_csv(data, JOINTS, 3)),
    ):
        content = np.frombuffer(content, dtype=np.uint8)
        for _ in range(500):
            corrupt = content[: rng.integers(1, len(content) + 1)].copy()
            indices = rng.integers(0, len(corrupt), size=rng.integers(1, 4))
            bits = rng.integers(0, 8, size=len(indices)).astype(np.uint8)
            corrupt[indices] ^= 1 << bits
            try:
                to_sequence(read(corrupt.tobytes()), "a", JOINTS, "m")
            except DataError as error:
                messages.append(str(error))
    assert not [text for text in messages if "\n" in text]


def test_units():
    coordinates = np.array([[[[1000.0, -500, 0], [np.nan] * 3, [1, 2, 3]]]])
    for unit, scale in (("m", 1), ("cm", 0.01), ("mm", 0.001), ("unscaled", 1)):
        sample = to_sequence(Arrays(coordinates), "a", JOINTS, unit)
        np.testing.assert_allclose(
            sample["keypoint"][0, 0],
            np.array([[1000, -500, 0], [0, 0, 0], [1, 2, 3]]) * scale,
            rtol=1e-6,
        )
        assert sample["notes"] == {"joints without coordinates, written as zero": 1}
        assert "keypoint_score" not in sample
        assert sample["unit"] == ("unscaled" if unit == "unscaled" else "m")
    with raises("unit"):
        to_sequence(Arrays(coordinates), "a", JOINTS, "px")


def test_2d_coordinates_and_scores():
    coordinates = np.array([[[[0.5, 0.25], [np.nan] * 2, [1, 0]]]])
    sample = to_sequence(Arrays(coordinates), "a", JOINTS, "normalized", (480, 640))
    np.testing.assert_array_equal(
        sample["keypoint"], np.float32([[[[320, 120], [0, 0], [640, 0]]]])
    )
    np.testing.assert_array_equal(sample["keypoint_score"], np.float32([[[1, 0, 1]]]))
    assert sample["img_shape"] == sample["original_shape"] == (480, 640)
    assert sample["unit"] == "px"
    scores = np.array([[[0.5, 0.75, 0.25]]])
    sample = to_sequence(Arrays(coordinates, scores), "a", JOINTS, "px", (480, 640))
    np.testing.assert_array_equal(
        sample["keypoint_score"], np.float32([[[0.5, 0, 0.25]]])
    )
    scores[0, 0, 2] = np.nan
    with raises("incomplete-joint", field="right_knee"):
        to_sequence(Arrays(coordinates, scores), "a", JOINTS, "px", (480, 640))
    arrays = Arrays(keypoint(persons=1), np.ones((1, 4, 3)))
    sample = to_sequence(arrays, "a", JOINTS, "m")
    assert "keypoint_score" not in sample
    assert len(sample["notes"]) == 1


def test_class_folders():
    flat = read_class_folders("raw", ["wave/a.csv", "bow/day1/b.csv", "list.csv"])
    assert flat.classes == ("bow", "wave")
    assert not flat.sided
    assert flat.label("wave/a.csv") == 1
    assert flat.label("list.csv") is None
    assert flat.name("bow/day1/b.c.csv") == "bow/day1/b.c"
    sided = read_class_folders("raw", ["m/d/train/10/a.npy", "m/d/val/9/a.npy"])
    assert sided.classes == ("9", "10")
    assert sided.side("m/d/val/9/a.npy") == "val"
    assert sided.name("m/d/val/9/a.npy") == "val/9/a"
    assert sided.label("m/d/train/10/a.npy") == 1


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (["train/wave/a.csv", "wave/a.csv"], "split"),
        (["val/wave/a.csv", "test/bow/a.csv"], "split"),
        (["wave/a.csv", "wave/b.csv"], "label"),
        (["a.csv", "b.csv"], "label"),
        (["train/wave/a.csv", "val/wave/a.csv"], "label"),
    ],
)
def test_invalid_class_folders(paths, kind):
    with raises(kind, file="raw"):
        read_class_folders("raw", paths)


def test_hold_out_is_stratified_by_class():
    labels = [0] * 40 + [1] * 10 + [2] * 3 + [3] * 2 + [4]
    names = [f"{number:02d}" for number in range(len(labels))]
    held_out = [hold_out(labels, names, 0.2, seed) for seed in (0, 0, 1)]
    assert held_out[0] == held_out[1] != held_out[2]
    for selected in held_out:
        counts = np.bincount([labels[int(name)] for name in selected], minlength=5)
        assert counts.tolist() == [8, 2, 1, 1, 0]


def test_hold_out_keeps_groups_together():
    labels = [label for label in range(5) for _ in range(40)]
    groups = [f"p{number % 10}" for number in range(200)]
    assert len(hold_out(labels, groups, 0.3, 0)) == 3
    assert len(hold_out(labels, groups, 0.01, 0)) == 1
    assert len(hold_out(labels, groups, 0.99, 0)) == 9
    assert len(hold_out([0, 0, 1, 1], ["a", "a", "a", "b"], 0.2, 0)) == 1
    with raises("split"):
        hold_out([0, 0, 1, 1], ["a"] * 4, 0.2, 0)
    for fraction in (0, 1, -1, float("nan")):
        with raises("option"):
            hold_out([0, 1], ["a", "b"], fraction, 0)


def test_folder_and_zip_give_the_same_annotations(tmp_path):
    files = recordings()
    raw = folder(tmp_path / "raw", files)
    archive = tmp_path / "raw.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in files.items():
            file.writestr(f"mine/{name}", content)
    options = {"val_fraction": 0.25, "group": r"p\d+"}
    for source, out in ((raw, tmp_path / "a.pkl"), (archive, tmp_path / "b.pkl")):
        assert convert(source, out, **options)["written"]
    data = load_annotations(tmp_path / "a.pkl")
    assert (tmp_path / "a.pkl").read_bytes() == (tmp_path / "b.pkl").read_bytes()
    persons = {
        split: {name.split("/")[1][:2] for name in names}
        for split, names in data["split"].items()
    }
    assert len(persons["val"]) == 1
    assert len(data["split"]["val"]) == 4
    assert not persons["val"] & persons["train"]
    assert data["meta"]["classes"] == ["bow", "wave"]
    assert data["meta"]["group"]["wave/p3_1"] == "p3"
    assert data["meta"]["units"] == "m"
    for sample in data["annotations"]:
        assert sample["label"] == sample["frame_dir"].startswith("wave")
        expected = read_csv(files[f"{sample['frame_dir']}.csv"].encode(), JOINTS, 3)
        np.testing.assert_array_equal(
            sample["keypoint"], expected.coordinates.astype(np.float32)
        )


def test_splits_by_folder_and_by_list(tmp_path):
    files = recordings(people=3, repeats=1)
    sides = {name: ("train", "val", "test")[int(name[-7])] for name in files}
    by_folder = {f"{sides[name]}/{name}": content for name, content in files.items()}
    report = convert(folder(tmp_path / "sided", by_folder), tmp_path / "a.pkl")
    assert {k: (v["train"], v["val"]) for k, v in report["splits"].items()} == {
        "val": (2, 2),
        "test": (2, 2),
    }
    split = load_annotations(tmp_path / "a.pkl")["split"]
    assert split["test"] == ["test/bow/p2_0", "test/wave/p2_0"]

    lines = ["name,split", *(f"{name},{side}" for name, side in sides.items())]
    list_file = tmp_path / "list.csv"
    list_file.write_text("\n".join(lines), encoding="utf-8")
    raw = folder(tmp_path / "flat", files)
    convert(raw, tmp_path / "b.pkl", split=str(list_file), group=r"(p\d+)_")
    split = load_annotations(tmp_path / "b.pkl")["split"]
    assert split["train"] == ["bow/p0_0", "wave/p0_0"]
    assert split["val"] == ["bow/p1_0", "wave/p1_0"]
    assert set(split) == {"train", "val", "test"}
    with raises("split"):
        convert(raw, tmp_path / "b.pkl", split=str(list_file), group=r"_(\d)")


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("wave/a,train\n", "columns", 1),
        ("", "empty", 1),
        ("name,split\n", "empty", None),
        ("name,split\nwave/p0_0,training\n", "split", 2),
        ("name,split\nwave/p0_0,train,x\n", "row", 2),
        ("name,split\nwave/x,train\n", "unknown-name", 2),
        ("name,split\nwave/p0_0,train\nwave/p0_0.csv,val\n", "duplicate", 3),
        ("name,split\nwave/p0_0,train\n", "samples-differ", None),
        (
            "name,split\n"
            + "".join(f"{c}/p{p}_0,val\n" for c in ("wave", "bow") for p in (0, 1)),
            "split",
            None,
        ),
    ],
)
def test_invalid_list(tmp_path, text, kind, line):
    raw = folder(tmp_path / "raw", recordings(people=2, repeats=1))
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    with raises(kind, line=line, file="list.csv"):
        convert(raw, tmp_path / "a.pkl", split=str(tmp_path / "list.csv"))


def test_invalid_combinations_of_options(tmp_path):
    raw, out = folder(tmp_path / "raw", recordings()), tmp_path / "a.pkl"
    for options, kind in (
        ({}, "split"),
        ({"val_fraction": 0.2, "split": "none.csv"}, "io"),
        ({"val_fraction": 2}, "option"),
        ({"val_fraction": 0.2, "group": "p"}, "split"),
        ({"val_fraction": 0.2, "group": "("}, "option"),
        ({"val_fraction": 0.2, "group": "s\\d"}, "option"),
        ({"val_fraction": 0.2, "img_shape": (1, 1)}, "img-shape"),
        ({"val_fraction": 0.2, "units": "px"}, "img-shape"),
        ({"val_fraction": 0.2, "units": "furlongs"}, "unit"),
        ({"val_fraction": 0.2, "file_format": "pdf"}, "unknown-name"),
        ({"split": "none.csv"}, "io"),
    ):
        with raises(kind):
            convert(raw, out, **options)
        assert not out.exists()
    names = [f"{name},train" for name in sorted(recordings())]
    (tmp_path / "list.csv").write_text(
        "\n".join(["name,split", *names]), encoding="utf-8"
    )
    with raises("split"):
        convert(raw, out, val_fraction=0.2, split=tmp_path / "list.csv")
    (raw / "wave" / "a.npy").write_bytes(as_npy(keypoint()))
    with raises("wrong-file-type", file="raw"):
        convert(raw, out, val_fraction=0.2)
    with raises("not-found", file="none"):
        convert(tmp_path / "none", out, val_fraction=0.2)


def test_layout_and_unit_are_required_if_the_files_lack_them(tmp_path):
    raw, out = folder(tmp_path / "raw", recordings()), tmp_path / "a.pkl"
    with raises("layout", file="raw"):
        convert_folder(raw, out, units="m", val_fraction=0.2)
    with raises("unit", file="raw"):
        convert_folder(raw, out, layout=LAYOUT, val_fraction=0.2)


def test_file_outside_the_class_folders_is_rejected(tmp_path):
    raw = folder(tmp_path / "raw", {**recordings(), "notes.csv": "a,b\n"})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    (entry,) = report["refused"]
    assert entry["file"] == "notes.csv"


def test_hidden_folders_are_skipped(tmp_path):
    hidden = ".ipynb_checkpoints/a.csv", "wave/.ipynb_checkpoints/a.csv"
    raw = folder(tmp_path / "raw", {**recordings(), **dict.fromkeys(hidden, "")})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    assert report["written"]
    assert report["sequences"] == 16
    assert report["left_out"] == {"in a hidden folder": list(hidden)}


def test_command(tmp_path, capsys):
    array = keypoint(6, persons=2, channels=2)
    raw = folder(
        tmp_path / "raw",
        {
            f"{name}/{number}.npy": as_npy(array + number + 10 * len(name))
            for name in ("wave", "bow")
            for number in range(3)
        },
    )
    layout = {"num_node": 3, "inward": [(1, 0), (2, 0)], "center": 0}
    (tmp_path / "layout.json").write_text(json.dumps(layout), encoding="utf-8")
    options = ["--layout", tmp_path / "layout.json", "--val-fraction", "0.3"]
    size = ["--unit", "px", "--img-shape", "480", "640"]
    out = tmp_path / "a.pkl"

    def run(*arguments):
        return command("folder", raw, out, *arguments)

    assert run(*options, *size) == 0
    printed = capsys.readouterr().out
    assert "units          px\n" in printed
    assert "split val: 4 train, 2 val; val samples also in train: 0" in printed
    sample = load_annotations(out)["annotations"][0]
    assert sample["keypoint"].shape == (2, 6, 3, 2)
    assert sample["img_shape"] == (480, 640)
    assert run(*options, "--unit", "m") == 1  # The files have two channels.
    assert "(6 files rejected)" in capsys.readouterr().out
    assert run("--layout", "wrong", *size, "--val-fraction", "0.3") == 2
    (tmp_path / "layout.json").write_text("{", encoding="utf-8")
    assert run(*options, *size) == 2


def test_command_with_openpose_files(tmp_path):
    person = np.full((25, 3), 200.0)
    person[:, 0] += np.arange(25)
    frame = json.dumps({"people": [{"pose_keypoints_2d": person.ravel().tolist()}]})
    raw = folder(
        tmp_path / "raw",
        {
            f"{side}/{name}/clip/{number:012d}_keypoints.JSON": frame
            for side in ("train", "val")
            for name in ("wave", "bow")
            for number in range(3)
        },
    )
    out = tmp_path / "a.pkl"
    arguments = ("folder", raw, out, "--img-shape", 480, 640)
    assert command(*arguments, "--format", "csv") == 1
    assert command(*arguments, "--format", "openpose") == 0
    assert command(*arguments) == 0
    data = load_annotations(out)
    assert data["meta"]["layout"] == "openpose25"
    assert len(data["annotations"]) == 4
    np.testing.assert_array_equal(
        data["annotations"][0]["keypoint"][0, 2], person[:, :2]
    )


def test_pipeline_of_the_2d_configs(tmp_path):
    rng = np.random.default_rng(0)
    raw = folder(
        tmp_path / "raw",
        {
            f"{side}/{name}/a.npy": as_npy(rng.uniform(0.1, 1, (2, 12, 17, 3)))
            for side in ("train", "val")
            for name in ("wave", "bow")
        },
    )
    out = tmp_path / "a.pkl"
    convert_folder(raw, out, skeleton("coco"), "normalized", img_shape=(480, 640))
    init_default_scope("mmaction")
    dataset = SkeletonDataset(
        ann_file=str(out),
        split="val",
        pipeline=[
            {"type": "PreNormalize2D"},
            {"type": "GenSkeFeat", "dataset": "coco", "feats": ["j"]},
            {"type": "FastUniformSampleFrames", "clip_len": 12},
            {"type": "PoseDecode"},
            {"type": "FormatGCNInput", "num_person": 2},
            {"type": "PackActionInputs"},
        ],
    )
    inputs = dataset[0]["inputs"]
    assert len(dataset) == 2
    assert inputs.shape == (1, 2, 12, 17, 3)
    array = np.load(raw / "val" / "bow" / "a.npy")
    array[..., :2] = 2 * array[..., :2] - 1  # The pipeline scales the image to -1..1.
    np.testing.assert_allclose(inputs[0], array, atol=1e-5)


def test_example_round_trip(tmp_path, capsys):
    """The example's CSV files equal the synthetic data to 0.1 mm."""
    options = ("--as-csv", tmp_path / "raw", "--subjects", 4, "--repeats", 1)
    assert command("synthetic", *options) == 0
    report = convert_folder(
        tmp_path / "raw",
        tmp_path / "a.pkl",
        skeleton("kinect20"),
        "mm",
        val_fraction=0.25,
        group="s[0-9]+",
    )
    assert report["written"]
    assert "40 sequences" in capsys.readouterr().out
    assert "written as zero" in report_text(report)
    data = load_annotations(tmp_path / "a.pkl")
    synthetic = make_synthetic_actions(4, 1)
    by_name = {}
    for sample in synthetic["annotations"]:
        subject, _, repeat = sample["frame_dir"].split("_")
        action = synthetic["meta"]["classes"][sample["label"]]
        by_name[f"{action}/{subject}_{repeat}"] = sample["keypoint"]
    assert len(data["annotations"]) == len(by_name) == 40
    for sample in data["annotations"]:
        expected = by_name[sample["frame_dir"]]
        np.testing.assert_allclose(sample["keypoint"], expected, atol=6e-5)
        np.testing.assert_array_equal(
            sample["keypoint"].any(axis=-1), expected.any(axis=-1)
        )


@pytest.mark.parametrize(
    ("units", "length", "likely"),
    [
        ("m", 1, None),
        ("m", 1000, "mm"),
        ("mm", 1, "m"),
        ("cm", 1000, "mm"),
        ("m", 1e6, "none"),
        ("unscaled", 1000, None),
    ],
)
def test_warning_about_wrong_unit(tmp_path, units, length, likely):
    """The unit is checked by the size of a person, which is about 1 m here."""
    rng = np.random.default_rng(0)
    pose = np.array([[0, 1, 0], [0.2, 0, 0.1], [-0.2, 0, 0.1]]) * length
    files = {
        f"{side}/{name}/{number}.csv": table(pose * rng.uniform(0.9, 1, (4, 1, 1)))
        for side in ("train", "val")
        for name in ("wave", "bow")
        for number in range(3)
    }
    raw = folder(tmp_path / "raw", files)
    report = convert(raw, tmp_path / "a.pkl", units=units)
    assert report["written"]
    remarks = [remark for remark in report["remarks"] if remark["about"] == "units"]
    assert bool(remarks) is (likely is not None)
    if likely:
        size = remarks[0]["person_metres"]
        assert 0.9 < size * PER_METER[units] / length < 1
        assert remarks[0]["likely_unit"] == (None if likely == "none" else likely)
        assert "WARNING" in report_text(report)


def test_command_requires_a_worker(capsys):
    options = ("--layout", "coco", "--unit", "m", "--num-workers", 0)
    assert command("folder", "raw", "a.pkl", *options) == 2
    assert "argument --num-workers" in capsys.readouterr().err


def test_used_list_is_reported(tmp_path):
    raw = folder(tmp_path / "raw", recordings())
    names = sorted(recordings())
    lines = [f"{name},{'val' if 'p3' in name else 'train'}" for name in names]
    (raw / "split.txt").write_text("\n".join(["name,split", *lines]), encoding="utf-8")
    report = convert(raw, tmp_path / "a.pkl", split=raw / "split.txt")
    assert report["files_used"] == ["split.txt"]
    assert not report["other_files"]


def test_used_list_in_a_subfolder_is_reported_with_slashes(tmp_path):
    raw = folder(tmp_path / "raw", recordings())
    names = sorted(recordings())
    lines = [f"{name},{'val' if 'p3' in name else 'train'}" for name in names]
    (raw / "lists").mkdir()
    list_file = raw / "lists" / "split.csv"
    list_file.write_text("\n".join(["name,split", *lines]), encoding="utf-8")
    report = convert(raw, tmp_path / "a.pkl", split=list_file)
    assert report["files_used"] == ["lists/split.csv"]
    assert not report["refused"]


def test_non_ascii_names(tmp_path, ascii_locale):
    files = recordings()
    raw = folder(tmp_path / "raw", files)
    lines = [
        f"{name},{'příklad' if 'wave' in name else 'ťah'},"
        f"{'val' if 'p3' in name else 'train'}"
        for name in files
    ]
    list_file = tmp_path / "split.csv"
    list_file.write_text("\n".join(["file,label,split", *lines]), encoding="utf-8")
    convert(raw, tmp_path / "běh.pkl", split=list_file)
    data = load_annotations(tmp_path / "běh.pkl")
    assert data["meta"]["classes"] == ["příklad", "ťah"]
    text = (tmp_path / "běh.pkl.report.txt").read_bytes()
    assert "běh.pkl".encode() in text
    assert b"\r" not in text
