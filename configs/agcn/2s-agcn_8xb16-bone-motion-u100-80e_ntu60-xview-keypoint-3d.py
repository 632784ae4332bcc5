_base_ = '2s-agcn_8xb16-joint-u100-80e_ntu60-xview-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
