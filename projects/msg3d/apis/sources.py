"""Which files of a folder are sequences, and what one has to know to read them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..errors import DataError
from ..formats.estimator_guess import guess_form
from ..formats.estimator_json import read_persons
from ..io.json_data import read_json
from ..stores.store_format import HEADER
from .keypoint_input import (
    Layout,
)
from .openpose_frames import is_openpose_frame
from .pose_video import SUFFIXES as VIDEOS
from .pose_video import Pose

SUFFIXES = (".pkl", ".npy", ".json", ".csv", *VIDEOS)


@dataclass(frozen=True)
class Reading:
    """What files do not say themselves.

    Attributes:
        layout: of keypoints whose file does not name one; None for the network's.
        unit: one of `keypoint_input.UNITS`; None for metres or pixels.
        img_shape: (height, width) of images whose file does not say it.
        split: of annotation files; None for all samples.
        max_persons: rows a sequence at most.
        pose: estimator for videos; see `pose_video`.
    """

    layout: Optional[Layout] = None
    unit: Optional[str] = None
    img_shape: Optional[tuple[int, int]] = None
    split: Optional[str] = None
    max_persons: int = 5
    pose: Optional[Pose] = None


def list_sources(path: str, leave_out: str) -> list[str]:
    """The files below a folder that can be read, sorted, or the file itself.

    Args:
        path: file or folder. A folder of JSON files of a frame each is one source, and
            so is a packed store.
        leave_out: a folder that is not looked into.

    Raises:
        DataError: there is nothing.
    """
    if os.path.isfile(path) or is_store(path):
        return [path]
    if not os.path.isdir(path):
        raise DataError(f"{path} does not exist: name a file or a folder")
    found: list[str] = []
    for folder, folders, files in os.walk(path, followlinks=True):
        folders[:] = sorted(
            one
            for one in folders
            if os.path.realpath(os.path.join(folder, one))
            != os.path.realpath(leave_out)
        )
        found += [os.path.join(folder, one) for one in folders if is_store(one, folder)]
        folders[:] = [one for one in folders if not is_store(one, folder)]
        whole = _holds_frames(folder, files)
        for file in sorted(files):
            suffix = Path(file).suffix.lower()
            if suffix in SUFFIXES and not (whole and suffix == ".json"):
                found.append(os.path.join(folder, file))
        if whole:
            found.append(folder)
    if not found:
        raise DataError(
            f"{path} holds no file that can be read, expected {', '.join(SUFFIXES)}"
        )
    return found


def is_store(path: str, folder: str = "") -> bool:
    """Whether this is a packed store: annotations as a folder."""
    return os.path.isfile(os.path.join(folder, path, HEADER))


def _holds_frames(folder: str, files: list[str]) -> bool:
    """Whether a folder's JSON files are frames of one video, as the first tells."""
    names = sorted(one for one in files if one.lower().endswith(".json"))
    if not names:
        return False
    try:
        content = Path(folder, names[0]).read_bytes()
        data = read_json(content)
        if is_openpose_frame(data) or data == []:
            return True
        form = guess_form(data)
        return form is not None and read_persons(data, form).single
    except (DataError, OSError):
        return False
