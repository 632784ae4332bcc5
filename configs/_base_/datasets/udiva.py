# UDIVA v0.5, made by `msg3d prepare udiva RAW OUT --chunk 250`: chunks
# of 24 joints, five traits; persons of val and test are not trained on.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/udiva_250.pkl'
# As the study: spine2 in the middle of every frame, both turns with its joints.
features = [
    dict(type='AlignView', layout='smpl24', xaxis=(13, 14)),
    dict(type='LabanEffort', layout='smpl24', variant='published'),
]
# All frames of a whole chunk, in order; a shorter one begins anew.
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

# As the study averages: over all chunks of a person.
val_evaluator = dict(_delete_=True, type='PersonTraitMetric', by='chunks')
test_evaluator = dict(
    _delete_=True,
    type='PersonTraitMetric',
    by='chunks',
    csv='work_dirs/udiva_predictions.csv')
