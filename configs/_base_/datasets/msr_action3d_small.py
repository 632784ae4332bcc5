# MSR-Action3D with the pipelines of recipe `small`. No mirroring: "draw tick" has a
# direction.
_base_ = 'msr_action3d.py'

align = dict(type='AlignSkeleton3D', layout='kinect20')
augment = [
    dict(type='RandomRotate3D', degrees=(10, 10, 20)),
    dict(type='RandomScale3D', amount=0.2),
]
lose = dict(type='JointDropout', layout='kinect20')
formatting = [
    dict(
        type='SkeletonFeatures',
        layout='kinect20',
        feats=['j', 'b', 'jm'],
        mask_absent=True),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='ResampleFrames', clip_len=24, crop=0.5)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [align, *augment, frames, lose, *formatting]
val_pipeline = [align, one_clip, *formatting]
test_pipeline = [align, ten_clips, *formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
