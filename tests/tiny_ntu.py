"""A tiny version of the NTU config: 5 joints, 8 frames, 4 classes, and 12 channels."""

from pathlib import Path

import msg3d
from samples import write

CONFIGS = Path(msg3d.__file__).parent / "configs" / "msg3d"
BASE = CONFIGS / "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py"
CONFIG = """
_base_ = {base!r}
layout = dict(_delete_=True, num_node=5, center=1,
              inward=[(0, 1), (2, 1), (3, 2), (4, 2)])
model = dict(
    backbone=dict(graph_cfg=dict(layout=layout), base_channels=12,
                  num_gcn_scales=3, num_g3d_scales=2),
    cls_head=dict(num_classes=4, in_channels=48))
packed = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs')]
pipeline = [dict(type='UniformSampleFrames', clip_len=8), *packed]
test_pipeline = [
    dict(type='UniformSampleFrames', clip_len=8, num_clips=10, test_mode=True),
    *packed]
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(times=2, dataset=dict(
        ann_file={data!r}, split='train', pipeline=pipeline)))
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(ann_file={data!r}, split='val', pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=1))
"""


def write_tiny(folder: Path, more: str = "", **data) -> None:
    """Write data.pkl, and tiny.py, which is the config above with additions.

    Args:
        folder: an existing folder.
        more: text to append to the config.
        **data: arguments of `samples.write`.
    """
    path = folder / "data.pkl"
    write(path, joints=5, persons=2, **data)
    (folder / "ntu.py").write_text(
        CONFIG.format(base=str(BASE), data=str(path)), encoding="utf-8"
    )
    (folder / "tiny.py").write_text(f"_base_ = 'ntu.py'\n{more}", encoding="utf-8")
