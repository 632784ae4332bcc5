_base_ = 'stgcn_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
