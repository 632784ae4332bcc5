# Recipe of the authors; MMAction2's is u100-80e.
_base_ = [
    '../_base_/models/stgcn_authors.py',
    '../_base_/datasets/kinetics_openpose_150.py',
    '../_base_/schedules/stgcn_50e_kinetics.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(graph_cfg=dict(layout='openpose')),
    cls_head=dict(num_classes=400))
train_dataloader = dict(batch_size=64)
