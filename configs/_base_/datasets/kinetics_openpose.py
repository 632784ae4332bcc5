# Kinetics-Skeleton (ST-GCN's release): 18 joints in 2D from OpenPose, 400 classes.
# Coordinates are in 0..1 of the image, and persons are not tracked.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/kinetics_openpose.pkl'
features = [
    dict(type='SelectPersons', num_person=2, by='frame_score'),
    dict(type='CenterPose2D'),
    dict(type='SkeletonFeatures', layout='openpose'),
]
formatting = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='FastUniformSampleFrames', clip_len=100)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [*features, frames, *formatting]
val_pipeline = [*features, one_clip, *formatting]
test_pipeline = [*features, ten_clips, *formatting]

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file=ann_file, pipeline=train_pipeline, split='train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=val_pipeline, split='val'))
test_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=test_pipeline, split='val'))
