# Schedule of recipe `strong` on NTU RGB+D: 24 epochs of five passes, as in PYSKL's
# recipe with strong augmentation.
_base_ = 'sgd_cosine_16e.py'

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', eta_min=0, T_max=24, convert_to_iter_based=True)
]
