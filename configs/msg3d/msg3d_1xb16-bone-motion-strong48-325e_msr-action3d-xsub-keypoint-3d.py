_base_ = 'msg3d_1xb16-joint-strong48-325e_msr-action3d-xsub-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(stream='bm')))
val_dataloader = dict(dataset=dict(stream='bm'))
test_dataloader = dict(dataset=dict(stream='bm'))
