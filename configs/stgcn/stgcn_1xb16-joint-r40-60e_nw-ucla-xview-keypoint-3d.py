_base_ = [
    '../_base_/models/stgcn.py',
    '../_base_/datasets/nw_ucla.py',
    '../_base_/schedules/sgd_cosine_1gpu_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='kinect20')),
    cls_head=dict(num_classes=10))
