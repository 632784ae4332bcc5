_base_ = 'msg3d_1xb16-joint-r48-60e_msr-action3d-xsub-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
