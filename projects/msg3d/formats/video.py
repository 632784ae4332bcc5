"""Reader for videos, with a 2D pose estimator and tracking.

A pose estimator is a callable that takes a frame, uint8 [H, W, 3] in BGR order as in
OpenCV. It returns the keypoints [P, V, 2] in pixels and the scores [P, V] of the P persons
in the frame. The models of rtmlib have this interface (see `video/rtmlib_pose.py`).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, SkipFile
from ..io.progress import progress
from ..preprocessing.tracks import Observations
from .base import Format, Pose, ReadOptions, Sample, Source
from .frames import NO_PERSON, to_tracks
from .persons import COUNTS, JOINTS

if TYPE_CHECKING:
    import cv2


def read_video(path: str, pose: Pose, max_persons: int = 5) -> Sample:
    """Read a video as a sequence of 2D joints.

    Args:
        path: path or URL that OpenCV can open.
        pose: pose estimator, as described in the module docstring.
        max_persons: maximum number of persons. Those with the highest total score are
            kept.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, 2], keypoint_score
        float32 [M, T, V], img_shape, unit), and `layout` 'coco' if the joints begin with
        the 17 COCO joints. If no person is detected, M is 0.

    Raises:
        DataError: the file is not a video, or the estimator returns wrong shapes.
        ImportError: OpenCV is not installed.
    """
    name = os.path.basename(path)  # noqa: PTH119  (also for URLs)
    poses, scores, shape, fps = _estimate(path, name, pose)
    frames = len(poses)
    sequence: Sample = {
        "frame_dir": name,
        "total_frames": frames,
        "keypoint": np.zeros((0, frames, len(JOINTS), 2), np.float32),
        "img_shape": shape,
        "unit": "px",
    }
    if fps is not None:
        sequence["fps"] = fps
    if not any(map(len, poses)):
        return sequence
    numbers = np.repeat(np.arange(frames), [len(persons) for persons in poses])
    keypoint = np.concatenate([persons for persons in poses if len(persons)])
    score = np.concatenate([persons for persons in scores if len(persons)])
    if keypoint.shape[1] in COUNTS:
        keypoint, score = keypoint[:, : len(JOINTS)], score[:, : len(JOINTS)]
        sequence["layout"] = "coco"
    observations = Observations(numbers, keypoint, score, [None] * len(keypoint))
    with suppress(SkipFile):  # all scores are zero
        sequence.update(to_tracks(name, observations, frames, max_persons))
    return sequence


def _estimate(
    path: str, name: str, pose: Pose
) -> tuple[list[np.ndarray], list[np.ndarray], tuple[int, int], float | None]:
    """Return poses and scores of each frame, (height, width), and frame rate."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            f"videos require OpenCV ({error}). Install it with `pip install "
            "opencv-python-headless`."
        ) from error
    capture = cv2.VideoCapture(path)
    poses: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    shape: tuple[int, int] | None = None
    joints: int | None = None
    total = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    images = _images(capture)
    for image in progress(images, name, total, unit="frame", leave=False):
        shape = shape or (image.shape[0], image.shape[1])
        keypoint, score = (np.asarray(array, np.float32) for array in pose(image))
        if len(keypoint):
            _check(keypoint, score, joints, len(poses))
            joints = keypoint.shape[1]
        poses.append(keypoint)
        scores.append(score)
    capture.release()
    if shape is None:
        raise DataError(
            "OpenCV cannot read this file as a video. Convert it to .mp4 (H.264).",
            kind="corrupt",
        )
    return poses, scores, shape, fps if 0 < fps < 1e4 else None


def _images(capture: "cv2.VideoCapture") -> Iterator[np.ndarray]:
    while True:
        success, image = capture.read()
        if not success:
            return
        yield image


def _check(keypoint: Any, score: Any, joints: int | None, frame: int) -> None:
    valid = keypoint.ndim == 3 and keypoint.shape[2] == 2
    if not valid or score.shape != keypoint.shape[:2]:
        raise DataError(
            f"the pose estimator returned keypoints of shape {keypoint.shape} and scores "
            f"of shape {score.shape} for frame {frame}, expected [P, V, 2] and [P, V]",
            kind="shape",
        )
    if joints not in (None, keypoint.shape[1]):
        raise DataError(
            f"the pose estimator returned {keypoint.shape[1]} joints in frame {frame}, "
            f"expected {joints} as in earlier frames",
            kind="layout",
        )


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    if options.pose is None:
        raise DataError(
            "videos require a pose estimator. Pass --pose-model MODEL.onnx, or a file "
            "with keypoints instead of the video.",
            kind="option",
        )
    with source.on_disk() as path:
        sequence = read_video(path, options.pose, options.max_persons)
    if not len(sequence["keypoint"]):
        raise SkipFile(NO_PERSON)
    return [dict(sequence, frame_dir=source.id)]


FORMAT = Format(
    name="video",
    title="Video, with a pose estimator",
    keeps="joints and scores of the pose estimator, image size, frame rate",
    suffixes=(".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"),
    detect=lambda source: True,
    read=_read,
    needs=("pose",),
)
