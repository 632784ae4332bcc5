"""PackedSkeletonDataset gives what SkeletonDataset gives, sample by sample."""

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


def both(tmp_path, data, change=lambda data: data):
    """The same annotations as a .pkl and as a store."""
    data = change(data)
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    pack(data, tmp_path / "a.packed")
    return str(tmp_path / "a.pkl"), str(tmp_path / "a.packed")


def named_by_filename(data):
    for sample in data["annotations"]:
        sample["filename"] = sample.pop("frame_dir")
    return data


def backwards(data):
    data["split"]["train"] = data["split"]["train"][::-1] + data["split"]["train"][:2]
    return data


def several_labels(data):
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
    "filename": (named_by_filename, {"split": "train"}),
    "order of the file": (backwards, {"split": "train"}),
    "video": (unchanged, {"split": "train", "data_prefix": {"video": "clips"}}),
    "first": (unchanged, {"split": "train", "indices": 3}),
    "last": (unchanged, {"split": "train", "indices": -3}),
    "chosen": (unchanged, {"split": "train", "indices": [5, 0, 2]}),
    "none chosen": (unchanged, {"split": "train", "indices": []}),
    "unserialised": (unchanged, {"split": "train", "serialize_data": False}),
    "lazy": (unchanged, {"split": "train", "lazy_init": True}),
    "start": (unchanged, {"split": "train", "start_index": 1, "test_mode": True}),
    "targets": (targets, {"split": "train"}),
    "multi-class": (
        several_labels,
        {"split": "train", "multi_class": True, "num_classes": 4},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_skeleton_dataset(tmp_path, case):
    change, kwargs = CASES[case]
    pickled, packed = both(tmp_path, annotations(channels=2), change)
    if case == "none chosen":  # which MMEngine cannot serialise
        kwargs = dict(kwargs, serialize_data=False)
    theirs = SkeletonDataset(pickled, pipeline=[], **kwargs)
    ours = PackedSkeletonDataset(packed, pipeline=[], **kwargs)
    assert len(ours) == len(theirs)
    for number in [*range(len(theirs)), *([-1] if len(theirs) else [])]:
        assert_same(ours[number], theirs[number])
    mine, other = vars(ours.summary), vars(theirs.summary)
    assert {**mine, "source": ""} == {**other, "source": ""}
    assert ours.summary.source == packed
    assert theirs.summary.source == pickled


def test_subsets(tmp_path):
    pickled, packed = both(tmp_path, annotations())
    theirs = SkeletonDataset(pickled, pipeline=[], split="train", serialize_data=False)
    ours = PackedSkeletonDataset(packed, pipeline=[], split="train")
    for indices in (3, -2, [4, 1]):
        mine, other = ours.get_subset(indices), theirs.get_subset(indices)
        assert len(mine) == len(other)
        for number in range(len(other)):
            assert_same(mine[number], other[number])
    ours.get_subset_(2)
    theirs.get_subset_(2)
    assert len(ours) == 2
    assert_same(ours[1], theirs[1])


def test_samples_may_be_written_into(tmp_path):
    _, packed = both(tmp_path, annotations(channels=2))
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    before = copy.deepcopy(dataset[0])
    for key in ("keypoint", "keypoint_score"):
        dataset.get_data_info(0)[key][:] = 9
    assert_same(dataset[0], before)


def test_class_names_of_the_file_are_kept(tmp_path):
    data = annotations()
    data["meta"] = {"classes": ["walk", "run"]}
    _, packed = both(tmp_path, data)
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    assert dataset.metainfo["classes"] == ["walk", "run"]
    named = {"classes": ["a", "b"]}
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train", metainfo=named)
    assert dataset.metainfo["classes"] == ["a", "b"]


def test_pickled_data_set_holds_no_sample(tmp_path):
    """As for spawned workers; it opens the store again, from any folder."""
    _, packed = both(tmp_path, annotations(samples=300))
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    content = pickle.dumps(dataset)
    assert len(content) < 5000
    assert_same(pickle.loads(content)[3], dataset[3])


def refuses(path, kind, *, sample=None, field=None, error=DataError, **kwargs):
    with raises(kind, error, file=path, sample=sample, field=field):
        PackedSkeletonDataset(path, pipeline=[], **kwargs)


def test_refusals(tmp_path):
    pickled, packed = both(tmp_path, annotations())
    refuses(packed, "split", field="split")
    refuses(packed, "split", field="split", split="xsub")
    refuses(pickled, "wrong-path", split="train")
    kwargs = {"split": "train", "error": ConfigError}
    refuses(packed, "option", field="valid_ratio", valid_ratio=0.5, **kwargs)
    kwargs.update(data_prefix={"skeleton": "poses"})
    refuses(packed, "option", field="data_prefix.skeleton", **kwargs)


def test_lists_of_labels_need_multi_class(tmp_path):
    _, packed = both(tmp_path, annotations(), several_labels)
    where = {"sample": "sample008", "field": "label"}
    refuses(packed, "label-kind", split="val", **where)


def test_plain_list_has_no_split(tmp_path):
    _, packed = both(tmp_path, annotations()["annotations"])
    refuses(packed, "split", field="split", split="train")
