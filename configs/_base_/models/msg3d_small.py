# Narrow MS-G3D for small data sets. The input channels are those of three streams.
_base_ = 'msg3d.py'

model = dict(
    backbone=dict(in_channels=9, base_channels=24, tcn_dropout=0.2),
    cls_head=dict(in_channels=96, dropout=0.5, label_smooth_eps=0.1))
