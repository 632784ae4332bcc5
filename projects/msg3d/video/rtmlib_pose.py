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
    """Pose estimator: image -> keypoints [P, 17, 2] and scores [P, 17].

    Its `repr` includes the models, so it can serve as a cache key for results.

    Attributes:
        pose_model, det_model, device: arguments of `rtmlib_pose`.
        estimate, detect: models of rtmlib; `detect` is None if `estimate` also detects
            persons.
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
    """Load a pose estimator from local ONNX files, without downloading anything.

    Args:
        pose_model: an RTMPose model if `det_model` is specified, otherwise an RTMO model,
            which also detects persons.
        det_model: a YOLOX model that detects persons.
        device: "cpu", "cuda", or another device that rtmlib supports.

    Raises:
        ImportError: rtmlib or onnxruntime is not installed.
        FileNotFoundError: a model does not exist.
    """
    # rtmlib would interpret the path of a missing file as a URL.
    for path in filter(None, (pose_model, det_model)):
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"pose model {path} does not exist, expected a local ONNX file. Download "
                "and unpack one of the models listed in the README of rtmlib"
            )
    try:
        from rtmlib import RTMO, YOLOX, RTMPose
    except ImportError as error:
        raise ImportError(
            f"pose estimation in videos requires rtmlib ({error}): pip install rtmlib, or "
            "use keypoints of another pose estimator"
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
    """Set the input size of a model from its file, and return the model."""
    height, width = model.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        size = (height, width) if height_first else (width, height)
        model.model_input_size = size
    return model
