_base_ = 'aagcn_8xb16-joint-u100-80e_ntu120-xset-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='jm')))
val_dataloader = dict(dataset=dict(stream='jm'))
test_dataloader = dict(dataset=dict(stream='jm'))
