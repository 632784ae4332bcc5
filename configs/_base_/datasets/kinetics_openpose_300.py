# Kinetics-Skeleton with the preprocessing of 2s-AGCN and MS-G3D: the two persons with
# the highest scores per frame, centered images, y up, 300 frames in one clip.
_base_ = 'kinetics_openpose.py'

pipeline = [
    dict(type='SelectPersons', num_person=2, by='frame_score'),
    dict(type='CenterPose2D', half=0.5, y_up=True),
    dict(type='SkeletonFeatures', layout='openpose'),
    dict(type='PadTo', length=300, mode='zero'),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
train_dataloader = dict(
    batch_size=16,
    drop_last=True,
    dataset=dict(times=1, dataset=dict(pipeline=pipeline)))
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
