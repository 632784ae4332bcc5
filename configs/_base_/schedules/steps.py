# What the papers' recipes share: one pass an epoch, Nesterov momentum, and a learning
# rate that falls to a tenth at its steps. It is scaled with the batch.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=80, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [dict(type='MultiStepLR', milestones=[10, 50], gamma=0.1)]
optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001, nesterov=True))
auto_scale_lr = dict(enable=True, base_batch_size=64)
