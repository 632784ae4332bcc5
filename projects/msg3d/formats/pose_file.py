"""Reader for `.pose` files of pose-format (https://github.com/sign-language-processing/pose).

Requires the package pose-format (`pip install msg3d[pose]`). The components of MediaPipe's
body (POSE_LANDMARKS) and of OpenPose (pose_keypoints_2d, BODY_25) are read as 2D pixels with
scores. Other components, such as hands and faces, are not read.
"""

import numpy as np

from ..errors import DataError, SkipFile
from .base import Format, ReadOptions, Sample, Source
from .frames import NO_PERSON

COMPONENTS = {
    "POSE_LANDMARKS": ("mediapipe33", 33),
    "pose_keypoints_2d": ("openpose25", 25),
}


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    try:
        from pose_format import Pose
    except ImportError as error:
        raise DataError(
            "reading .pose files requires the package pose-format. Run `pip install "
            "msg3d[pose]`.",
            kind="missing-package",
        ) from error
    try:
        pose = Pose.read(source.content)
    except Exception as error:  # whatever its parser raises for corrupt files
        raise DataError(
            f"the file is corrupt, or not a .pose file ({error!r:.80})", kind="corrupt"
        ) from error
    first = 0
    for component in pose.header.components:
        if component.name in COMPONENTS:
            break
        first += len(component.points)
    else:
        names = ", ".join(component.name for component in pose.header.components)
        raise DataError(
            f"the file has the components {names:.200}, expected "
            f"{' or '.join(COMPONENTS)}",
            kind="layout",
        )
    layout, joints = COMPONENTS[component.name]
    if len(component.points) != joints:
        raise DataError(
            f"{component.name} has {len(component.points)} points, expected {joints}",
            kind="layout",
        )
    chosen = slice(first, first + joints)
    values = np.ma.filled(pose.body.data[:, :, chosen, :2], 0).swapaxes(0, 1)
    scores = np.asarray(pose.body.confidence)[:, :, chosen].swapaxes(0, 1)
    keypoint = np.where(scores[..., None] > 0, values, 0).astype(np.float32)
    if not keypoint.any():
        raise SkipFile(NO_PERSON)
    present = keypoint.any(axis=(1, 2, 3))
    size = pose.header.dimensions
    return [
        {
            "frame_dir": source.id,
            "total_frames": keypoint.shape[1],
            "keypoint": keypoint[present],
            "keypoint_score": scores[present].astype(np.float32),
            "layout": layout,
            "unit": "px",
            "img_shape": (int(size.height), int(size.width)),
            "fps": float(pose.body.fps),
        }
    ]


FORMAT = Format(
    name="pose_file",
    title="pose-format (.pose)",
    keeps="joints of the body, scores, image size, frame rate",
    suffixes=(".pose",),
    detect=lambda source: True,
    read=_read,
)
