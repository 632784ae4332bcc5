_base_ = 'msg3d_1xb32-joint-p300-50e_ntu60-xsub-keypoint-3d.py'

model = dict(cls_head=dict(num_classes=120))

train_cfg = dict(max_epochs=60)
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 50], gamma=0.1)]

ann_file = 'data/skeleton/ntu120_3d.pkl'
train_dataloader = dict(dataset=dict(dataset=dict(ann_file=ann_file)))
val_dataloader = dict(dataset=dict(ann_file=ann_file))
test_dataloader = dict(dataset=dict(ann_file=ann_file))
