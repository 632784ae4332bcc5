# MS-G3D's authors on NTU RGB+D 60: batch 32 in two halves, steps, no repetition.
# NTU RGB+D 120: 60 epochs, steps at 30 and 50. Source: their config/nturgbd*.
_base_ = 'steps.py'

train_cfg = dict(max_epochs=50)
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 40], gamma=0.1)]
optim_wrapper = dict(
    accumulative_counts=2, optimizer=dict(lr=0.05, weight_decay=0.0005))
# MMEngine counts the 16 samples of one forward pass, not the 32 of a step.
auto_scale_lr = dict(base_batch_size=16)
