_base_ = 'msg3d_8xb16-joint-u100-80e_kinetics-coco-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
