# 2s-AGCN with the regularization of recipe `strong`: dropout and label smoothing.
_base_ = 'agcn.py'

model = dict(
    backbone=dict(tcn_dropout=0.2),
    cls_head=dict(dropout=0.5, label_smooth_eps=0.1))
