# Recipe of the authors; MMAction2's is u100-80e.
_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/ntu60_3d_view_300.py',
    '../_base_/schedules/msg3d_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='kinect25'), graph_norm='symmetric'))

# Two accumulated batches give the authors' batch size of 32.
train_dataloader = dict(batch_size=16)
