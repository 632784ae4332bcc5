_base_ = 'msg3d_8xb16-joint-u100-80e_ntu120-xset-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
