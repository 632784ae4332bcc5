# Penn Action: 15 sports actions, one person, 13 manually annotated joints in 2D.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/penn_action.pkl'
features = [
    dict(type='PreNormalize2D'),
    dict(type='SkeletonFeatures', layout='penn13'),
]
formatting = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
frames = dict(type='FastUniformSampleFrames', clip_len=64)
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
