# Quickstart: a quarter of the channels; trains in minutes on two CPU cores.
_base_ = [
    '../_base_/models/msg3d.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/sgd_cosine_16e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='kinect20'), base_channels=24, num_person=1),
    cls_head=dict(num_classes=10, in_channels=96))

train_dataloader = dict(dataset=dict(times=2))

train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', eta_min=0, T_max=10, convert_to_iter_based=True)
]
