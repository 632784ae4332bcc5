_base_ = [
    '../_base_/models/msg3d_strong.py',
    '../_base_/datasets/ntu60_3d_strong.py',
    '../_base_/schedules/strong_24e.py',
    '../_base_/default_runtime.py',
]

# 13 where published weights have them; the scale after the 12th repeats the first.
model = dict(backbone=dict(num_gcn_scales=12))
