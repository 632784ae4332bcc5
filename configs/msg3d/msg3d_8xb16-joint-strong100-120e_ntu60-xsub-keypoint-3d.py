_base_ = [
    '../_base_/models/msg3d_strong.py',
    '../_base_/datasets/ntu60_3d_strong.py',
    '../_base_/schedules/strong_24e.py',
    '../_base_/default_runtime.py',
]

# Published weights use 13 scales, the last of which is redundant.
model = dict(backbone=dict(num_gcn_scales=12))
