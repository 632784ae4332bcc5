"""Markers of missing joints, in every place where keypoints are read."""

import json

import numpy as np
import pytest

from errors import raises
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.annotations.inspection import inspect_annotations
from msg3d.annotations.markers import without_markers, zero_scores
from msg3d.apis.keypoint_input import Expected, to_sample
from msg3d.converters import convert_folder
from msg3d.converters.interchange import convert_data_set
from msg3d.datasets import PackedSkeletonDataset, SkeletonDataset
from msg3d.errors import ConfigError
from msg3d.formats.base import ReadOptions, Source, read
from msg3d.stores.packing import pack
from samples import annotations, same


def marked(marker, channels=2):
    """Return annotations with one joint of each sample at the marker, with score 0."""
    data = annotations(joints=17, channels=channels)
    for sample in data["annotations"]:
        sample["keypoint"][0, 3, 5] = marker
        if "keypoint_score" in sample:
            sample["keypoint_score"][0, 3, 5] = 0
    return data


def absent(data):
    return [~sample["keypoint"].any(-1) for sample in data]


def only_marked(data):
    masks = absent(data)
    return all(mask.sum() == 1 and mask[0, 3, 5] for mask in masks)


@pytest.mark.parametrize("marker", [-1, 65535])
@pytest.mark.parametrize("channels", [2, 3])
def test_markers_are_absent_everywhere(tmp_path, marker, channels):
    data = marked(marker, channels)
    data["meta"] = {"layout": "coco"}
    file = str(tmp_path / "mine.pkl")
    save_annotations(data, file)
    convert_data_set(file, tmp_path / "mine.packed")
    pack(data, tmp_path / "raw.packed")
    sequences = read(Source(file))
    trained = SkeletonDataset(ann_file=file, split="train", pipeline=[])
    packed = PackedSkeletonDataset(
        ann_file=str(tmp_path / "raw.packed"), split="train", pipeline=[]
    )
    expected = Expected("coco", channels, None, 1)
    for read_samples in (
        sequences,
        read(Source(str(tmp_path / "mine.packed"))),
        [trained[number] for number in range(len(trained))],
        [packed[number] for number in range(len(packed))],
        [to_sample(sample, expected) for sample in data["annotations"]],
    ):
        assert only_marked(read_samples)
    [note] = sequences[0]["notes"].items()
    assert note == (
        f"joints at ({', '.join([str(marker)] * channels)}), stored as absent",
        1,
    )


def test_markers_of_users_files(tmp_path):
    pose = np.random.default_rng(0).uniform(100, 200, (4, 17, 3)).round(1)
    pose[2, 3] = -1
    for name in ("a", "b"):
        for side in ("train", "val"):
            path = tmp_path / "raw" / side / name / "clip.json"
            path.parent.mkdir(parents=True)
            keypoint = pose.tolist()
            path.write_text(json.dumps({"keypoint": keypoint, "layout": "coco"}))
    convert_folder(tmp_path / "raw", tmp_path / "a.pkl", units="mm")
    convert_folder(
        tmp_path / "raw", tmp_path / "b.pkl", units="mm", missing_marker="none"
    )
    absent, kept = (
        load_annotations(tmp_path / name)["annotations"][0]["keypoint"][0]
        for name in ("a.pkl", "b.pkl")
    )
    assert not absent[2, 3].any()
    np.testing.assert_allclose(kept[2, 3], -0.001)
    np.testing.assert_array_equal(absent[0], kept[0])


def test_zero_scores_are_reported_and_kept(tmp_path):
    data = annotations(joints=17, channels=2)
    for sample in data["annotations"]:
        sample["keypoint_score"][0, 2, :3] = 0
    sample = data["annotations"][0]
    assert zero_scores(sample).sum() == 3
    assert without_markers(sample) == (sample, {})
    changed, notes = without_markers(sample, "score")
    assert not changed["keypoint"][0, 2, :3].any()
    assert notes == {"joints with score 0, stored as absent": 3}
    inspection = inspect_annotations(data)
    assert sum(m.hidden for m in inspection.measures.values()) == 36
    assert not inspection.faults


def test_checker_names_the_marker():
    [fault] = inspect_annotations(marked(-1)).faults
    assert fault.kind == "missing-marker"
    assert "(-1, -1)" in fault.text
    assert "12 joints" in fault.text


def test_case_of_the_issue(shared):
    data = load_annotations(shared / "cases" / "missing_joints_minus_one.pkl")
    [fault] = inspect_annotations(data).faults
    assert fault.kind == "missing-marker"


def test_number_as_marker():
    sample = annotations()["annotations"][0]
    sample["keypoint"][0, 1, 2] = -999
    changed, notes = without_markers(sample, "-999")
    assert not changed["keypoint"][0, 1, 2].any()
    assert list(notes.values()) == [1]
    assert same(without_markers(sample, "none")[0], sample)
    with raises("option", ConfigError):
        without_markers(sample, "minus one")


def test_marker_of_a_data_set_is_checked():
    with raises("option", ConfigError):
        SkeletonDataset(
            ann_file="a.pkl", pipeline=[], missing_marker="x", lazy_init=True
        )


def test_options_select_the_marker(tmp_path):
    save_annotations(marked(-1), tmp_path / "mine.pkl")
    sequences = read(
        Source(str(tmp_path / "mine.pkl")), ReadOptions(missing_marker="none")
    )
    assert not any(mask.any() for mask in absent(sequences))
