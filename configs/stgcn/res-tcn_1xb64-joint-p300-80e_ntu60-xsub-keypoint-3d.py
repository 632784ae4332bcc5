# TCN baseline of the ST-GCN paper.
_base_ = [
    '../_base_/models/res_tcn.py',
    '../_base_/datasets/ntu60_3d_raw_300.py',
    '../_base_/schedules/stgcn_80e.py',
    '../_base_/default_runtime.py',
]

param_scheduler = [dict(type='MultiStepLR', milestones=[10, 70], gamma=0.1)]
