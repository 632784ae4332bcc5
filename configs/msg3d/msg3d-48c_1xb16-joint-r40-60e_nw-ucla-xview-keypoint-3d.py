# Half the channels: what two CPU cores train in an hour.
_base_ = 'msg3d_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py'

model = dict(backbone=dict(base_channels=48), cls_head=dict(in_channels=192))
