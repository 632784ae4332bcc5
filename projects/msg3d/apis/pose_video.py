"""Videos as sequences, by a 2D pose estimator and tracking.

An estimator is any function of a frame, uint8 [H, W, 3] in OpenCV's order (blue, green,
red), that gives the persons in it: keypoints [P, V, 2] in pixels and scores [P, V].
Every model of rtmlib is one. The persons of all frames become rows by the Hungarian
method, as those of estimators' files do (`tracks.py`).
"""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Optional

import cv2
import numpy as np
from tqdm import tqdm

from ..converters.coco_json import COUNTS
from ..errors import DataError
from ..preprocessing.tracks import Observations, join_tracks

Pose = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg")


def read_video(path: str, pose: Pose, max_persons: int) -> dict:
    """A video as a sequence of 2D joints.

    Args:
        path: anything that OpenCV opens.
        pose: the estimator.
        max_persons: rows at most, those of the largest sum of scores.

    Returns:
        dict(keypoint float32 [M, T, V, 2], keypoint_score float32 [M, T, V],
        img_shape), and `layout` 'coco' where the joints are, or begin with, COCO's 17;
        M is 0 if nobody is seen.

    Raises:
        DataError: no video, or the estimator gives arrays of other shapes.
    """
    capture = cv2.VideoCapture(path)
    when, poses, scores, shape = [], [], [], None
    frames = 0
    total = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
    name = os.path.basename(path)
    with tqdm(total=total, unit="frame", desc=name, leave=False, disable=None) as bar:
        while True:
            read, image = capture.read()
            if not read:
                break
            shape = shape or image.shape[:2]
            keypoint, score = (np.asarray(one, np.float32) for one in pose(image))
            _check(keypoint, score, poses, frames)
            when += [frames] * len(keypoint)
            poses.append(keypoint)
            scores.append(score)
            frames += 1
            bar.update()
    capture.release()
    if not frames:
        raise DataError("is no video that OpenCV can read: convert it to .mp4 (H.264)")
    some = [number for number, one in enumerate(poses) if len(one)]
    if not some:
        return dict(keypoint=np.zeros((0, frames, 17, 2), np.float32), img_shape=shape)
    poses = np.concatenate([poses[number] for number in some])
    scores = np.concatenate([scores[number] for number in some])
    coco = poses.shape[1] in COUNTS
    if coco:
        poses, scores = poses[:, :17], scores[:, :17]
    found = Observations(np.array(when), poses, scores, [None] * len(poses))
    keypoint, score, _ = join_tracks(found, frames, max_persons)
    sequence = dict(keypoint=keypoint, keypoint_score=score, img_shape=shape)
    return dict(sequence, layout="coco") if coco else sequence


def rtmlib_pose(
    pose_model: str, det_model: Optional[str] = None, device: str = "cpu"
) -> Pose:
    """An estimator of rtmlib, from ONNX files that are there: nothing is downloaded.

    Args:
        pose_model: with `det_model` an RTMPose, which sees one person; without, an
            RTMO, which finds everybody by itself.
        det_model: a YOLOX that finds persons.
        device: "cpu", "cuda", or another that rtmlib knows.

    Raises:
        ImportError: rtmlib or onnxruntime is not installed.
        FileNotFoundError: no such model.
    """
    # rtmlib would take the name of a file that is not there for an address.
    for path in filter(None, (pose_model, det_model)):
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"pose model {path} does not exist: give an ONNX file, such as one of "
                "the models that rtmlib's README lists, downloaded and unpacked"
            )
    try:
        from rtmlib import RTMO, YOLOX, RTMPose
    except ImportError as error:
        raise ImportError(
            f"poses of a video need rtmlib ({error}): pip install rtmlib, or give "
            "keypoints of another estimator"
        ) from error

    with redirect_stdout(sys.stderr):  # they announce themselves
        options = dict(backend="onnxruntime", device=device)
        if det_model is None:
            return _sized(RTMO(pose_model, **options), height_first=True)
        detect = _sized(YOLOX(det_model, det_mode="human", **options), True)
        estimate = _sized(RTMPose(pose_model, **options), height_first=False)

    def pose(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        boxes = detect(image)
        if not len(boxes):
            # RTMPose without boxes takes the whole image for a person.
            return np.zeros((0, 17, 2)), np.zeros((0, 17))
        return estimate(image, bboxes=boxes)

    return pose


def _sized(model, height_first: bool):
    """A model of rtmlib, its input size read from the file instead of assumed."""
    height, width = model.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        size = (height, width) if height_first else (width, height)
        model.model_input_size = size
    return model


def _check(keypoint, score, poses, frame: int) -> None:
    joints = next((one.shape[1] for one in poses if len(one)), None)
    if not len(keypoint):
        return
    fits = keypoint.ndim == 3 and keypoint.shape[2] == 2
    if not fits or score.shape != keypoint.shape[:2]:
        raise DataError(
            f"the pose estimator gave keypoints {keypoint.shape} and scores "
            f"{score.shape} for frame {frame}, expected [P, V, 2] and [P, V]"
        )
    if joints not in (None, keypoint.shape[1]):
        raise DataError(
            f"the pose estimator gave {keypoint.shape[1]} joints in frame {frame} and "
            f"{joints} before, expected one number"
        )
