# NTU RGB+D 60 with the preprocessing of 2s-AGCN and MS-G3D: the two persons with the
# most motion energy, each frame centered and rotated by the first frame, and 300 frames
# in one clip, filled by repeating the sequence.
_base_ = 'ntu60_3d.py'

pipeline = [
    dict(type='SelectPersons', num_person=2, by='energy'),
    dict(type='AlignView', layout='kinect25', length=300),
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
