_base_ = [
    '../_base_/models/msg3d_small.py',
    '../_base_/datasets/penn_action_small.py',
    '../_base_/schedules/small_20e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='penn13'), num_gcn_scales=8, num_person=1),
    cls_head=dict(num_classes=15))
