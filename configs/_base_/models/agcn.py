model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='AGCN', graph_cfg=dict(layout='nturgb+d', mode='spatial')),
    cls_head=dict(
        type='GCNHead',
        num_classes=60,
        in_channels=256,
        # sqrt(2 / num_classes)
        init_cfg=dict(type='Normal', layer='Linear', std=0.1826)))
