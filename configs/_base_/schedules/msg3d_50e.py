# Schedule of MS-G3D on NTU RGB+D 60: 50 epochs, batch size 32 as two accumulated batches
# of 16, without repetition. On NTU RGB+D 120: 60 epochs, steps at 30 and 50. Source:
# config/nturgbd* of the authors.
_base_ = 'steps.py'

train_cfg = dict(max_epochs=50)
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 40], gamma=0.1)]
optim_wrapper = dict(
    accumulative_counts=2, optimizer=dict(lr=0.05, weight_decay=0.0005))
# MMEngine uses the batch size of a forward pass (16), not of an optimizer step (32).
auto_scale_lr = dict(base_batch_size=16)
