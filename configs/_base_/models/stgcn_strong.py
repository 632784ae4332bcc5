# ST-GCN of recipe `strong`: dropout as in MS-G3D's, and smoothed labels.
_base_ = 'stgcn.py'

model = dict(
    backbone=dict(tcn_dropout=0.2),
    cls_head=dict(dropout=0.5, label_smooth_eps=0.1))
