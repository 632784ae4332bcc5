# NW-UCLA with the augmentation of recipe `strong`, similar to CTR-GCN's data loader:
# rotation about x and y (up), then scaling of each sequence to -1..1, which removes the
# position of the body. Views are not aligned, because the rotation covers them.
_base_ = 'nw_ucla.py'

augment = [
    dict(type='MirrorBody', layout='kinect20'),
    dict(type='RandomRotate3D', degrees=(60, 60, 0)),
]
scale = dict(type='ScaleToUnit')
stretch = dict(type='RandomScale3D', amount=0.2)
lose = dict(type='JointDropout', layout='kinect20')
# Mask the bones of dropped joints; they would end at the origin.
formatting = [
    dict(type='SkeletonFeatures', layout='kinect20', mask_absent=True),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='ResampleFrames', clip_len=52, crop=0.5)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [*augment, scale, stretch, frames, lose, *formatting]
val_pipeline = [scale, one_clip, *formatting]
test_pipeline = [scale, ten_clips, *formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
