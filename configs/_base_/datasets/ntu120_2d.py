# NTU RGB+D 120, cross-subject, with the preprocessing of NTU RGB+D 60.
_base_ = 'ntu60_2d.py'

ann_file = 'data/skeleton/ntu120_2d.pkl'
train_dataloader = dict(dataset=dict(dataset=dict(ann_file=ann_file)))
val_dataloader = dict(dataset=dict(ann_file=ann_file))
test_dataloader = dict(dataset=dict(ann_file=ann_file))
