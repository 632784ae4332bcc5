_base_ = '2s-agcn_1xb16-joint-u64-60e_penn-action-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
