# NTU RGB+D 60 with the augmentation of recipe `strong`: rotation (0.3 rad) and scaling
# (10 %) as in DG-STGCN, mirroring, and joint dropout.
_base_ = 'ntu60_3d.py'

normalize = dict(type='FastPreNormalize3D')
augment = [
    dict(type='MirrorBody', layout='nturgb+d'),
    dict(type='RandomRotate3D'),
    dict(type='RandomScale3D'),
    dict(type='JointDropout', layout='nturgb+d'),
]
streams = dict(type='SkeletonFeatures', layout='nturgb+d', mask_absent=True)

train_pipeline = [normalize, *augment, streams, _base_.frames, *_base_.formatting]
val_pipeline = [normalize, streams, _base_.one_clip, *_base_.formatting]
test_pipeline = [normalize, streams, _base_.ten_clips, *_base_.formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
