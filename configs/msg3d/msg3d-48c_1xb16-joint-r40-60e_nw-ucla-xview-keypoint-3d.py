# Half the channels; trains in an hour on two CPU cores.
_base_ = 'msg3d_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py'

model = dict(backbone=dict(base_channels=48), cls_head=dict(in_channels=192))
