"""PackedSkeletonDataset gives what SkeletonDataset gives, sample by sample."""

import copy
import pickle

import mmengine
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from conftest import REPOSITORY
from errors import raises
from msg3d.datasets import (
    PackedSkeletonDataset,
    SkeletonDataset,
    pack,
    save_annotations,
)
from msg3d.errors import ConfigError, DataError
from samples import annotations

NTU = "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{}.py"


def both(tmp_path, data, change=lambda data: data):
    """The same annotations as a .pkl and as a store."""
    data = change(data)
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    pack(data, tmp_path / "a.packed")
    return str(tmp_path / "a.pkl"), str(tmp_path / "a.packed")


def assert_same(mine, other):
    """Equal to the last bit, whatever a pipeline gives."""
    assert type(mine) is type(other)
    if isinstance(mine, dict):
        assert mine.keys() == other.keys()
        for key in mine:
            assert_same(mine[key], other[key])
    elif isinstance(mine, (list, tuple)):
        assert len(mine) == len(other)
        for one, two in zip(mine, other):
            assert_same(one, two)
    elif isinstance(mine, torch.Tensor):
        assert mine.dtype == other.dtype and torch.equal(mine, other)
    elif isinstance(mine, np.ndarray):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    elif hasattr(mine, "to_dict"):  # ActionDataSample
        assert_same(mine.to_dict(), other.to_dict())
    else:
        assert mine == other


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
    "split": (unchanged, dict(split="val")),
    "list": (lambda data: data["annotations"], dict()),
    "filename": (named_by_filename, dict(split="train")),
    "order of the file": (backwards, dict(split="train")),
    "video": (unchanged, dict(split="train", data_prefix=dict(video="clips"))),
    "first": (unchanged, dict(split="train", indices=3)),
    "last": (unchanged, dict(split="train", indices=-3)),
    "chosen": (unchanged, dict(split="train", indices=[5, 0, 2])),
    "none chosen": (unchanged, dict(split="train", indices=[])),
    "unserialised": (unchanged, dict(split="train", serialize_data=False)),
    "lazy": (unchanged, dict(split="train", lazy_init=True)),
    "start": (unchanged, dict(split="train", start_index=1, test_mode=True)),
    "targets": (targets, dict(split="train")),
    "multi-class": (
        several_labels,
        dict(split="train", multi_class=True, num_classes=4),
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
    assert ours.summary.source == packed and theirs.summary.source == pickled


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
    data["meta"] = dict(classes=["walk", "run"])
    _, packed = both(tmp_path, data)
    dataset = PackedSkeletonDataset(packed, pipeline=[], split="train")
    assert dataset.metainfo["classes"] == ["walk", "run"]
    named = dict(classes=["a", "b"])
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
    kwargs = dict(split="train", error=ConfigError)
    refuses(packed, "option", field="valid_ratio", valid_ratio=0.5, **kwargs)
    kwargs.update(data_prefix=dict(skeleton="poses"))
    refuses(packed, "option", field="data_prefix.skeleton", **kwargs)


def test_lists_of_labels_need_multi_class(tmp_path):
    _, packed = both(tmp_path, annotations(), several_labels)
    where = dict(sample="sample008", field="label")
    refuses(packed, "label-kind", split="val", **where)


def test_plain_list_has_no_split(tmp_path):
    _, packed = both(tmp_path, annotations()["annotations"])
    refuses(packed, "split", field="split", split="train")


def batches(cfg, workers):
    """Two passes over a data set as a runner loads it, from one seed."""
    init_default_scope("mmaction")
    np.random.seed(0)
    torch.manual_seed(0)
    loader = DataLoader(
        DATASETS.build(cfg),
        batch_size=4,
        num_workers=workers,
        shuffle=True,
        collate_fn=pseudo_collate,
        persistent_workers=workers > 0,
        worker_init_fn=seed_worker if workers else None,
    )
    return [batch for _ in range(2) for batch in loader]


def seed_worker(number):
    worker_init_fn(number, num_workers=2, rank=0, seed=3)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("form", ["3d", "2d"])
def test_same_batches_through_the_ntu_pipeline(tmp_path, form, workers):
    """RepeatDataset, pipeline and workers of the NTU configs."""
    joints, channels = dict([("3d", (25, 3)), ("2d", (17, 2))])[form]
    data = annotations(joints, channels, persons=2, frames=(20, 140))
    data["split"]["xsub_train"] = data["split"].pop("train")
    pickled, packed = str(tmp_path / "a.pkl"), str(tmp_path / "a.packed")
    save_annotations(data, pickled)
    pack(data, packed)
    cfg = Config.fromfile(REPOSITORY / NTU.format(form)).train_dataloader.dataset
    assert (cfg.type, cfg.dataset.type) == ("RepeatDataset", "SkeletonDataset")
    cfg.dataset.ann_file = pickled
    theirs = batches(cfg, workers)
    cfg.dataset.update(type="PackedSkeletonDataset", ann_file=packed)
    ours = batches(cfg, workers)
    assert len(ours) == len(theirs) == 20
    for mine, other in zip(ours, theirs):
        assert_same(mine, other)
