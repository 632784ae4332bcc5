_base_ = [
    '../_base_/models/stgcn.py',
    '../_base_/datasets/ntu120_3d.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(cls_head=dict(num_classes=120))
