# Split without duplicates of test sequences; trained on views 2 and 3.
_base_ = 'msg3d-24c_1xb16-streams-small24-100e_nw-ucla-xview-keypoint-3d.py'

train_dataloader = dict(dataset=dict(dataset=dict(split='xview_clean_v1_train')))
val_dataloader = dict(dataset=dict(split='xview_clean_v1_val'))
test_dataloader = dict(dataset=dict(split='xview_clean_v1_val'))
