"""Annotation checker: axes, layouts, statistics, config lines, and command.

`test_check_faults.py` tests the faults.
"""

import json
import pickle
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from errors import raises
from faulty import NAMES, every, field, good, kinds
from in_process import msg3d_command
from msg3d.annotations.faults import ERROR
from msg3d.annotations.inspection import (
    as_json,
    as_text,
    inspect_annotations,
    result,
)
from msg3d.annotations.inspection.report import config_lines
from msg3d.datasets import load_annotations, pack, save_annotations
from msg3d.skeletons.axes import guess_axes
from msg3d.stores.out_path import check_file
from msg3d.stores.packing import load_any
from msg3d.stores.store import Store, load_store
from msg3d.stores.writer import StoreWriter
from msg3d.synthetic.actions import make_synthetic_actions

REPOSITORY = Path(__file__).parents[2]

# Axes


@pytest.mark.parametrize(
    ("shape", "frames", "joints", "expected"),
    [
        ((60, 2, 25, 3), 60, None, "[T, M, V, C]"),
        ((1, 3, 60, 17), 60, None, "[M, C, T, V]"),
        ((3, 60, 25, 2), 60, 25, "[C, T, V, M]"),
        ((1, 25, 60, 3), 60, None, "[M, V, T, C]"),
        ((1, 21, 20, 3), 20, 20, None),
        ((1, 40, 25, 3), 99, None, None),
        ((300, 40, 25, 7), 40, None, None),
    ],
)
def test_guess_axes(shape, frames, joints, expected):
    axes = guess_axes(shape, frames, joints)
    assert (axes and axes.names) == expected
    if axes:
        fixed = eval(f"array.{axes.fix}", {"array": np.empty(shape)})
        assert fixed.shape[1] == frames
        assert fixed.shape[3] in (2, 3)


# Layout and mirrored bodies


def test_layout_with_other_number_of_joints():
    inspection = inspect_annotations(good(), layout="coco")
    assert kinds(inspection) == {"layout-joints"}
    fault = inspection.faults[0]
    assert fault.sample == "sample000"
    assert fault.field == "keypoint"
    assert all(value in str(fault) for value in ("20", "'coco'", "17", "'kinect20'"))
    with raises("layout"):
        inspect_annotations(good(), layout="cocoa")


def test_mirrored_samples_are_detected():
    data = make_synthetic_actions(subjects=4, repeats=1, seed=0)
    assert "mirrored" not in kinds(inspect_annotations(data, layout="kinect20"))
    names = [data["annotations"][n]["frame_dir"] for n in (1, 7)]
    data["annotations"][1]["keypoint"] *= np.float32([-1, 1, 1])
    order = [0, 1, 2, 3, *range(8, 12), *range(4, 8), *range(16, 20), *range(12, 16)]
    data["annotations"][7]["keypoint"] = data["annotations"][7]["keypoint"][:, :, order]
    inspection = inspect_annotations(data, layout="kinect20")
    mirrored = [fault.sample for fault in inspection.faults if fault.kind == "mirrored"]
    assert mirrored == names


# Statistics


def test_statistics_and_config_lines():
    data = good(2, persons=2)
    for sample in data["annotations"][:11]:
        sample["keypoint"][1] = 0
        sample["keypoint"][0, :, 4] = 0
    inspection = inspect_annotations(data)
    report = as_json(inspection, "data/mine.pkl")
    frames = [sample["total_frames"] for sample in data["annotations"]]
    assert report["frames"]["median"] == np.median(frames)
    assert report["persons"] == {"1": 11, "2": 1}
    assert report["splits"] == {"train": 8, "val": 4}
    assert report["classes"]["per_split"]["val"] == {"0": 1, "1": 1, "2": 1, "3": 1}
    assert report["classes"]["names"] == NAMES
    absent, total = sum(frames[:11]), sum(frames) + frames[11]
    missing = report["missing_joints"]
    assert missing["worst"] == 4
    assert missing["per_joint"][4] == pytest.approx(absent / total)
    assert missing["share"] == pytest.approx(absent / total / 17)
    present = [s["keypoint"][s["keypoint"].any(-1)] for s in data["annotations"]]
    low = np.concatenate(present).min(axis=0)
    np.testing.assert_allclose(report["coordinates"]["low"], low, rtol=1e-6)
    assert report["coordinates"]["unit"] == "px"
    assert report["scores"] == {"min": 1, "max": 1, "hidden": 0}

    lines = "\n".join(report["config"])
    values = {}
    exec(lines, values)
    assert values["ann_file"] == "data/mine.pkl"
    backbone, head = values["model"]["backbone"], values["model"]["cls_head"]
    assert backbone["in_channels"] == 3
    assert head["num_classes"] == 4
    assert backbone["graph_cfg"]["layout"] == "coco"
    # 11 of 12 samples have one person, fewer than 95 %.
    assert "num_person=2" in lines
    assert "split='train', split='val'" in lines
    assert "clip_len=32" in lines


def test_layout_that_meta_describes():
    data = good()
    edges = [(np.int64(joint), joint - 1) for joint in range(1, 20)]
    data["meta"].update(inward=edges, center=0)
    report = as_json(inspect_annotations(data), "x.pkl")
    values = {}
    exec("\n".join(report["config"]), values)
    layout = values["model"]["backbone"]["graph_cfg"]["layout"]
    assert layout["num_node"] == 20
    assert layout["inward"][3] == (4, 3)
    json.dumps(report)


@pytest.mark.parametrize(
    ("scale", "shift", "channels", "unit"),
    [
        (0.3, 0, 3, "m"),
        (30, 0, 3, "cm"),
        (300, 0, 3, "mm"),
        (1e-5, 0, 3, "unknown"),
        (1e-3, 0, 3, "unknown"),  # too small for fractions of an image
        (1, 0, 2, "px"),
        (1 / 640, 0, 2, "normalized"),
        (1 / 320, -1, 2, "unscaled"),
    ],
)
def test_unit(scale, shift, channels, unit):
    data = good(channels)
    every(keypoint=lambda k: (k * scale + shift).astype(np.float32))(data)
    assert inspect_annotations(data).unit == unit


def test_up_axis_points_to_the_head():
    data = make_synthetic_actions(subjects=4, repeats=1, seed=0)
    assert inspect_annotations(data).up == "+y"
    every(keypoint=lambda k: np.stack([k[..., 0], k[..., 2], -k[..., 1]], -1))(data)
    assert inspect_annotations(data).up == "-z"


def test_no_config_lines_without_valid_samples():
    data = good()
    every(keypoint=None)(data)
    report = as_json(inspect_annotations(data), "x.pkl")
    assert config_lines(report, "x.pkl") == report["config"] == []


# The command


def command(*arguments):
    return msg3d_command("check", *arguments)


def test_command_on_valid_file(tmp_path, monkeypatch, capsys):
    path = tmp_path / "a.pkl"
    save_annotations(good(2), path)
    options = ["--json", tmp_path / "a.json", "--picture", tmp_path / "a.png"]
    assert command(path, "--strict", "--layout", "coco", *options) == 0
    out = capsys.readouterr().out
    assert "split train: 8 samples, 4 classes of 2 to 2" in out
    assert "no faults" in out
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["faults"] == []
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_command_on_faults(tmp_path, monkeypatch, capsys):
    data = good()
    every(keypoint=lambda k: k.astype(np.float16))(data)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data))
    assert command(tmp_path / "a.pkl") == 0
    out = capsys.readouterr().out
    assert "warnings (12):\n  float16 (12)" in out
    assert "... and 9 more" in out
    assert command(tmp_path / "a.pkl", "--strict", "--show", 20) == 1
    assert "more" not in capsys.readouterr().out

    field(label=-1)(data)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data))
    options = ["--json", tmp_path / "a.json", "--show", 1]
    assert command(tmp_path / "a.pkl", *options) == 1
    out = capsys.readouterr().out
    assert "errors (1):\n  label-negative (1)\n    sample 'sample002': " in out
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (report["errors"], report["warnings"]) == (1, 12)
    assert len(report["faults"]) == 13
    text = report["faults"][0].pop("text")
    assert text.startswith("sample 'sample002': ")
    assert "-1" in text
    assert report["faults"][0] == {
        "kind": "label-negative",
        "severity": ERROR,
        "sample": "sample002",
        "field": "label",
    }


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: None, "not-found"),
        (lambda path: path.mkdir(), "wrong-path"),
        (
            lambda path: (
                path.mkdir(),
                (path / "store.json").write_text("{}", encoding="utf-8"),
            ),
            "wrong-file-type",
        ),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "truncated"),
        (lambda path: path.write_bytes(pickle.dumps(good())[:-50]), "truncated"),
        (lambda path: path.write_bytes(pickle.dumps(3)), "structure"),
        (lambda path: path.write_bytes(pickle.dumps(Path("x"))), "unsafe"),
    ],
)
def test_command_on_unreadable_files(tmp_path, monkeypatch, capsys, make, kind):
    path = tmp_path / "a.pkl"
    make(path)
    with raises(kind) as caught:
        load_any(path)
    options = ["--json", tmp_path / "a.json"]
    assert command(path, *options) == 1
    printed = capsys.readouterr()
    assert str(path) in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out
    (fault,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["faults"]
    assert fault["kind"] == "unreadable"
    assert fault["text"] == str(caught.value)


def test_command_reports_unwritable_output(tmp_path, monkeypatch, capsys):
    save_annotations(good(), tmp_path / "a.pkl")
    (tmp_path / "none").touch()
    unwritable = tmp_path / "none" / "a.json"
    assert command(tmp_path / "a.pkl", "--json", unwritable) == 1
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--picture"])
def test_command_rejects_folder_as_output(tmp_path, monkeypatch, capsys, option):
    save_annotations(good(), tmp_path / "a.pkl")
    assert command(tmp_path / "a.pkl", option, tmp_path) == 1
    printed = capsys.readouterr()
    assert str(tmp_path) in printed.err
    assert not printed.out
    with raises("wrong-path", file=tmp_path):
        check_file(tmp_path)


def test_command_on_store(tmp_path, monkeypatch, capsys):
    """The report of a store equals that of the packed file."""
    save_annotations(good(2), tmp_path / "a.pkl")
    pack(good(2), tmp_path / "a.packed")
    reports = []
    for name in ("a.pkl", "a.packed/"):
        path = f"{tmp_path}/{name}"
        assert command(path, "--json", tmp_path / "a.json", "--overwrite") == 0
        reports.append(json.loads((tmp_path / "a.json").read_text(encoding="utf-8")))
    of_file, of_store = ({**report, "file": 0, "config": 0} for report in reports)
    assert of_file == of_store
    assert of_file["samples"] == 12
    assert "type='PackedSkeletonDataset'" in "".join(reports[1]["config"])
    (tmp_path / "a.packed" / "store.json").unlink()
    assert command(tmp_path / "a.packed") == 1
    assert "a.packed/store.json" in capsys.readouterr().err


@pytest.mark.parametrize("channels", [2, 3])
def test_faulty_stores_are_read_sample_by_sample(tmp_path, monkeypatch, channels):
    """The report of a store equals that of the annotations, without loading them all."""
    data = good(channels, persons=2)
    first, *others = data["annotations"]
    others[0]["keypoint"] = first["keypoint"].copy()  # in the validation split, too
    others[0]["total_frames"] = first["total_frames"]
    others[1]["keypoint"][:, 3:15] = others[1]["keypoint"][:, 3:4]
    others[2]["keypoint"][:] = 0
    others[3]["keypoint"][0, :, 5] = -1
    others[4]["label"] = 9
    if channels == 2:
        others[0]["keypoint_score"] = first["keypoint_score"]
    del data["split"]["train"][-1]
    pack(data, tmp_path / "a.packed")
    monkeypatch.setattr(Store, "unpack", None)
    inspections = data, load_store(tmp_path / "a.packed")
    reports = [as_json(inspect_annotations(each), "a") for each in inspections]
    assert reports[0] == reports[1]
    expected = {"copy-other-label", "frozen-track", "keypoint-zero", "missing-marker"}
    expected |= {"label-beyond-classes", "split-unused"}
    assert expected <= {fault["kind"] for fault in reports[1]["faults"]}


def test_memory_is_less_than_the_size_of_a_store(tmp_path):
    sample = good(3)["annotations"][0]
    keypoint = np.tile(sample["keypoint"], (1, 20, 1, 1))
    with StoreWriter(tmp_path / "a.packed") as writer:
        for number in range(60):
            changed = keypoint + np.float32(number / 100)
            fields = {"frame_dir": f"s{number}", "keypoint": changed, "label": 0}
            writer.add(dict(fields, total_frames=changed.shape[1]))
    tracemalloc.start()
    try:
        inspection = inspect_annotations(load_store(tmp_path / "a.packed"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert inspection.samples == 60
    assert peak < 30 * keypoint.nbytes


def test_samples_that_cannot_be_read(tmp_path, capsys):
    pack(good(2), tmp_path / "a.packed")
    fields = tmp_path / "a.packed" / "data.1" / "fields.npy"
    fields.write_bytes(fields.read_bytes()[:-40] + b"}" * 40)
    assert command(tmp_path / "a.packed", "--json", tmp_path / "a.json") == 1
    printed = capsys.readouterr()
    assert "fields.npy" in printed.err
    assert not printed.out
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [fault["kind"] for fault in report["faults"]] == ["unreadable"]


def test_many_faults_of_one_kind_are_counted(monkeypatch):
    monkeypatch.setattr(result, "MOST_LISTED", 5)
    data = good()
    every(keypoint=lambda k: k.astype(np.float16))(data)
    for sample in data["annotations"]:
        sample["keypoint"][0, 2:14] = sample["keypoint"][0, 2]
    data["split"]["val"] = data["split"]["train"]
    inspection = inspect_annotations(data)
    report = as_json(inspection, "x.pkl")
    listed = Counter(fault["kind"] for fault in report["faults"])
    assert listed == {
        "float16": 5,
        "frozen-track": 5,
        "split-overlap": 5,
        "split-unused": 4,
    }
    assert report["unlisted"] == {"float16": 7, "frozen-track": 7, "split-overlap": 3}
    assert (report["errors"], report["warnings"]) == (8, 28)
    assert len(inspection.events) == 5
    text = as_text(report, inspection, 6)
    assert "warnings (28):\n" in text
    assert "  float16 (12)\n" in text
    assert "... and 7 more" in text


def test_huge_labels_are_counted():
    data = good()
    data["annotations"][2]["label"] = 2**70
    report = as_json(inspect_annotations(data), "x.pkl")
    assert report["classes"]["labels"][-1] == 2**70
    assert report["classes"]["samples"][str(2**70)] == 1


# Real data


def test_real_files(shared):
    """Real files have no errors; the known leaks of NW-UCLA are detected."""
    for path in sorted((shared / "data").glob("*.pkl")):
        inspection = inspect_annotations(load_annotations(path))
        assert not inspection.errors, (
            path,
            [str(fault) for fault in inspection.errors[:3]],
        )
        as_text(as_json(inspection, path.name), inspection, show=3)
        if path.stem == "nw_ucla":
            leaks = [
                fault.sample
                for fault in inspection.faults
                if fault.kind == "leak-identical"
                and fault.field == "split['xview_val']"
            ]
            assert len(leaks) == 95
            assert all(name[:3] in ("a02", "a03") for name in leaks)
        flips = [
            fault for fault in inspection.faults if fault.kind == "left-right-flip"
        ]
        if path.stem in ("sbu", "bandai_styles", "msr_action3d"):
            assert len(inspection.faults) == len(flips) <= 10
