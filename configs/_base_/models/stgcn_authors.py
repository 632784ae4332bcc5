# ST-GCN with the authors' initialization and their graph of the Kinect v2.
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='PartitionSTGCN',
        graph_cfg=dict(layout='kinect25', mode='stgcn_spatial')),
    cls_head=dict(
        type='GCNHead',
        num_classes=60,
        in_channels=256,
        init_cfg=dict(type='Normal', layer='Linear', std=0.02)))
