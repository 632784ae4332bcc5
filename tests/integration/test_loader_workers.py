"""Test that data loader workers read the same batches from stores and pickles."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from conftest import REPOSITORY
from msg3d.datasets import pack, save_annotations
from samples import annotations, assert_same

NTU = "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{}.py"


def batches(cfg, workers):
    """Return the batches of two epochs, loaded as by a runner with a fixed seed."""
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
@pytest.mark.parametrize("dimensions", ["3d", "2d"])
def test_ntu_pipeline(tmp_path, dimensions, workers):
    """Test RepeatDataset, pipeline, and workers of the NTU configs."""
    joints, channels = {"3d": (25, 3), "2d": (17, 2)}[dimensions]
    data = annotations(joints, channels, persons=2, frames=(20, 140))
    data["split"]["xsub_train"] = data["split"].pop("train")
    pickled, packed = str(tmp_path / "a.pkl"), str(tmp_path / "a.packed")
    save_annotations(data, pickled)
    pack(data, packed)
    cfg = Config.fromfile(REPOSITORY / NTU.format(dimensions)).train_dataloader.dataset
    assert (cfg.type, cfg.dataset.type) == ("RepeatDataset", "SkeletonDataset")
    cfg.dataset.ann_file = pickled
    expected = batches(cfg, workers)
    cfg.dataset.update(type="PackedSkeletonDataset", ann_file=packed)
    actual = batches(cfg, workers)
    assert len(actual) == len(expected) == 20
    for batch, expected_batch in zip(actual, expected, strict=True):
        assert_same(batch, expected_batch)
