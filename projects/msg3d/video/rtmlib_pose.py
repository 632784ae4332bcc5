"""Pose estimation with rtmlib's models, from ONNX files."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RtmlibPose:
    """A pose estimator: frame -> keypoints [P, 17, 2] and scores [P, 17].

    Its `repr` names the models, so that results can be stored under it.

    Attributes:
        pose_model, det_model, device: as given to `rtmlib_pose`.
        estimate, detect: models of rtmlib; `detect` is None if the first one detects
            persons itself.
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
            # Without boxes, RTMPose takes the whole image for a person.
            return np.zeros((0, 17, 2)), np.zeros((0, 17))
        return self.estimate(image, bboxes=boxes)


def rtmlib_pose(
    pose_model: str, det_model: str | None = None, device: str = "cpu"
) -> RtmlibPose:
    """Load a pose estimator from local ONNX files; nothing is downloaded.

    Args:
        pose_model: with `det_model`, an RTMPose, which estimates one person; without,
            an RTMO, which detects all persons itself.
        det_model: a YOLOX that detects persons.
        device: "cpu", "cuda", or another that rtmlib knows.

    Raises:
        ImportError: rtmlib or onnxruntime is not installed.
        FileNotFoundError: a model does not exist.
    """
    # rtmlib would take the name of a missing file for a URL.
    for path in filter(None, (pose_model, det_model)):
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"pose model {path} does not exist. Give an ONNX file, such as one of "
                "the models that rtmlib's README lists, downloaded and unpacked"
            )
    try:
        from rtmlib import RTMO, YOLOX, RTMPose
    except ImportError as error:
        raise ImportError(
            f"poses of a video need rtmlib ({error}): pip install rtmlib, or give "
            "keypoints of another estimator"
        ) from error

    with redirect_stdout(sys.stderr):  # the models print messages
        options = {"backend": "onnxruntime", "device": device}
        if det_model is None:
            estimate = _sized(RTMO(pose_model, **options), height_first=True)
            return RtmlibPose(pose_model, None, device, estimate, None)
        detect = _sized(YOLOX(det_model, det_mode="human", **options), True)
        estimate = _sized(RTMPose(pose_model, **options), height_first=False)
    return RtmlibPose(pose_model, det_model, device, estimate, detect)


def _sized(model: Any, height_first: bool) -> Any:
    """Set the input size of a model from its file, instead of the assumed one."""
    height, width = model.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        size = (height, width) if height_first else (width, height)
        model.model_input_size = size
    return model
