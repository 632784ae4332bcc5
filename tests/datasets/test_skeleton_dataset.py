"""SkeletonDataset returns the same samples as PoseDataset, and rejects faulty files."""

import mmengine
import numpy as np
import pytest
from mmaction.datasets import PoseDataset
from mmengine.registry import init_default_scope

from errors import raises
from msg3d.datasets import (
    SkeletonDataset,
)
from msg3d.errors import ConfigError, DataError
from samples import annotations, write


def with_filename(data):
    for sample in data["annotations"]:
        sample["filename"] = sample.pop("frame_dir")
    return data


def with_kinetics_fields(data):
    for number, sample in enumerate(data["annotations"]):
        sample["valid"] = {0.5: sample["total_frames"] * (number % 3) // 2}
        sample["box_score"] = np.linspace(0, 1, 5)
    return data


CASES = {
    "split": (lambda data: data, {"split": "val"}),
    "list": (lambda data: data["annotations"], {}),
    "filename": (with_filename, {"split": "train"}),
    "video": (lambda data: data, {"split": "train", "data_prefix": {"video": "clips"}}),
    "filename and video": (
        with_filename,
        {"split": "train", "data_prefix": {"video": "clips"}},
    ),
    "valid_ratio": (with_kinetics_fields, {"split": "train", "valid_ratio": 0.4}),
    "indices": (lambda data: data, {"split": "train", "indices": 3}),
    "unserialized": (lambda data: data, {"split": "train", "serialize_data": False}),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_pose_dataset(tmp_path, case):
    change, kwargs = CASES[case]
    path = str(tmp_path / "a.pkl")
    mmengine.dump(change(annotations(channels=2)), path)
    dataset = SkeletonDataset(path, pipeline=[], test_mode=True, **kwargs)
    reference = PoseDataset(path, pipeline=[], test_mode=True, **kwargs)
    assert 0 < len(dataset) == len(reference)
    for number in range(len(dataset)):
        actual, expected = dataset[number], reference[number]
        assert actual.keys() == expected.keys()
        for key in actual:
            np.testing.assert_equal(actual[key], expected[key])


def test_keypoints_in_separate_files(tmp_path):
    data = annotations()
    for sample in data["annotations"]:
        keypoint = {"keypoint": sample.pop("keypoint")}
        mmengine.dump(keypoint, str(tmp_path / f"{sample['frame_dir']}.pkl"))
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    dataset = SkeletonDataset(
        str(tmp_path / "a.pkl"),
        pipeline=[],
        split="train",
        data_prefix={"skeleton": str(tmp_path)},
    )
    assert dataset[0]["keypoint"].shape[2:] == (20, 3)
    assert dataset.summary.joints is None
    assert dataset.summary.max_label == 3


def test_summary(tmp_path):
    path = str(write(tmp_path / "a.pkl", classes=5))
    dataset = SkeletonDataset(path, pipeline=[], split="train")
    assert dataset.summary.joints == 20
    assert dataset.summary.channels == 3
    assert dataset.summary.source == path
    assert dataset.summary.max_label == 4


def test_lazy(tmp_path):
    path = str(write(tmp_path / "a.pkl"))
    dataset = SkeletonDataset(path, pipeline=[], split="train", lazy_init=True)
    assert dataset.summary is None
    dataset.full_init()
    assert dataset.summary.samples == 8


def check_error(path, kind, split=None, **where):
    with raises(kind, DataError, file=str(path), **where):
        SkeletonDataset(str(path), pipeline=[], split=split)


def test_missing_file(tmp_path):
    check_error(tmp_path / "none.pkl", "not-found", split="train")


def test_unknown_split(tmp_path):
    path = write(tmp_path / "a.pkl")
    check_error(path, "split", split="xsub_train", field="split")


def test_missing_split(tmp_path):
    check_error(write(tmp_path / "a.pkl"), "split", field="split")


def test_missing_key(tmp_path):
    mmengine.dump({"annotations": []}, str(tmp_path / "a.pkl"))
    check_error(tmp_path / "a.pkl", "form", field="split")


def test_error_contains_file_sample_and_field(tmp_path):
    data = annotations()
    data["annotations"][1]["total_frames"] += 1
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    where = {"sample": "sample001", "field": "total_frames"}
    check_error(tmp_path / "a.pkl", "total-frames", split="train", **where)


def test_class_names_of_the_file_are_kept(tmp_path):
    data = annotations()
    data["meta"] = {"classes": ["walk", "run"]}
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    dataset = SkeletonDataset(str(tmp_path / "a.pkl"), pipeline=[], split="train")
    assert dataset.metainfo["classes"] == ["walk", "run"]


def test_stream(tmp_path):
    """The data set selects the stream of SkeletonFeatures; joints by default."""
    path = str(write(tmp_path / "a.pkl"))
    features = [{"type": "SkeletonFeatures", "layout": "kinect20"}]

    def keypoint(pipeline=features, **kwargs):
        dataset = SkeletonDataset(path, pipeline=pipeline, split="train", **kwargs)
        return dataset[0]["keypoint"]

    init_default_scope("mmaction")
    for stream in ("j", "b", "jm", "bm"):
        explicit = [dict(features[0], feats=[stream])]
        np.testing.assert_array_equal(keypoint(stream=stream), keypoint(explicit))
    np.testing.assert_array_equal(keypoint(), keypoint([]))
    with raises("option", ConfigError, field="stream"):
        keypoint(stream="bone")
