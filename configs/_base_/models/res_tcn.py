model = dict(
    type='RecognizerGCN',
    backbone=dict(type='ResTCN', graph_cfg=dict(layout='nturgb+d')),
    cls_head=dict(type='GCNHead', num_classes=60, in_channels=256))
