"""A config of MMAction2's MS-G3D project, in a zip download without symbolic links."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import user_env
from samples import write

# Like projects/msg3d/configs of MMAction2 1.2.0, with a smaller network and data set.
CONFIG = """
_base_ = 'mmaction::_base_/default_runtime.py'
custom_imports = dict(imports='models')
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='MSG3D',
        base_channels=6,
        graph_cfg=dict(layout='coco', mode='binary_adj')),
    cls_head=dict(type='GCNHead', num_classes=4, in_channels=24))
dataset_type = 'PoseDataset'
ann_file = 'data/skeleton/ntu60_2d.pkl'
train_pipeline = [
    dict(type='PreNormalize2D'),
    dict(type='GenSkeFeat', dataset='coco', feats=['j']),
    dict(type='UniformSampleFrames', clip_len=16),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs')
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RepeatDataset',
        times=1,
        dataset=dict(
            type=dataset_type,
            ann_file=ann_file,
            pipeline=train_pipeline,
            split='xsub_train')))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True))
auto_scale_lr = dict(enable=False, base_batch_size=128)
"""


@pytest.fixture
def download(checkout):
    """Repository without links, as in a zip download or with `core.symlinks=false`."""
    for folder, folders, files in os.walk(checkout):
        for path in (Path(folder, name) for name in [*folders, *files]):
            if path.is_symlink():
                target = path.readlink()
                path.unlink()
                path.write_text(str(target), encoding="utf-8")
    return checkout


def test_config_trains(download):
    write(
        download / "data/skeleton/ntu60_2d.pkl",
        splits=("xsub_train", "xsub_val"),
        joints=17,
        channels=2,
    )
    (download / "upstream.py").write_text(CONFIG, encoding="utf-8")
    subprocess.run(
        ["mim", "train", "mmaction", "upstream.py"],
        cwd=download,
        env={**user_env(), "PYTHONPATH": "."},
        check=True,
        timeout=300,
    )
    assert (download / "work_dirs" / "upstream" / "epoch_1.pth").is_file()


def test_wheel_contains_the_configs(download, tmp_path):
    leaf = "msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py"
    assert (download / "configs" / leaf).is_file()
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"]
    subprocess.run(
        [*pip, "--no-build-isolation", "-w", tmp_path, download],
        check=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    configs = {
        f"msg3d/{path.relative_to(download).as_posix()}"
        for path in (download / "configs").rglob("*.*")
    }
    assert configs == {name for name in names if name.startswith("msg3d/configs/")}
