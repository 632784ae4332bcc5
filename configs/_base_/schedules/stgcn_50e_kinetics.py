# Schedule of ST-GCN on Kinetics-Skeleton: batch size 256, 50 epochs.
_base_ = 'steps.py'

train_cfg = dict(max_epochs=50)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[20, 30, 40, 50], gamma=0.1)
]
auto_scale_lr = dict(base_batch_size=256)
