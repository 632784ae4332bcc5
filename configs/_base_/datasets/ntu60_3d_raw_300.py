# NTU RGB+D 60 with the preprocessing of ST-GCN: the first two persons, not normalized,
# 300 frames in one clip, padded with zeros.
_base_ = 'ntu60_3d.py'

pipeline = [
    dict(type='PadTo', length=300, mode='zero'),
    dict(type='SkeletonFeatures', layout='kinect25'),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs', meta_keys=('frame_dir', )),
]
train_dataloader = dict(
    batch_size=64,
    drop_last=True,
    dataset=dict(times=1, dataset=dict(pipeline=pipeline)))
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
