# MS-G3D with the regularization of recipe `strong`: dropout and label smoothing.
_base_ = 'msg3d.py'

model = dict(
    backbone=dict(
        gcn_dropout=0.2,
        g3d_dropout=0.2,
        tcn_dropout=0.2,
        # Cheaper than the published 'aggregated'. Compared in docs/results.md.
        dropout_position='joints'),
    cls_head=dict(dropout=0.5, label_smooth_eps=0.1))
