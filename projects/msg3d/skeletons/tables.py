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

# Two hands, the left hand first. An edge between the wrists joins the two trees.
_HANDS42 = layout_of(
    joints=sided(" ".join(f"*_{joint}" for joint in _HAND21.joints)),
    chains=(
        *(
            f"*_{name}_tip *_{name}_dip *_{name}_pip *_{name}_mcp *_wrist"
            for name in _FINGERS
        ),
        "*_thumb_tip *_thumb_ip *_thumb_mcp *_thumb_cmc *_wrist",
        "right_wrist left_wrist",
    ),
    spine=None,
    shoulders=None,
)

# Azure Kinect, with the hierarchy of its Body Tracking SDK.
_AZURE_KINECT32 = layout_of(
    joints="pelvis spine_navel spine_chest neck "
    + sided(f"*_clavicle {_ARM} *_hand *_hand_tip *_thumb")
    + " "
    + sided(f"{_LEG} *_foot")
    + " head nose "
    + sided("*_eye *_ear"),
    chains=(
        "*_foot *_ankle *_knee *_hip pelvis",
        "*_hand_tip *_hand *_wrist *_elbow *_shoulder *_clavicle spine_chest",
        "*_thumb *_wrist",
        "head neck spine_chest spine_navel pelvis",
        "nose head",
        "*_eye head",
        "*_ear head",
    ),
    spine=("pelvis", "spine_chest"),
)

# The body of NVIDIA's Maxine SDK, and layout "nvidia" of TAO's pose classification, without
# its edges from the hips to the shoulders, which form cycles.
_NVIDIA34 = layout_of(
    joints="pelvis left_hip right_hip torso left_knee right_knee neck "
    + alternating("*_ankle *_big_toe *_small_toe *_heel")
    + " nose "
    + alternating(
        f"{_FACE} {_ARM} *_pinky_knuckle *_middle_tip *_index_knuckle *_thumb_tip"
    ),
    chains=(
        "*_small_toe *_big_toe *_ankle *_knee *_hip pelvis",
        "*_heel *_ankle",
        "*_pinky_knuckle *_wrist *_elbow *_shoulder neck torso pelvis",
        "*_middle_tip *_wrist",
        "*_index_knuckle *_wrist",
        "*_thumb_tip *_wrist",
        "*_ear *_eye nose neck",
    ),
    spine=("pelvis", "neck"),
)

# Halpe (Li et al., CVPR 2020) with 26 joints, as in AlphaPose and MMPose, whose edges have
# cycles between ears and shoulders. Here, the nose is connected to the neck.
_HALPE26 = layout_of(
    joints="nose "
    + alternating(f"{_FACE} {_ARM} {_LEG}")
    + " head neck mid_hip "
    + alternating("*_big_toe *_small_toe *_heel"),
    chains=(
        "*_big_toe *_ankle *_knee *_hip mid_hip neck",
        "*_small_toe *_ankle",
        "*_heel *_ankle",
        "*_wrist *_elbow *_shoulder neck",
        "*_ear *_eye nose neck",
        "head neck",
    ),
    spine=("mid_hip", "neck"),
)

# J-HMDB (Jhuang et al., ICCV 2013). Joint 2 is the face.
_JHMDB15 = layout_of(
    joints="neck belly head "
    + " ".join(
        f"right_{name} left_{name}"
        for name in ("shoulder", "hip", "elbow", "knee", "wrist", "ankle")
    ),
    chains=(
        "*_ankle *_knee *_hip belly neck",
        "*_wrist *_elbow *_shoulder neck",
        "head neck",
    ),
    spine=("belly", "neck"),
)

# Landmarks of the face as right -> left, in the numbering of 300-W. The others are in the
# middle. A landmark on the left has the number of its counterpart on the right.
_FACE_RIGHT = (*range(8), *range(17, 22), 31, 32, *range(36, 42))
_FACE_LEFT = (*range(16, 8, -1), *range(26, 21, -1), 35, 34, 45, 44, 43, 42, 47, 46)
_MOUTH = (
    (48, 54),
    (49, 53),
    (50, 52),
    (59, 55),
    (58, 56),
    (60, 64),
    (61, 63),
    (67, 65),
)
_FACE_PAIRS = dict((*zip(_FACE_RIGHT, _FACE_LEFT, strict=True), *_MOUTH))
_FACE_NAMES = (
    {number: f"face_{number}" for number in range(68)}
    | {right: f"right_face_{right}" for right in _FACE_PAIRS}
    | {left: f"left_face_{right}" for right, left in _FACE_PAIRS.items()}
)


def _face_chain(*numbers: int) -> str:
    """Return a chain of landmarks, for both sides if it begins on the right."""
    names = (_FACE_NAMES[number] for number in numbers)
    return " ".join(names).replace("right_", "*_")


# COCO-WholeBody (Jin et al., ECCV 2020): COCO's joints, feet, face, and hands. The data set
# defines no tree; these edges are our choice.
_HAND_JOINTS = ("hand_root", *_HAND21.joints[1:])
_COCO_WHOLEBODY133 = layout_of(
    joints=" ".join(_COCO.joints)
    + " "
    + sided("*_big_toe *_small_toe *_heel")
    + " "
    + " ".join(_FACE_NAMES.values())
    + " "
    + sided(" ".join(f"*_{name}" for name in _HAND_JOINTS)),
    chains=(
        "*_big_toe *_ankle *_knee *_hip *_shoulder nose",
        "*_small_toe *_ankle",
        "*_heel *_ankle",
        "*_hand_root *_wrist *_elbow *_shoulder",
        *(
            f"*_{name}_tip *_{name}_dip *_{name}_pip *_{name}_mcp *_hand_root"
            for name in _FINGERS
        ),
        "*_thumb_tip *_thumb_ip *_thumb_mcp *_thumb_cmc *_hand_root",
        _face_chain(3, 2, 1, 0) + " *_ear *_eye nose",
        _face_chain(4, 5, 6, 7, 8, 57, 51, 33, 30) + " nose",
        _face_chain(17, 18, 19, 20, 21, 27, 28, 29, 30),
        _face_chain(36, 37, 38, 39, 27),
        _face_chain(41, 40, 39),
        _face_chain(31, 32, 33),
        _face_chain(48, 49, 50, 51),
        _face_chain(59, 58, 57),
        _face_chain(60, 61, 62, 51),
        _face_chain(67, 66, 62),
    ),
    spine=TRUNK,
    bones=("*_hip nose",),
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
    "azure-kinect32": _AZURE_KINECT32,
    "nvidia34": _NVIDIA34,
    "halpe26": _HALPE26,
    "coco-wholebody133": _COCO_WHOLEBODY133,
    "jhmdb15": _JHMDB15,
    "hands42": _HANDS42,
}
