"""Videos, with a 2D pose estimator and tracking.

A pose estimator is a function of a frame, uint8 [H, W, 3] in the order of OpenCV (blue,
green, red), that returns the persons in it: keypoints [P, V, 2] in pixels and scores
[P, V]. Every model of rtmlib is one; see `video/rtmlib_pose.py`.
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
from .frames import NOBODY, to_tracks
from .persons import COUNTS, JOINTS

if TYPE_CHECKING:
    import cv2


def read_video(path: str, pose: Pose, max_persons: int = 5) -> Sample:
    """Read a video as a sequence of 2D joints.

    Args:
        path: anything that OpenCV opens.
        pose: the pose estimator.
        max_persons: maximum number of rows, those with the largest sum of scores.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, 2], keypoint_score
        float32 [M, T, V], img_shape, unit), and `layout` 'coco' if the joints are, or
        begin with, COCO's 17. If no person is detected, M is 0.

    Raises:
        DataError: not a video, or the estimator returns arrays of other shapes.
        ImportError: OpenCV is not installed.
    """
    name = os.path.basename(path)  # noqa: PTH119  (of a URL, too)
    poses, scores, shape = _estimate(path, name, pose)
    frames = len(poses)
    sequence: Sample = {
        "frame_dir": name,
        "total_frames": frames,
        "keypoint": np.zeros((0, frames, len(JOINTS), 2), np.float32),
        "img_shape": shape,
        "unit": "px",
    }
    if not any(map(len, poses)):
        return sequence
    numbers = np.repeat(np.arange(frames), [len(each) for each in poses])
    keypoint = np.concatenate([each for each in poses if len(each)])
    score = np.concatenate([each for each in scores if len(each)])
    if keypoint.shape[1] in COUNTS:
        keypoint, score = keypoint[:, : len(JOINTS)], score[:, : len(JOINTS)]
        sequence["layout"] = "coco"
    observations = Observations(numbers, keypoint, score, [None] * len(keypoint))
    with suppress(SkipFile):  # every score is zero
        sequence.update(to_tracks(name, observations, frames, max_persons))
    return sequence


def _estimate(
    path: str, name: str, pose: Pose
) -> tuple[list[np.ndarray], list[np.ndarray], tuple[int, int]]:
    """Return poses and scores of each frame, and (height, width)."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            f"videos require OpenCV ({error}): pip install opencv-python-headless"
        ) from error
    capture = cv2.VideoCapture(path)
    poses: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    shape: tuple[int, int] | None = None
    joints: int | None = None
    total = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
    images = _images(capture)
    for image in progress(images, name, total, unit="frame", leave=False):
        shape = shape or (image.shape[0], image.shape[1])
        keypoint, score = (np.asarray(each, np.float32) for each in pose(image))
        if len(keypoint):
            _check(keypoint, score, joints, len(poses))
            joints = keypoint.shape[1]
        poses.append(keypoint)
        scores.append(score)
    capture.release()
    if shape is None:
        raise DataError(
            "is not a video that OpenCV can read. Convert it to .mp4 (H.264)",
            kind="corrupt",
        )
    return poses, scores, shape


def _images(capture: "cv2.VideoCapture") -> Iterator[np.ndarray]:
    while True:
        read, image = capture.read()
        if not read:
            return
        yield image


def _check(keypoint: Any, score: Any, joints: int | None, frame: int) -> None:
    fits = keypoint.ndim == 3 and keypoint.shape[2] == 2
    if not fits or score.shape != keypoint.shape[:2]:
        raise DataError(
            f"the pose estimator returned keypoints {keypoint.shape} and scores "
            f"{score.shape} for frame {frame}, expected [P, V, 2] and [P, V]",
            kind="shape",
        )
    if joints not in (None, keypoint.shape[1]):
        raise DataError(
            f"the pose estimator returned {keypoint.shape[1]} joints in frame {frame} "
            f"and {joints} before, expected the same number",
            kind="layout",
        )


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    if options.pose is None:
        raise DataError(
            "is a video, but there is no pose estimator. Give --pose-model MODEL.onnx, "
            "or keypoints instead of the video",
            kind="option",
        )
    with source.on_disk() as path:
        sequence = read_video(path, options.pose, options.max_persons)
    if not len(sequence["keypoint"]):
        raise SkipFile(NOBODY)
    return [dict(sequence, frame_dir=source.id)]


FORMAT = Format(
    name="video",
    title="Video, with a pose estimator",
    suffixes=(".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"),
    detect=lambda source: True,
    read=_read,
    needs=("pose",),
)
