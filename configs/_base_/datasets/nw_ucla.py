# Northwestern-UCLA: 10 actions, one person, Kinect v1. Half of the sequences have fewer
# than 31 frames. Trained on views 1 and 2, tested on view 3.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/nw_ucla.pkl'
align = dict(type='AlignSkeleton3D', center=1)
augment = [
    dict(type='RandomRotate3D', degrees=(15, 15, 30)),
    dict(type='RandomScale3D', amount=0.2),
]
# Compute the stream last, after the augmentation of the joints.
formatting = [
    dict(type='SkeletonFeatures', layout='kinect20'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='ResampleFrames', clip_len=40, crop=0.6)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [align, *augment, frames, *formatting]
val_pipeline = [align, one_clip, *formatting]
test_pipeline = [align, ten_clips, *formatting]

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file=ann_file, pipeline=train_pipeline, split='xview_train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=val_pipeline, split='xview_val'))
test_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=test_pipeline, split='xview_val'))
