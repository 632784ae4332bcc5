# Penn Action with the pipelines of recipe `small`. Unlike PreNormalize2D, CenterPose2D
# keeps absent joints at zero.
_base_ = 'penn_action.py'

center = dict(type='CenterPose2D')
augment = [
    dict(type='MirrorBody', layout='penn13'),
    dict(type='RandomMove2D'),
]
lose = dict(type='JointDropout', layout='penn13')
formatting = [
    dict(
        type='SkeletonFeatures',
        layout='penn13',
        feats=['j', 'b', 'jm'],
        mask_absent=True),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='ResampleFrames', clip_len=24, crop=0.9)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [center, *augment, frames, lose, *formatting]
val_pipeline = [center, one_clip, *formatting]
test_pipeline = [center, ten_clips, *formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
