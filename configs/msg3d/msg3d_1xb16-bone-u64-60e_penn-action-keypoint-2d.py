_base_ = 'msg3d_1xb16-joint-u64-60e_penn-action-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
