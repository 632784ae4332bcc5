_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/nw_ucla.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout='kinect20'), num_gcn_scales=11, num_person=1),
    cls_head=dict(num_classes=10))

# 12 epochs of five passes each; the rate is meant for one GPU's 16 samples.
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', eta_min=0, T_max=12, convert_to_iter_based=True)
]
optim_wrapper = dict(optimizer=dict(lr=0.05))
auto_scale_lr = dict(base_batch_size=16)
