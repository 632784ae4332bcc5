# MSR-Action3D: 20 actions, one person, Kinect v1. Trained on odd subjects.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/msr_action3d.pkl'
align = dict(type='AlignSkeleton3D', layout='kinect20')
augment = [
    dict(type='RandomRotate3D', degrees=(15, 15, 30)),
    dict(type='RandomScale3D', amount=0.2),
]
formatting = [
    dict(type='SkeletonFeatures', layout='kinect20'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='ResampleFrames', clip_len=48, crop=0.6)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [align, *augment, frames, *formatting]
val_pipeline = [align, one_clip, *formatting]
test_pipeline = [align, ten_clips, *formatting]

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file=ann_file, pipeline=train_pipeline, split='xsub_train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=val_pipeline, split='xsub_val'))
test_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=test_pipeline, split='xsub_val'))
