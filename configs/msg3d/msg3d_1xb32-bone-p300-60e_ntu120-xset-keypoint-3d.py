_base_ = 'msg3d_1xb32-joint-p300-60e_ntu120-xset-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
