_base_ = 'msg3d_4xb32-joint-p300-65e_kinetics-openpose-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
