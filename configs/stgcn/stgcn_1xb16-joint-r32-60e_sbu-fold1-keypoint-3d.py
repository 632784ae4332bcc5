_base_ = [
    '../_base_/models/stgcn.py',
    '../_base_/datasets/sbu.py',
    '../_base_/schedules/sgd_cosine_1gpu_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='sbu15')),
    cls_head=dict(num_classes=8))
