# For small data sets: batch size 16 on one GPU, 12 epochs of five passes.
_base_ = 'sgd_cosine_16e.py'

train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', eta_min=0, T_max=12, convert_to_iter_based=True)
]
optim_wrapper = dict(optimizer=dict(lr=0.05))
auto_scale_lr = dict(base_batch_size=16)
