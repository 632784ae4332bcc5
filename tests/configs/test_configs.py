"""Configs are short, have unique names, and match the values of MMAction2."""

import pytest
from mmengine.config import Config

from leaves import LEAVES, ROOT, UPSTREAM, datasets


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_leaf_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 20


def test_base_names_are_unique():
    """mim finds configs by their base names."""
    assert len({path.name for path in LEAVES}) == len(LEAVES)


def as_upstream(step):
    """Return the equivalent step of MMAction2.

    test_fast.py and test_layouts_features.py compare them bit by bit.
    """
    step = dict(step, type=step["type"].removeprefix("Fast"))
    if step["type"] == "SkeletonFeatures":
        step = dict(type="GenSkeFeat", dataset=step["layout"], feats=["j"])
    if step["type"] == "PackActionInputs":
        del step["meta_keys"]  # sample ids for score files
    return step


@pytest.mark.parametrize(
    "kind, layout, norm", [("2d", "coco", 2), ("3d", "nturgb+d", 3)]
)
def test_upstream_values(kind, layout, norm):
    cfg = Config.fromfile(ROOT / "msg3d" / UPSTREAM.format(kind))
    assert cfg.model == dict(
        type="RecognizerGCN",
        backbone=dict(type="MSG3D", graph_cfg=dict(layout=layout, mode="binary_adj")),
        cls_head=dict(type="GCNHead", num_classes=60, in_channels=384),
    )
    assert cfg.train_cfg.max_epochs == 16
    assert cfg.train_dataloader.dataset.times == 5
    assert cfg.train_dataloader.batch_size == cfg.val_dataloader.batch_size == 16
    assert cfg.test_dataloader.batch_size == 1
    assert cfg.optim_wrapper == dict(
        optimizer=dict(
            type="SGD", lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
    )
    assert cfg.param_scheduler == [
        dict(
            type="CosineAnnealingLR",
            eta_min=0,
            T_max=16,
            by_epoch=True,
            convert_to_iter_based=True,
        )
    ]
    clips = (
        dict(),
        dict(num_clips=1, test_mode=True),
        dict(num_clips=10, test_mode=True),
    )
    splits = ("xsub_train", "xsub_val", "xsub_val")
    for dataset, clip, split in zip(datasets(cfg), clips, splits):
        assert dataset.ann_file == f"data/skeleton/ntu60_{kind}.pkl"
        assert dataset.split == split
        pipeline = [as_upstream(step) for step in dataset.pipeline]
        assert pipeline == [
            dict(type=f"PreNormalize{norm}D"),
            dict(type="GenSkeFeat", dataset=layout, feats=["j"]),
            dict(type="UniformSampleFrames", clip_len=100, **clip),
            dict(type="PoseDecode"),
            dict(type="FormatGCNInput", num_person=2),
            dict(type="PackActionInputs"),
        ]


@pytest.mark.parametrize(
    "leaf, y_up",
    [
        ("stgcn/stgcn_4xb64-joint-w150-50e", False),
        ("agcn/2s-agcn_4xb32-joint-w150-65e", True),
        ("msg3d/msg3d_4xb32-joint-p300-65e", True),
    ],
)
def test_direction_of_y_is_that_of_the_authors(leaf, y_up):
    cfg = Config.fromfile(ROOT / f"{leaf}_kinetics-openpose-keypoint-2d.py")
    for dataset in datasets(cfg):
        (center,) = (s for s in dataset.pipeline if s["type"] == "CenterPose2D")
        assert center.get("y_up", False) is y_up
