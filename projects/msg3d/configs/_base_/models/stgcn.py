# As the authors train on NTU RGB+D; for Kinetics they set tcn_dropout to 0. With
# tcn_dropout=0, init_cfg=None and GCNHead's own init_cfg it is MMAction2's STGCN.
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='PartitionSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        tcn_dropout=0.5),
    cls_head=dict(
        type='GCNHead',
        num_classes=60,
        in_channels=256,
        init_cfg=dict(type='Normal', layer='Linear', std=0.02)))
