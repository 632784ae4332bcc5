# ST-GCN on the same input with a similar number of parameters.
_base_ = 'msg3d-12c_1xb16-laban-d24-4e_bandai-styles-xcontent-keypoint-3d.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='PartitionSTGCN',
        graph_cfg=dict(layout=_base_.layout, mode='stgcn_spatial'),
        in_channels=15,
        base_channels=16,
        num_person=1),
    cls_head=dict(in_channels=64))
