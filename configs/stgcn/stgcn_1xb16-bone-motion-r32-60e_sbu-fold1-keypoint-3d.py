_base_ = 'stgcn_1xb16-joint-r32-60e_sbu-fold1-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
