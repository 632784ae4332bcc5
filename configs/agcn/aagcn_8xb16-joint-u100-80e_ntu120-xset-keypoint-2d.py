_base_ = 'aagcn_8xb16-joint-u100-80e_ntu120-xsub-keypoint-2d.py'

train_dataloader = dict(dataset=dict(dataset=dict(split='xset_train')))
val_dataloader = dict(dataset=dict(split='xset_val'))
test_dataloader = dict(dataset=dict(split='xset_val'))
