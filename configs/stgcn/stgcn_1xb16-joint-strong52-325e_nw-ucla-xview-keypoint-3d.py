_base_ = [
    '../_base_/models/stgcn_strong.py',
    '../_base_/datasets/nw_ucla_strong.py',
    '../_base_/schedules/strong_65e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='kinect20')),
    cls_head=dict(num_classes=10))
