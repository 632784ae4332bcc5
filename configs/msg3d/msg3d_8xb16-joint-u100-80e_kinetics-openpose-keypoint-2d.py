_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/kinetics_openpose.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='openpose'),
        num_gcn_scales=8,
        num_g3d_scales=8),
    cls_head=dict(num_classes=400))
