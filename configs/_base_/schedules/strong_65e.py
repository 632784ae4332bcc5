# Recipe `strong` on small data sets: 65 epochs of five passes, as CTR-GCN's authors
# train on NW-UCLA, the first five to warm up; then a cosine instead of their step.
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
