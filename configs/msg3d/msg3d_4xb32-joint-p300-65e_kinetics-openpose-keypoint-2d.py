# Recipe of the authors; MMAction2's is u100-80e.
_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/kinetics_openpose_300.py',
    '../_base_/schedules/msg3d_65e_kinetics.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='openpose'),
        graph_norm='symmetric',
        num_gcn_scales=8,
        num_g3d_scales=8),
    cls_head=dict(num_classes=400))
