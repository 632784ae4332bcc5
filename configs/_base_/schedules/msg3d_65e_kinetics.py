# Schedule of MS-G3D on Kinetics-Skeleton: batch size 128 on four GPUs, as two
# accumulated batches.
_base_ = 'msg3d_50e.py'

train_cfg = dict(max_epochs=65)
param_scheduler = [dict(type='MultiStepLR', milestones=[45, 55], gamma=0.1)]
optim_wrapper = dict(optimizer=dict(lr=0.1, weight_decay=0.0003))
auto_scale_lr = dict(base_batch_size=64)
