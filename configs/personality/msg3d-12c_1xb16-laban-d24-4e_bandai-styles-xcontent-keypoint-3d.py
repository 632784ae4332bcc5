# Small MS-G3D on coordinates and the four Laban Efforts (15 input channels).
_base_ = [
    '../_base_/models/msg3d.py',
    '../_base_/datasets/bandai_styles.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        graph_cfg=dict(layout=dict(_delete_=True, **_base_.layout)),
        in_channels=15, base_channels=12, num_person=1,
        num_gcn_scales=6, num_g3d_scales=3),
    cls_head=dict(num_classes=7, in_channels=48))

train_cfg = dict(max_epochs=4)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=4, convert_to_iter_based=True)]
train_dataloader = dict(dataset=dict(times=1))
optim_wrapper = dict(optimizer=dict(lr=0.05))
auto_scale_lr = dict(base_batch_size=16)
