# Schedule of recipe `strong` on small data sets: 65 epochs of five passes, as for CTR-GCN
# on NW-UCLA, with five epochs of warmup and a cosine instead of a step schedule.
_base_ = 'sgd_cosine_1gpu_12e.py'

train_cfg = dict(max_epochs=65)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0,
        begin=5,
        end=65,
        T_max=60,
        convert_to_iter_based=True)
]
