# Synthetic data from `msg3d prepare synthetic`: 10 actions, one person, joints of the
# Kinect v1, cross-subject.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/synthetic.pkl'
align = dict(type='AlignSkeleton3D', center=1)
formatting = [
    dict(type='SkeletonFeatures', layout='kinect20'),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='FastUniformSampleFrames', clip_len=32)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [align, frames, *formatting]
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
