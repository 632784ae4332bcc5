# Erkoç et al. (2022): small MS-G3D on coordinates and Laban features.
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='MSG3D',
        graph_cfg=dict(layout='smpl24', mode='binary_adj'),
        in_channels=15,
        base_channels=12,
        num_person=1,
        graph_norm='symmetric',
        gcn_dropout=0.6,
        g3d_dropout=0.4,
        tcn_dropout=0.4,
        tcn_inner_dropout=0.4),
    cls_head=dict(type='TraitHead', num_targets=5, in_channels=48, loss='mse'))
