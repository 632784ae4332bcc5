_base_ = '2s-agcn_8xb16-joint-u100-80e_kinetics-coco-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='jm')))
val_dataloader = dict(dataset=dict(stream='jm'))
test_dataloader = dict(dataset=dict(stream='jm'))
