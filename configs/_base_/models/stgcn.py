# ST-GCN as in MMAction2. The authors' recipe uses tcn_dropout=0.5 on NTU RGB+D and
# another initialization.
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='PartitionSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        init_cfg=None),
    cls_head=dict(type='GCNHead', num_classes=60, in_channels=256))
