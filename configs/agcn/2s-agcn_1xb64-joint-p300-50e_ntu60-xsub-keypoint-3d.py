# Recipe of the authors; MMAction2's is u100-80e.
_base_ = [
    '../_base_/models/agcn.py',
    '../_base_/datasets/ntu60_3d_view_300.py',
    '../_base_/schedules/agcn_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(graph_cfg=dict(layout='kinect25')))
