# The authors' recipe; upstream's is u100-80e.
_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/ntu60_3d_view_300.py',
    '../_base_/schedules/msg3d_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='kinect25'), graph_norm='symmetric'))

# two halves make the authors' 32
train_dataloader = dict(batch_size=16)
