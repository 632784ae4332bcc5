# NTU RGB+D 60, cross-subject, 2D joints (COCO-17) from HRNet.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/ntu60_2d.pkl'
features = [
    dict(type='PreNormalize2D'),
    dict(type='SkeletonFeatures', layout='coco'),
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
            ann_file=ann_file, pipeline=train_pipeline, split='xsub_train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=val_pipeline, split='xsub_val'))
test_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=test_pipeline, split='xsub_val'))
