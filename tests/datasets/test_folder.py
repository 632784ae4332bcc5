"""One's own folder of .csv and .npy files: every number in its place, or a sentence."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from conftest import load_module
from msg3d.annotations.splits import hold_out
from msg3d.converters import convert_folder
from msg3d.converters.class_folders import read_class_folders
from msg3d.converters.report import report_text
from msg3d.datasets import (
    SkeletonDataset,
    load_annotations,
)
from msg3d.errors import DataError
from msg3d.formats.csv_sequence import read_csv
from msg3d.formats.npy_sequence import read_npy
from msg3d.formats.sequence_arrays import Sequence, to_sample
from msg3d.skeletons import skeleton

TOOLS = Path(__file__).parents[2] / "tools" / "data"
JOINTS = ("hip", "left_knee", "right_knee")
LAYOUT = skeleton(dict(num_node=3, inward=[(1, 0), (2, 0)], center=0, joints=JOINTS))


def keypoint(frames=4, seed=0, persons=None, channels=3):
    shape = (frames, len(JOINTS), channels)
    shape = shape if persons is None else (persons, *shape)
    return np.random.default_rng(seed).normal(size=shape).round(3)


def table(array, axes="xyz", joints=JOINTS):
    """[T, V, C] as CSV, columns by name."""
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
    """CSV files CLASS/pP_R.csv, no two alike."""
    rng = np.random.default_rng(seed)
    return {
        f"{name}/p{person}_{repeat}.csv": table(keypoint(seed=int(rng.integers(2**31))))
        for name in classes
        for person in range(people)
        for repeat in range(repeats)
    }


def convert(raw, out, **options):
    return convert_folder(raw, out, LAYOUT, **{"units": "metres", **options})


def command(name, *arguments, monkeypatch):
    tool = load_module(TOOLS / f"{name}.py")
    monkeypatch.setattr("sys.argv", [f"{name}.py", *map(str, arguments)])
    return tool.main()


def test_csv_by_name_in_any_order():
    """Against a reading by csv.DictReader, columns shuffled."""
    array = keypoint(5)
    columns = list(zip(*csv.reader(io.StringIO(table(array)))))
    shuffled = [columns[i] for i in np.random.default_rng(1).permutation(9)]
    text = "\n".join(",".join(row) for row in zip(*shuffled))
    sequence = read_csv(text.encode(), JOINTS, 3)
    assert sequence.coordinates.shape == (1, 5, 3, 3) and sequence.scores is None
    for frame, row in enumerate(csv.DictReader(io.StringIO(text))):
        for joint, name in enumerate(JOINTS):
            for channel, axis in enumerate("xyz"):
                found = sequence.coordinates[0, frame, joint, channel]
                assert found == float(row[f"{name}_{axis}"])
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
def test_csv_as_programs_write_it(change):
    array = keypoint(1)
    sequence = read_csv(change(table(array)).encode(), JOINTS, 3)
    np.testing.assert_array_equal(sequence.coordinates[0], array)


def test_csv_by_number_with_scores():
    text = "y0,x0,score0,x1,y1,score1,score2,x2,y2\n1,2,.5,3,4,.25,0,5,6\n"
    sequence = read_csv(text.encode(), JOINTS, 2)
    expected = [[[[2, 1], [3, 4], [5, 6]]]]
    np.testing.assert_array_equal(sequence.coordinates, expected)
    np.testing.assert_array_equal(sequence.scores, [[[0.5, 0.25, 0]]])


def test_csv_of_several_persons():
    """Rows in any order; who is not in a frame is missing there."""
    header = "frame,person," + table(keypoint(0)).strip()
    rows = {(11, "b"): 1, (10, "a"): 2, (13, "a"): 3}
    text = header + "".join(
        f"\n{frame},{person}," + ",".join([str(value)] * 9)
        for (frame, person), value in rows.items()
    )
    sequence = read_csv(text.encode(), JOINTS, 3)
    assert sequence.coordinates.shape == (2, 4, 3, 3)
    expected = np.full((2, 4), np.nan)  # persons in the order of the file: b, a
    expected[0, 1], expected[1, 0], expected[1, 3] = 1, 2, 3
    np.testing.assert_array_equal(sequence.coordinates[..., 1, 2], expected)
    np.testing.assert_array_equal(sequence.lines, [[0, 2, 0, 0], [3, 0, 0, 4]])
    assert sequence.notes == {"frames without a row, written as zero": 1}


GOOD = table(keypoint(3))
LONG = "frame,person," + GOOD.replace("\n", "\n1,a,").removesuffix("1,a,")
BAD_CSV = {
    "empty": ("", None, "has 0 lines, expected a header and at least one frame"),
    "header only": (table(keypoint(0)), None, "has 1 lines"),
    "unknown joint": (
        GOOD.replace("hip_x", "pelvis_x"),
        1,
        "column 'pelvis_x' is unknown and column 'hip_x' is missing (1 unknown, 1 mis",
    ),
    "unknown column": (GOOD.replace("hip_x", "time,hip_x", 1), 1, "'time' is unknown"),
    "a column too few": (GOOD.replace("hip_z,", ""), 1, "'hip_z' is missing"),
    "a score too few": (
        GOOD.replace("hip_x", "hip_score,hip_x"),
        1,
        "column 'left_knee_score' is missing (0 unknown, 2 missing)",
    ),
    "other count": ("x0,y0,z0\n1,2,3\n", 1, "joints 0 to 2, as in x0"),
    "column twice": (GOOD.replace("hip_y", "hip_x"), 1, "column 'hip_x' is there tw"),
    "cells": (GOOD + "1,2\n", 5, "has 2 cells, expected 9 as the header has"),
    "blank line": (GOOD.replace("\n", "\n\n", 1), 2, "has 0 cells"),
    "text": (GOOD + "1,2,3,4,5,6,7,8,x\n", 5, "'x' is no number"),
    "decimal comma": (GOOD.replace(",", ";").replace(".", ","), 2, "is no number"),
    "underscore": (GOOD + "1,2,3,4,5,6,7,8,1_0\n", 5, "'1_0' is no number"),
    "half a joint": (
        GOOD + "1,2,3,4,,6,7,8,9\n",
        5,
        "joint left_knee of person 0 in frame 3 has some of its numbers and lacks",
    ),
    "infinite": (GOOD + "1,2,3,4,5,inf,7,8,9\n", 5, "left_knee of person 0 in frame 3"),
    "beyond float32": (GOOD + "1,2,3,4,5,1e60,7,8,9\n", 5, "is infinite, or beyond"),
    "nobody": (table(np.full((2, 3, 3), np.nan)), None, "no joint has coordinates in"),
    "zeros": (table(np.zeros((2, 3, 3))), None, "no joint has coordinates in any of 2"),
    "latin-1": (GOOD.encode() + b"\xe9", 5, "is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), 1, "byte 0 is not UTF-8"),
    "person alone": (
        GOOD.replace("\n", "\na,").removesuffix("a,").replace("hip", "person,hip", 1),
        1,
        "none named frame",
    ),
    "same frame": (LONG, 3, "is the same frame and person as line 2"),
    "frame text": (LONG.replace("1,a,", "one,a,"), 2, "frame is 'one', expected a who"),
    "frame half": (LONG.replace("1,a,", "1.5,a,"), 2, "frame is '1.5'"),
    "frame huge": (LONG.replace("1,a,", "1e999,a,"), 2, "frame is '1e999'"),
    "times": (
        LONG.replace("1,a,", "1700000000,a,", 1).replace("\n1,a", "\n2,a", 1),
        None,
        "expected frames counted one by one, not times",
    ),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_bad_csv_is_named_with_its_line(tmp_path, case):
    content, line, expected = BAD_CSV[case]
    raw = folder(tmp_path / "raw", {**recordings(), "wave/bad.csv": content})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    assert not report["written"] and report["sequences"] == 16
    (refused,) = report["refused"]
    assert refused["file"] == "wave/bad.csv" and refused.get("line") == line
    assert expected in refused["why"] and "\n" not in refused["why"]


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


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


BAD_NPY = {
    "empty": (b"", "is no .npy file"),
    "text": (b"hello", "is no .npy file"),
    "cut": (as_npy(keypoint())[:-1], "has 287 bytes of numbers, expected 288"),
    "longer": (as_npy(keypoint()) + b"0", "has 289 bytes"),
    "two axes": (as_npy(np.ones((3, 3))), "shape (3, 3), expected [T, 3, 3] or [M, T,"),
    "joints": (as_npy(np.ones((4, 5, 3))), "shape (4, 5, 3), expected [T, 3, 3]"),
    "no frames": (as_npy(np.ones((0, 3, 3))), "shape (0, 3, 3)"),
    "two channels": (as_npy(np.ones((4, 3, 2))), "shape (4, 3, 2)"),
    "scores": (as_npy(np.ones((4, 3, 4))), "shape (4, 3, 4)"),
    "complex": (as_npy(np.ones((4, 3, 3), dtype=complex)), "type complex128, expected"),
    "objects": (as_npy(np.full((4, 3, 3), Bomb(), dtype=object)), "type object"),
}


@pytest.mark.parametrize("case", BAD_NPY)
def test_bad_npy(case):
    content, expected = BAD_NPY[case]
    with pytest.raises(DataError) as error:
        read_npy(content, 3, 3)
    assert expected in str(error.value) and "\n" not in str(error.value)


def test_a_header_that_promises_terabytes_is_refused():
    content = as_npy(keypoint()).replace(b"(4, 3, 3)", b"(9" + b"9" * 20 + b", 3, 3)")
    with pytest.raises(DataError):
        read_npy(content, 3, 3)


def test_damage_never_raises_anything_else():
    rng = np.random.default_rng(0)
    for content, read in (
        (as_npy(keypoint(2)), lambda data: read_npy(data, 3, 3)),
        (LONG.encode(), lambda data: read_csv(data, JOINTS, 3)),
        (GOOD.encode(), lambda data: read_csv(data, JOINTS, 3)),
    ):
        content = np.frombuffer(content, dtype=np.uint8)
        for _ in range(500):
            damaged = content[: rng.integers(1, len(content) + 1)].copy()
            where = rng.integers(0, len(damaged), size=rng.integers(1, 4))
            damaged[where] ^= 1 << rng.integers(0, 8, size=len(where)).astype(np.uint8)
            try:
                to_sample(read(damaged.tobytes()), JOINTS, "metres")
            except ValueError as error:
                assert "\n" not in str(error)


def test_units_by_hand():
    found = np.array([[[[1000.0, -500, 0], [np.nan] * 3, [1, 2, 3]]]])
    for units, scale in (("metres", 1), ("centimetres", 0.01), ("millimetres", 0.001)):
        sample = to_sample(Sequence(found), JOINTS, units)
        np.testing.assert_allclose(
            sample["keypoint"][0, 0],
            np.array([[1000, -500, 0], [0, 0, 0], [1, 2, 3]]) * scale,
            rtol=1e-6,
        )
        assert sample["notes"] == {"joints without coordinates, written as zero": 1}
        assert "keypoint_score" not in sample


def test_2d_by_hand():
    found = np.array([[[[0.5, 0.25], [np.nan] * 2, [1, 0]]]])
    sample = to_sample(Sequence(found), JOINTS, "normalised", (480, 640))
    np.testing.assert_array_equal(
        sample["keypoint"], np.float32([[[[320, 120], [0, 0], [640, 0]]]])
    )
    np.testing.assert_array_equal(sample["keypoint_score"], np.float32([[[1, 0, 1]]]))
    assert sample["img_shape"] == sample["original_shape"] == (480, 640)
    scores = np.array([[[0.5, 0.75, 0.25]]])
    sample = to_sample(Sequence(found, scores), JOINTS, "pixels", (480, 640))
    np.testing.assert_array_equal(
        sample["keypoint_score"], np.float32([[[0.5, 0, 0.25]]])
    )
    with pytest.raises(
        DataError, match="joint right_knee of person 0 in frame 0 has some"
    ):
        scores[0, 0, 2] = np.nan
        to_sample(Sequence(found, scores), JOINTS, "pixels", (480, 640))
    scored = to_sample(
        Sequence(keypoint(persons=1), np.ones((1, 4, 3))), JOINTS, "metres"
    )
    assert "keypoint_score" not in scored and len(scored["notes"]) == 1


def test_class_folders():
    flat = read_class_folders("raw", ["wave/a.csv", "bow/day1/b.csv", "list.csv"])
    assert flat.classes == ("bow", "wave") and not flat.sided
    assert flat.label("wave/a.csv") == 1 and flat.label("list.csv") is None
    assert flat.name("bow/day1/b.c.csv") == "bow/day1/b.c"
    sided = read_class_folders("raw", ["m/d/train/10/a.npy", "m/d/val/9/a.npy"])
    assert sided.classes == ("9", "10") and sided.side("m/d/val/9/a.npy") == "val"
    assert sided.name("m/d/val/9/a.npy") == "val/9/a"
    assert sided.label("m/d/train/10/a.npy") == 1


@pytest.mark.parametrize(
    "paths, expected",
    [
        (
            ["train/wave/a.csv", "wave/a.csv"],
            "folders ['train', 'wave']: expected class",
        ),
        (["val/wave/a.csv", "test/bow/a.csv"], "folders ['test', 'val']"),
        (["wave/a.csv", "wave/b.csv"], "class folders ['wave']: expected at least two"),
        (["a.csv", "b.csv"], "class folders []"),
        (["train/wave/a.csv", "val/wave/a.csv"], "class folders ['wave']"),
    ],
)
def test_bad_class_folders(paths, expected):
    with pytest.raises(DataError) as error:
        read_class_folders("raw", paths)
    assert expected in str(error.value)


def test_hold_out_is_stratified_by_class():
    labels = [0] * 40 + [1] * 10 + [2] * 3 + [3] * 2 + [4]
    names = [f"{number:02d}" for number in range(len(labels))]
    sets = [hold_out(labels, names, 0.2, seed) for seed in (0, 0, 1)]
    assert sets[0] == sets[1] != sets[2]
    for held in sets:
        counts = np.bincount([labels[int(name)] for name in held], minlength=5)
        assert counts.tolist() == [8, 2, 1, 1, 0]


def test_hold_out_keeps_groups_together():
    labels = [label for label in range(5) for _ in range(40)]
    groups = [f"p{number % 10}" for number in range(200)]
    assert len(hold_out(labels, groups, 0.3, 0)) == 3
    assert len(hold_out(labels, groups, 0.01, 0)) == 1
    assert len(hold_out(labels, groups, 0.99, 0)) == 9
    assert len(hold_out([0, 0, 1, 1], ["a", "a", "a", "b"], 0.2, 0)) == 1
    with pytest.raises(ValueError, match="all 4 files belong to the group 'a'"):
        hold_out([0, 0, 1, 1], ["a"] * 4, 0.2, 0)
    for fraction in (0, 1, -1, float("nan")):
        with pytest.raises(ValueError, match="expected above 0 and below 1"):
            hold_out([0, 1], ["a", "b"], fraction, 0)


def test_folder_zip_and_sides(tmp_path):
    files = recordings()
    raw = folder(tmp_path / "raw", files)
    archive = tmp_path / "raw.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in files.items():
            file.writestr(f"mine/{name}", content)
    options = dict(val_fraction=0.25, group=r"p\d+")
    for source, out in ((raw, tmp_path / "a.pkl"), (archive, tmp_path / "b.pkl")):
        assert convert(source, out, **options)["written"]
    data = load_annotations(tmp_path / "a.pkl")
    assert (tmp_path / "a.pkl").read_bytes() == (tmp_path / "b.pkl").read_bytes()
    held = {name.split("/")[1][:2] for name in data["split"]["val"]}
    assert len(held) == 1 and len(data["split"]["val"]) == 4
    assert not any(held & {name.split("/")[1][:2]} for name in data["split"]["train"])
    assert data["meta"]["classes"] == ["bow", "wave"]
    assert data["meta"]["group"]["wave/p3_1"] == "p3"
    assert data["meta"]["units"] == "metres"
    for sample in data["annotations"]:
        assert sample["label"] == sample["frame_dir"].startswith("wave")
        expected = read_csv(files[f"{sample['frame_dir']}.csv"].encode(), JOINTS, 3)
        np.testing.assert_array_equal(
            sample["keypoint"], expected.coordinates.astype(np.float32)
        )


def test_sides_by_folder_and_by_list(tmp_path):
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

    listed = tmp_path / "list.csv"
    listed.write_text("name,split\n" + "".join(f"{n},{s}\n" for n, s in sides.items()))
    raw = folder(tmp_path / "flat", files)
    convert(raw, tmp_path / "b.pkl", split=str(listed), group=r"(p\d+)_")
    split = load_annotations(tmp_path / "b.pkl")["split"]
    assert split["train"] == ["bow/p0_0", "wave/p0_0"]
    assert split["val"] == ["bow/p1_0", "wave/p1_0"]
    assert set(split) == {"train", "val", "test"}
    with pytest.raises(DataError, match="group '0' is in test and train and val"):
        convert(raw, tmp_path / "b.pkl", split=str(listed), group=r"_(\d)")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("wave/a,train\n", "expected the line name,split"),
        ("", "expected the line name,split"),
        ("name,split\nwave/p0_0,training\n", "has the line wave/p0_0,training"),
        ("name,split\nwave/x,train\n", "names wave/x, which is not there"),
        ("name,split\nwave/p0_0,train\nwave/p0_0.csv,val\n", "names wave/p0_0, twice"),
        ("name,split\nwave/p0_0,train\n", "lacks 3 of 4 sequences, such as bow/p0_0"),
        (
            "name,split\n"
            + "".join(f"{c}/p{p}_0,val\n" for c in ("wave", "bow") for p in (0, 1)),
            "says ['val'] only",
        ),
    ],
)
def test_bad_list(tmp_path, text, expected):
    raw = folder(tmp_path / "raw", recordings(people=2, repeats=1))
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DataError) as error:
        convert(raw, tmp_path / "a.pkl", split=str(tmp_path / "list.csv"))
    assert expected in str(error.value)


def test_what_does_not_fit_together(tmp_path):
    raw, out = folder(tmp_path / "raw", recordings()), tmp_path / "a.pkl"
    for options, expected in (
        (dict(), "give one split"),
        (dict(val_fraction=0.2, split="x"), "give one split"),
        (dict(val_fraction=2), "fraction is 2, expected above 0 and below 1"),
        (dict(val_fraction=0.2, group="("), "is not a regular expression"),
        (dict(val_fraction=0.2, group="s\\d"), "finds nothing in 'bow/p0_0'"),
        (dict(val_fraction=0.2, group="p"), "all 16 files belong to the group 'p'"),
        (dict(val_fraction=0.2, img_shape=(1, 1)), "came with the shape of an image"),
        (dict(val_fraction=0.2, units="pixels"), "came without the shape of an image"),
        (dict(split="none.csv"), "split list none.csv cannot be read"),
    ):
        with pytest.raises(DataError) as error:
            convert(raw, out, **options)
        assert expected in str(error.value) and not out.exists()
    (raw / "wave" / "a.npy").write_bytes(as_npy(keypoint()))
    with pytest.raises(DataError, match="hold 1 .npy and 16 .csv files"):
        convert(raw, out, val_fraction=0.2)
    with pytest.raises(DataError, match="do not exist"):
        convert(tmp_path / "none", out, val_fraction=0.2)


def test_a_file_in_no_class_folder_is_refused(tmp_path):
    raw = folder(tmp_path / "raw", {**recordings(), "notes.csv": "a,b\n"})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    (refused,) = report["refused"]
    assert refused["file"] == "notes.csv" and "no class folder" in refused["why"]


def test_hidden_folders_are_no_classes(tmp_path):
    hidden = ".ipynb_checkpoints/a.csv", "wave/.ipynb_checkpoints/a.csv"
    raw = folder(tmp_path / "raw", {**recordings(), **dict.fromkeys(hidden, "")})
    report = convert(raw, tmp_path / "a.pkl", val_fraction=0.25)
    assert report["written"] and report["sequences"] == 16
    assert report["left_out"] == {"in a hidden folder": list(hidden)}


def test_command(tmp_path, monkeypatch, capsys):
    array = keypoint(6, persons=2, channels=2)
    raw = folder(
        tmp_path / "raw",
        {
            f"{name}/{number}.npy": as_npy(array + number + 10 * len(name))
            for name in ("wave", "bow")
            for number in range(3)
        },
    )
    layout = dict(num_node=3, inward=[(1, 0), (2, 0)], center=0)
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    options = ["--layout", tmp_path / "layout.json", "--val-fraction", "0.3"]
    size = ["--units", "pixels", "--img-shape", "480", "640"]
    out = tmp_path / "a.pkl"

    def run(*arguments):
        return command("prepare_folder", raw, out, *arguments, monkeypatch=monkeypatch)

    assert run(*options, *size) == 0
    printed = capsys.readouterr().out
    assert "units          pixels (files: pixels)" in printed
    assert "split val: 4 train, 2 val; of val 0" in printed
    sample = load_annotations(out)["annotations"][0]
    assert sample["keypoint"].shape == (2, 6, 3, 2) and sample["img_shape"] == (
        480,
        640,
    )
    assert run(*options, "--units", "metres") == 1  # two channels
    assert "(2, 6, 3, 2), expected [T, 3, 3]" in capsys.readouterr().out
    assert run("--layout", "wrong", *size, "--val-fraction", "0.3") == 1
    assert "--layout wrong: unknown skeleton layout" in capsys.readouterr().err
    (tmp_path / "layout.json").write_text("{")
    assert run(*options, *size) == 1


def test_2d_trains_with_the_usual_pipeline(tmp_path):
    """What the 2D configs do with a sample, from the file that was written."""
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
    convert_folder(raw, out, skeleton("coco"), "normalised", img_shape=(480, 640))
    init_default_scope("mmaction")
    dataset = SkeletonDataset(
        ann_file=str(out),
        split="val",
        pipeline=[
            dict(type="PreNormalize2D"),
            dict(type="GenSkeFeat", dataset="coco", feats=["j"]),
            dict(type="FastUniformSampleFrames", clip_len=12),
            dict(type="PoseDecode"),
            dict(type="FormatGCNInput", num_person=2),
            dict(type="PackActionInputs"),
        ],
    )
    found = dataset[0]["inputs"]
    assert len(dataset) == 2 and found.shape == (1, 2, 12, 17, 3)
    array = np.load(raw / "val" / "bow" / "a.npy")
    array[..., :2] = 2 * array[..., :2] - 1  # to -1..1 of the image, whose size is out
    np.testing.assert_allclose(found[0], array, atol=1e-5)


def test_example_and_back(tmp_path, monkeypatch, capsys):
    """The example's CSV files are the synthetic data to a tenth of a millimetre."""
    from msg3d.synthetic.actions import make_synthetic_actions

    example = ["make_csv_example", tmp_path / "raw", "--subjects", 4, "--repeats", 1]
    assert command(*example, monkeypatch=monkeypatch) == 0
    report = convert_folder(
        tmp_path / "raw",
        tmp_path / "a.pkl",
        skeleton("kinect20"),
        "millimetres",
        val_fraction=0.25,
        group="s[0-9]+",
    )
    assert report["written"] and "40 sequences" in capsys.readouterr().out
    assert "written as zero" in report_text(report)
    data = load_annotations(tmp_path / "a.pkl")
    made = make_synthetic_actions(4, 1)
    by_name = {}
    for sample in made["annotations"]:
        subject, _, repeat = sample["frame_dir"].split("_")
        action = made["meta"]["classes"][sample["label"]]
        by_name[f"{action}/{subject}_{repeat}"] = sample["keypoint"]
    assert len(data["annotations"]) == len(by_name) == 40
    for sample in data["annotations"]:
        expected = by_name[sample["frame_dir"]]
        np.testing.assert_allclose(sample["keypoint"], expected, atol=6e-5)
        np.testing.assert_array_equal(
            sample["keypoint"].any(axis=-1), expected.any(axis=-1)
        )


@pytest.mark.parametrize(
    "units, length, likely",
    [
        ("metres", 1, None),
        ("metres", 1000, "mm"),
        ("millimetres", 1, "m"),
        ("centimetres", 1000, "mm"),
        ("metres", 1e6, "none"),
        ("unscaled", 1000, None),
    ],
)
def test_wrong_unit_is_said(tmp_path, units, length, likely):
    """By the length of a person: between hip and knees here, about a metre."""
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
    remarks = [one for one in report["remarks"] if one["about"] == "units"]
    assert bool(remarks) is (likely is not None)
    if likely:
        divisor = dict(metres=1, centimetres=100, millimetres=1000)[units]
        size = remarks[0]["person_metres"]
        assert 0.9 < size * divisor / length < 1
        assert remarks[0]["likely_unit"] == (None if likely == "none" else likely)
        assert "WARNING" in report_text(report)


def test_command_refuses_no_jobs(tmp_path, monkeypatch, capsys):
    options = ("--layout", "coco", "--units", "metres", "--jobs", 0)
    with pytest.raises(SystemExit):
        command("prepare_folder", "raw", "a.pkl", *options, monkeypatch=monkeypatch)
    assert "argument --jobs: '0', expected 1, 2, 3 ..." in capsys.readouterr().err


def test_list_that_was_used_is_named(tmp_path):
    raw = folder(tmp_path / "raw", recordings())
    names = sorted(recordings())
    lines = [f"{name},{'val' if 'p3' in name else 'train'}" for name in names]
    (raw / "split.txt").write_text("\n".join(["name,split", *lines]))
    report = convert(raw, tmp_path / "a.pkl", split=raw / "split.txt")
    assert report["files_used"] == ["split.txt"] and not report["other_files"]
