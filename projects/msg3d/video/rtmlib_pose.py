"""Pose estimation with rtmlib and local ONNX models."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RtmlibPose:
    """Pose estimator returned by `rtmlib_pose`.

    Call it with an image (uint8 [H, W, 3], BGR) to get the keypoints [P, 17, 2] of P
    persons in pixels, and their scores [P, 17]. The `repr` includes the paths of the
    models, so it can serve as a cache key for results.

    Attributes:
        pose_model, det_model, device: arguments of `rtmlib_pose`.
        estimate: rtmlib model, a callable that returns keypoints and scores of an image.
        detect: rtmlib model, a callable that returns the boxes of the persons in an
            image. None if `estimate` also detects persons.
    """

    pose_model: str
    det_model: str | None
    device: str
    estimate: Callable[..., tuple[np.ndarray, np.ndarray]] = field(repr=False)
    detect: Callable[[np.ndarray], np.ndarray] | None = field(repr=False)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.detect is None:
            return self.estimate(image)
        boxes = self.detect(image)
        if not len(boxes):
            # Without boxes, RTMPose treats the entire image as one person.
            return np.zeros((0, 17, 2)), np.zeros((0, 17))
        return self.estimate(image, bboxes=boxes)


def rtmlib_pose(
    pose_model: str, det_model: str | None = None, device: str = "cpu"
) -> RtmlibPose:
    """Load a pose estimator from local ONNX files, without any download.

    Args:
        pose_model: path of an RTMPose model if `det_model` is specified, otherwise of an
            RTMO model, which also detects persons.
        det_model: path of a YOLOX model that detects persons.
        device: "cpu", "cuda", or another device that rtmlib supports.

    Raises:
        ImportError: rtmlib or ONNX Runtime is not installed.
        FileNotFoundError: the file of a model does not exist.
    """
    # rtmlib would interpret the path of a missing file as a URL.
    for path in filter(None, (pose_model, det_model)):
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"the model {path} does not exist, expected a local ONNX file. Download "
                "and unpack one of the models listed in the README of rtmlib."
            )
    try:
        from rtmlib import RTMO, YOLOX, RTMPose
    except ImportError as error:
        raise ImportError(
            f"pose estimation in videos requires rtmlib ({error}). Install it with `pip "
            "install rtmlib`, or use keypoints of another pose estimator."
        ) from error

    with redirect_stdout(sys.stderr):  # the models print messages
        options = {"backend": "onnxruntime", "device": device}
        if det_model is None:
            estimate = _set_size(RTMO(pose_model, **options), height_first=True)
            return RtmlibPose(pose_model, None, device, estimate, None)
        detect = _set_size(YOLOX(det_model, det_mode="human", **options), True)
        estimate = _set_size(RTMPose(pose_model, **options), height_first=False)
    return RtmlibPose(pose_model, det_model, device, estimate, detect)


def _set_size(model: Any, height_first: bool) -> Any:
    """Set the input size of an rtmlib model to that of its ONNX file.

    Args:
        model: the rtmlib model.
        height_first: whether the class of the model stores (height, width) instead of
            (width, height).

    Returns:
        The same model.
    """
    height, width = model.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        size = (height, width) if height_first else (width, height)
        model.model_input_size = size
    return model
