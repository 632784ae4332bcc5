# UDIVA v0.5, prepared with `msg3d prepare udiva RAW OUT --chunk 250`: 24 joints, five
# personality traits, cross-subject.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/udiva_250.pkl'
# As in the study: center each frame at spine2, and rotate with the study's joints.
features = [
    dict(type='AlignView', layout='smpl24', xaxis=(13, 14)),
    dict(type='LabanEffort', layout='smpl24', variant='published'),
]
# All frames of a chunk, in order; shorter chunks are repeated.
frames = dict(
    type='FastUniformSampleFrames', clip_len=250, num_clips=1, test_mode=True)
formatting = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=1),
    dict(
        type='PackTargetInputs', meta_keys=('frame_dir', 'person_id', 'session')),
]
pipeline = [*features, frames, *formatting]

train_dataloader = dict(
    dataset=dict(
        times=1,
        dataset=dict(ann_file=ann_file, pipeline=pipeline, split='train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=pipeline, split='val'))
test_dataloader = dict(
    batch_size=16,
    dataset=dict(ann_file=ann_file, pipeline=pipeline, split='test'))

# Average over all chunks of a person, as in the study.
val_evaluator = dict(_delete_=True, type='PersonTraitMetric', by='chunks')
test_evaluator = dict(
    _delete_=True,
    type='PersonTraitMetric',
    by='chunks',
    csv='work_dirs/udiva_predictions.csv')
