# Recipe of the authors; MMAction2's is u100-80e.
_base_ = [
    '../_base_/models/stgcn_authors.py',
    '../_base_/datasets/ntu60_3d_raw_300.py',
    '../_base_/schedules/stgcn_80e.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(tcn_dropout=0.5))
