# Schedule of 2s-AGCN on Kinetics-Skeleton: batch size 128, 65 epochs.
_base_ = 'steps.py'

train_cfg = dict(max_epochs=65)
param_scheduler = [dict(type='MultiStepLR', milestones=[45, 55], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=128)
