_base_ = [
    '../_base_/models/agcn.py',
    '../_base_/datasets/ntu120_2d.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='coco')),
    cls_head=dict(num_classes=120))
