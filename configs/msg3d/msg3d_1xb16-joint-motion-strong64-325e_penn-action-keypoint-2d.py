_base_ = 'msg3d_1xb16-joint-strong64-325e_penn-action-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='jm')))
val_dataloader = dict(dataset=dict(stream='jm'))
test_dataloader = dict(dataset=dict(stream='jm'))
