_base_ = [
    '../_base_/models/msg3d_small.py',
    '../_base_/datasets/sbu_small.py',
    '../_base_/schedules/small_20e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='sbu15'), num_gcn_scales=8),
    cls_head=dict(num_classes=8))
