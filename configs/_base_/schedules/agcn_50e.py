# Schedule of 2s-AGCN on NTU RGB+D: batch size 64, 50 epochs, steps at 30 and 40.
_base_ = 'steps.py'

train_cfg = dict(max_epochs=50)
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 40], gamma=0.1)]
