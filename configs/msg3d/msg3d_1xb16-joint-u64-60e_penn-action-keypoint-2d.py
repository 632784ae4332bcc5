_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/penn_action.py',
    '../_base_/schedules/sgd_cosine_1gpu_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='penn13'), num_gcn_scales=8, num_person=1),
    cls_head=dict(num_classes=15))
