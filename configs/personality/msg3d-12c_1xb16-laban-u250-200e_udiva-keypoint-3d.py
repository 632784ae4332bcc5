# Erkoç et al. (2022): 250 frames, constant learning rate, best epoch by validation.
_base_ = [
    '../_base_/models/msg3d_traits.py',
    '../_base_/datasets/udiva.py',
    '../_base_/schedules/steps.py',
    '../_base_/default_runtime.py',
]

train_cfg = dict(max_epochs=200)
param_scheduler = [dict(type='MultiStepLR', milestones=[200], gamma=0.1)]
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=0.001))
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(save_best='mse/mean', rule='less'))
