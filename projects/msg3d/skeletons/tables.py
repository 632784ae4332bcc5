"""Tables of the named skeleton layouts.

Each table lists the joints in the order of the keypoint arrays, and the edges as chains
that lead inward (see `chains.py`). `*` stands for both left and right.

The layouts coco, openpose, and nturgb+d are from MMAction2's Graph and JointToBone. For the
sources of other layouts, see the comment above each table.
"""

from .chains import alternating, layout_of, sided
from .layout import Skeleton

TRUNK = ("left_hip right_hip", "left_shoulder right_shoulder")

_FACE = "*_eye *_ear"
_ARM = "*_shoulder *_elbow *_wrist"
_LEG = "*_hip *_knee *_ankle"

# In MMAction2's bone stream, the parent of the hips is the nose.
_COCO = layout_of(
    joints="nose " + alternating(f"{_FACE} {_ARM} {_LEG}"),
    chains=(
        "*_ankle *_knee *_hip *_shoulder nose",
        "*_wrist *_elbow *_shoulder",
        "*_ear *_eye nose",
    ),
    spine=TRUNK,
    bones=("*_hip nose",),
)

# OpenPose lists the right side first.
_OPENPOSE_BODY = (
    "right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
)
_OPENPOSE_LEGS = "right_hip right_knee right_ankle left_hip left_knee left_ankle"
_OPENPOSE_FACE = "right_eye left_eye right_ear left_ear"

# OpenPose's COCO model, and Kinetics-skeleton. The root of the bones is the nose, as in
# published code. The root of the graph is the neck.
_OPENPOSE = layout_of(
    joints=f"nose neck {_OPENPOSE_BODY} {_OPENPOSE_LEGS} {_OPENPOSE_FACE}",
    chains=(
        "*_ankle *_knee *_hip *_shoulder neck",
        "*_wrist *_elbow *_shoulder",
        "*_ear *_eye nose neck",
    ),
    spine=("left_hip right_hip", "neck"),
    bones=("nose nose", "neck nose"),
)

# OpenPose's BODY_25, with the edges of its part affinity fields.
_OPENPOSE25 = layout_of(
    joints=f"nose neck {_OPENPOSE_BODY} mid_hip {_OPENPOSE_LEGS} {_OPENPOSE_FACE} "
    + sided("*_big_toe *_small_toe *_heel"),
    chains=(
        "*_ankle *_knee *_hip mid_hip neck",
        "*_wrist *_elbow *_shoulder neck",
        "*_ear *_eye nose neck",
        "*_small_toe *_big_toe *_ankle",
        "*_heel *_ankle",
    ),
    spine=("mid_hip", "neck"),
)

_KINECT_ARMS_AND_LEGS = (
    sided("*_shoulder *_elbow *_wrist *_hand")
    + " "
    + sided("*_hip *_knee *_ankle *_foot")
)
_NTU_JOINTS = (
    f"spine_base spine_mid neck head {_KINECT_ARMS_AND_LEGS} spine_shoulder "
    + sided("*_hand_tip *_thumb")
)
_NTU_CHAINS = (
    "*_foot *_ankle *_knee *_hip spine_base spine_mid spine_shoulder",
    "*_hand *_wrist *_elbow *_shoulder spine_shoulder",
    "head neck spine_shoulder",
)

# Kinect v2. In the graph, as in MMAction2, the parent of both hand tip and thumb is the
# hand. In the bone stream, as in MMAction2 and MS-G3D, the parent of the tip is the thumb.
_NTU = layout_of(
    joints=_NTU_JOINTS,
    chains=(*_NTU_CHAINS, "*_hand_tip *_hand", "*_thumb *_hand"),
    spine=("spine_base", "spine_mid"),
    bones=("*_hand_tip *_thumb",),
)

# The same joints with the edges of MS-G3D's authors (graph/ntu_rgb_d.py).
_KINECT25 = layout_of(
    joints=_NTU_JOINTS,
    chains=(*_NTU_CHAINS, "*_hand_tip *_thumb *_hand"),
    spine=("spine_base", "spine_mid"),
)

# Kinect v1.
_KINECT20 = layout_of(
    joints=f"hip_center spine shoulder_center head {_KINECT_ARMS_AND_LEGS}",
    chains=(
        "*_foot *_ankle *_knee *_hip hip_center spine shoulder_center",
        "*_hand *_wrist *_elbow *_shoulder shoulder_center",
        "head shoulder_center",
    ),
    spine=("hip_center", "spine"),
)

# The kinematic tree of SMPL (Loper et al., SIGGRAPH Asia 2015), with the chest as the
# center, as in published 24-joint graphs.
_SMPL24 = layout_of(
    joints="pelvis left_hip right_hip spine1 left_knee right_knee spine2 "
    "left_ankle right_ankle spine3 left_foot right_foot neck left_collar "
    "right_collar head " + alternating(f"{_ARM} *_hand"),
    chains=(
        "*_foot *_ankle *_knee *_hip pelvis spine1 spine2 spine3",
        "*_hand *_wrist *_elbow *_shoulder *_collar spine3",
        "head neck spine3",
    ),
    spine=("pelvis", "spine2"),
)

# Human3.6M's 17 joints in the order of Martinez et al. (ICCV 2017) and VideoPose3D.
# Joint 9 is the neck in the motion capture data, and the nose in lifted 2D detections.
_H36M17 = layout_of(
    joints="pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle "
    "spine thorax neck_nose head left_shoulder left_elbow left_wrist "
    "right_shoulder right_elbow right_wrist",
    chains=(
        "*_wrist *_elbow *_shoulder thorax spine pelvis",
        "*_ankle *_knee *_hip pelvis",
        "head neck_nose thorax",
    ),
    spine=("pelvis", "thorax"),
)

# MediaPipe / BlazePose (Bazarevsky et al., 2020). MediaPipe's connections have cycles and
# do not include the face. This is a tree with the nose as the center, as in COCO.
_MEDIAPIPE33 = layout_of(
    joints="nose " + sided("*_eye_inner *_eye *_eye_outer") + " "
    "left_ear right_ear left_mouth right_mouth "
    + alternating(f"{_ARM} *_pinky *_index *_thumb {_LEG} *_heel *_foot_index"),
    chains=(
        "*_foot_index *_ankle *_knee *_hip *_shoulder nose",
        "*_heel *_ankle",
        "*_wrist *_elbow *_shoulder",
        "*_pinky *_wrist",
        "*_index *_wrist",
        "*_thumb *_wrist",
        "*_ear *_eye_outer *_eye *_eye_inner nose",
        "*_mouth nose",
    ),
    spine=TRUNK,
)

_FINGERS = ("index", "middle", "ring", "pinky")

# One hand, in the order of OpenPose and MediaPipe. The palm serves as the trunk, and the
# row of knuckles as the shoulders.
_HAND21 = layout_of(
    joints="wrist thumb_cmc thumb_mcp thumb_ip thumb_tip "
    + " ".join(f"{name}_mcp {name}_pip {name}_dip {name}_tip" for name in _FINGERS),
    chains=(
        "thumb_tip thumb_ip thumb_mcp thumb_cmc wrist",
        *(f"{name}_tip {name}_dip {name}_pip {name}_mcp wrist" for name in _FINGERS),
    ),
    spine=("wrist", "middle_mcp"),
    shoulders=("pinky_mcp", "index_mcp"),
)

# SBU Kinect Interaction (Yun et al., CVPRW 2012), with the joints of OpenNI.
_SBU15 = layout_of(
    joints="head neck torso "
    + sided("*_shoulder *_elbow *_hand")
    + " "
    + sided("*_hip *_knee *_foot"),
    chains=(
        "*_foot *_knee *_hip torso neck",
        "*_hand *_elbow *_shoulder neck",
        "head neck",
    ),
    spine=("torso", "neck"),
)

# Penn Action (Zhang, Zhu, Derpanis, ICCV 2013) defines no edges; these are our choice.
_PENN13 = layout_of(
    joints="head " + alternating(f"{_ARM} {_LEG}"),
    chains=(
        "head left_shoulder",
        "right_shoulder left_shoulder",
        "*_ankle *_knee *_hip *_shoulder",
        "*_wrist *_elbow *_shoulder",
    ),
    spine=TRUNK,
)

# Among layouts with the same number of joints, the most common comes first, since error
# messages suggest the first.
SKELETONS: dict[str, Skeleton] = {
    "coco": _COCO,
    "openpose": _OPENPOSE,
    "nturgb+d": _NTU,
    "kinect20": _KINECT20,
    "kinect25": _KINECT25,
    "openpose25": _OPENPOSE25,
    "smpl24": _SMPL24,
    "h36m17": _H36M17,
    "mediapipe33": _MEDIAPIPE33,
    "hand21": _HAND21,
    "sbu15": _SBU15,
    "penn13": _PENN13,
}
