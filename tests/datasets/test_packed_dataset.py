"""PackedSkeletonDataset returns the same samples as SkeletonDataset."""

import copy
import pickle

import mmengine
import numpy as np
import pytest

from errors import raises
from msg3d.datasets import (
    PackedSkeletonDataset,
    SkeletonDataset,
    pack,
)
from msg3d.errors import ConfigError, DataError
from samples import annotations, assert_same

NTU = "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{}.py"


def write_both(tmp_path, data, change=lambda data: data):
    """Write the same annotations as a .pkl file and as a store."""
    data = change(data)
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    pack(data, tmp_path / "a.packed")
    return str(tmp_path / "a.pkl"), str(tmp_path / "a.packed")


def with_filename(data):
    for sample in data["annotations"]:
        sample["filename"] = sample.pop("frame_dir")
    return data


def reversed_split(data):
    data["split"]["train"] = data["split"]["train"][::-1] + data["split"]["train"][:2]
    return data


def label_lists(data):
    for number, sample in enumerate(data["annotations"]):
        sample["label"] = [number % 4, (number + 1) % 4]
    return data


def targets(data):
    for number, sample in enumerate(data["annotations"]):
        sample["targets"] = np.arange(5) / (number + 1)
        if number % 3:
            del sample["label"]
    return data


def unchanged(data):
    return data


CASES = {
    "split": (unchanged, {"split": "val"}),
    "list": (lambda data: data["annotations"], {}),
    "filename": (with_filename, {"split": "train"}),
    "order of the file": (reversed_split, {"split": "train"}),
    "video": (unchanged, {"split": "train", "data_prefix": {"video": "clips"}}),
    "first": (unchanged, {"split": "train", "indices": 3}),
    "last": (unchanged, {"split": "train", "indices": -3}),
    "indices": (unchanged, {"split": "train", "indices": [5, 0, 2]}),
    "no indices": (unchanged, {"split": "train", "indices": []}),
    "unserialized": (unchanged, {"split": "train", "serialize_data": False}),
    "lazy": (unchanged, {"split": "train", "lazy_init": True}),
    "start": (unchanged, {"split": "train", "start_index": 1, "test_mode": True}),
    "targets": (targets, {"split": "train"}),
    "multi-class": (
        label_lists,
        {"split": "train", "multi_class": True, "num_classes": 4},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_skeleton_dataset(tmp_path, case):
    change, kwargs = CASES[case]
    pickled, packed = write_both(tmp_path, annotations(channels=2), change)
    if case == "no indices":  # MMEngine cannot serialize an empty list
        kwargs = dict(kwargs, serialize_data=False)
    expected = SkeletonDataset(pickled, pipeline=[], **kwargs)
    actual = PackedSkeletonDataset(packed, pipeline=[], **kwargs)
    assert len(actual) == len(expected)
    for number in [*range(len(expected)), *([-1] if len(expected) else [])]:
        assert_same(actual[number], expected[number])
    summaries = [dict(vars(dataset.summary)) for dataset in (actual, expected)]
    assert [summary.pop("source") for summary in summaries] == [packed, pickled]
    assert summaries[0] == summaries[1]


def test_subsets(tmp_path):
    pickled, packed = write_both(tmp_path, annotations())
    reference = SkeletonDataset(
        pickled, pipeline=[], split="train", serialize_data=False
    )
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    for indices in (3, -2, [4, 1]):
        actual, expected = dataset.get_subset(indices), reference.get_subset(indices)
        assert len(actual) == len(expected)
        for number in range(len(expected)):
            assert_same(actual[number], expected[number])
    dataset.get_subset_(2)
    reference.get_subset_(2)
    assert len(dataset) == 2
    assert_same(dataset[1], reference[1])


def test_samples_can_be_modified(tmp_path):
    _, packed = write_both(tmp_path, annotations(channels=2))
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    before = copy.deepcopy(dataset[0])
    for key in ("keypoint", "keypoint_score"):
        dataset.get_data_info(0)[key][:] = 9
    assert_same(dataset[0], before)


def test_class_names_of_the_file_are_kept(tmp_path):
    data = annotations()
    data["meta"] = {"classes": ["walk", "run"]}
    _, packed = write_both(tmp_path, data)
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    assert dataset.metainfo["classes"] == ["walk", "run"]
    metainfo = {"classes": ["a", "b"]}
    dataset = PackedSkeletonDataset(
        packed, pipeline=[], split="train", metainfo=metainfo
    )
    assert dataset.metainfo["classes"] == ["a", "b"]


def test_pickled_dataset_contains_no_samples(tmp_path):
    """A spawned worker unpickles the data set, which reopens the store."""
    _, packed = write_both(tmp_path, annotations(samples=300))
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    content = pickle.dumps(dataset)
    assert len(content) < 5000
    assert_same(pickle.loads(content)[3], dataset[3])


def check_error(path, kind, *, sample=None, field=None, error=DataError, **kwargs):
    with raises(kind, error, file=path, sample=sample, field=field):
        PackedSkeletonDataset(path, pipeline=[], **kwargs)


def test_unsupported_options(tmp_path):
    pickled, packed = write_both(tmp_path, annotations())
    check_error(packed, "split", field="split")
    check_error(packed, "split", field="split", split="xsub")
    check_error(pickled, "wrong-path", split="train")
    kwargs = {"split": "train", "error": ConfigError}
    check_error(packed, "option", field="valid_ratio", valid_ratio=0.5, **kwargs)
    kwargs.update(data_prefix={"skeleton": "poses"})
    check_error(packed, "option", field="data_prefix.skeleton", **kwargs)


def test_lists_of_labels_require_multi_class(tmp_path):
    _, packed = write_both(tmp_path, annotations(), label_lists)
    where = {"sample": "sample008", "field": "label"}
    check_error(packed, "label-kind", split="val", **where)


def test_plain_list_has_no_split(tmp_path):
    _, packed = write_both(tmp_path, annotations()["annotations"])
    check_error(packed, "split", field="split", split="train")
