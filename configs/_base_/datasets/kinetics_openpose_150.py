# Kinetics-Skeleton with the preprocessing of ST-GCN: trained on random windows of 150
# frames with simulated camera motion, tested on all 300 frames; y down, as in images.
_base_ = 'kinetics_openpose_300.py'

persons = dict(type='SelectPersons', num_person=2, by='frame_score')
center = dict(type='CenterPose2D', half=0.5)
stream = dict(type='SkeletonFeatures', layout='openpose')
formatting = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
augment = [dict(type='RandomWindow', length=150), dict(type='RandomMove2D')]
padding = dict(type='PadTo', length=300, mode='zero')
train_pipeline = [persons, center, *augment, stream, *formatting]
test_pipeline = [persons, center, stream, padding, *formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
