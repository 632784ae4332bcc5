# Bandai-Namco Research Motiondataset-2: motion capture, 21 joints, y up, subsampled to
# 15 frames per second. The labels are 7 movement styles. Each action is either in the
# training or in the validation split. Prepared with `msg3d prepare bandai`.
_base_ = 'skeleton.py'

ann_file = 'data/skeleton/bandai_styles.pkl'
layout = dict(
    joints=[
        'hips', 'spine', 'chest', 'neck', 'head',
        'left_shoulder', 'left_upper_arm', 'left_lower_arm', 'left_hand',
        'right_shoulder', 'right_upper_arm', 'right_lower_arm', 'right_hand',
        'left_upper_leg', 'left_lower_leg', 'left_foot', 'left_toes',
        'right_upper_leg', 'right_lower_leg', 'right_foot', 'right_toes',
    ],
    num_node=21,
    inward=[(1, 0), (2, 1), (3, 2), (4, 3), (5, 2), (6, 5), (7, 6), (8, 7),
            (9, 2), (10, 9), (11, 10), (12, 11), (13, 0), (14, 13), (15, 14),
            (16, 15), (17, 0), (18, 17), (19, 18), (20, 19)],
    center=0,
    spine=(0, 2),
    shoulders=(10, 6))
# Computed on the whole sequence, so the first frame of a clip has the right velocity.
features = [
    dict(type='AlignView', layout=layout),
    dict(type='LabanEffort', layout=layout, variant='corrected', fps=15),
]
formatting = [
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs'),
]
# Three seconds at a constant frame rate; uniform sampling would change the speed.
frames = dict(type='SampleFrames', clip_len=24, frame_interval=2)
one_clip = dict(**frames, num_clips=1, test_mode=True)
ten_clips = dict(**frames, num_clips=10, test_mode=True)

train_pipeline = [*features, frames, *formatting]
val_pipeline = [*features, one_clip, *formatting]
test_pipeline = [*features, ten_clips, *formatting]

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file=ann_file, pipeline=train_pipeline, split='xcontent_train')))
val_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=val_pipeline, split='xcontent_val'))
test_dataloader = dict(
    dataset=dict(ann_file=ann_file, pipeline=test_pipeline, split='xcontent_val'))
