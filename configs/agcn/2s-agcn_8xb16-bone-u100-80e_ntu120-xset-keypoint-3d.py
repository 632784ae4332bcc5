_base_ = '2s-agcn_8xb16-joint-u100-80e_ntu120-xset-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='b')))
val_dataloader = dict(dataset=dict(stream='b'))
test_dataloader = dict(dataset=dict(stream='b'))
