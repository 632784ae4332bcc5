# Base of the papers' schedules: one pass per epoch, Nesterov momentum, and a step
# schedule. The learning rate scales with the total batch size.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=80, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [dict(type='MultiStepLR', milestones=[10, 50], gamma=0.1)]
optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001, nesterov=True))
auto_scale_lr = dict(enable=True, base_batch_size=64)
