# Kinetics-Skeleton with the preprocessing of 2s-AGCN: windows of 150 frames as in
# ST-GCN, but with y up, as in their files.
_base_ = 'kinetics_openpose_150.py'

center = dict(type='CenterPose2D', half=0.5, y_up=True)
start = [_base_.persons, center]
train_pipeline = [*start, *_base_.augment, _base_.stream, *_base_.formatting]
test_pipeline = [*start, _base_.stream, _base_.padding, *_base_.formatting]

train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
