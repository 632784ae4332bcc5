"""Converters for users' recordings in any supported format.

A file contains a sequence, or a single frame of a sequence whose frames are in one
folder. Class and split come from folders or lists (`labels.py`). Instead of a split, a
fraction of each class can be held out. Classes are numbered in the order of their names.

Recordings of the same person (`group`) must not be in both training and test. Otherwise,
the network could recognize the person instead of the action.
"""

from collections.abc import Sequence

from ..formats.base import Pose, ReadOptions
from ..io import StrPath
from ..skeletons.lookup import Layout
from ..skeletons.units import unit_name
from .recordings import Recordings

ESTIMATORS = ("alphapose", "coco", "mmpose", "yolo")


def convert_folder(
    raw: StrPath,
    out: StrPath,
    layout: Layout | None = None,
    units: str | None = None,
    img_shape: Sequence[int] | None = None,
    split: StrPath | None = None,
    val_fraction: float | None = None,
    seed: int = 0,
    group: str | None = None,
    allow_bad: bool = False,
    jobs: int | None = None,
    file_format: str | None = None,
    max_persons: int = 5,
    pose: Pose | None = None,
    missing_marker: str = "auto",
    fps: float | None = None,
) -> dict:
    """Convert a folder of files in any format to an annotation file, and write a report.

    Args:
        raw: folder or zip of the files.
        out: path of the annotation file. The report is written next to it.
        layout: layout of files that do not specify their joints, such as .csv and .npy.
        units: unit of files that do not specify it, one of `skeletons.units.UNITS`. 3D
            coordinates are converted to meters, and 2D coordinates to pixels.
        img_shape: (height, width) in pixels, for 2D files that do not specify it.
        split: path of a list of splits, or of labels and splits (`labels.py`).
        val_fraction: fraction of each class to hold out, instead of a split.
        seed: random seed for `val_fraction`.
        group: regular expression that matches the recorded person in each path.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        file_format: name of one of `formats.all_formats()`; None to detect it for each
            file.
        max_persons: maximum number of persons per sequence.
        pose: pose estimator for videos.
        missing_marker: which joints are absent besides those at zero; see
            `annotations.markers.without_markers`.
        fps: frames per second, for files that do not specify it.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, the options do not match the files, the split is
            missing or ambiguous, or a group is in several splits.
    """
    options = ReadOptions(
        layout=layout,
        unit=None if units is None else unit_name(units),
        img_shape=_as_pair(img_shape),
        max_persons=max_persons,
        pose=pose,
        missing_marker=missing_marker,
        fps=fps,
        formats=() if file_format is None else (file_format,),
    )
    data = Recordings(raw, options, split, val_fraction, seed, group)
    data.check_img_shape()
    return data.convert(out, allow_bad, jobs)


def convert_coco_json(
    raw: StrPath,
    out: StrPath,
    allow_bad: bool = False,
    jobs: int | None = None,
    form: str | None = None,
    list_file: StrPath | None = None,
    img_shape: Sequence[int] | None = None,
    max_persons: int = 5,
    normalized: bool = False,
    missing_marker: str = "auto",
    fps: float | None = None,
) -> dict:
    """Convert JSON files of pose estimators to an annotation file, and write a report.

    Args:
        raw: folder or zip of `.json` files.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        form: format of the files, one of `ESTIMATORS`; None to detect it for each file.
        list_file: path of a list of labels and splits; None to use the folder names.
        img_shape: (height, width) in pixels, if neither the list nor the file specifies
            it.
        max_persons: maximum number of persons per video. Those with the largest sum of
            scores are kept.
        normalized: whether coordinates are fractions of the image instead of pixels.
        missing_marker, fps: see `convert_folder`.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or the list cannot be read, or the split or the image size is
            missing.
    """
    options = ReadOptions(
        unit="normalized" if normalized else "px",
        img_shape=_as_pair(img_shape),
        max_persons=max_persons,
        formats=ESTIMATORS if form is None else (form,),
        missing_marker=missing_marker,
        fps=fps,
    )
    data = Recordings(raw, options, list_file, lenient=True)
    return data.convert(out, allow_bad, jobs)


def convert_mediapipe(
    raw: StrPath,
    out: StrPath,
    allow_bad: bool = False,
    jobs: int | None = None,
    coordinates: str = "image",
    list_file: StrPath | None = None,
    img_shape: Sequence[int] | None = None,
    max_persons: int = 5,
    missing_marker: str = "auto",
    fps: float | None = None,
) -> dict:
    """Convert landmarks of MediaPipe Pose to an annotation file, and write a report.

    Args:
        raw: folder or zip of `.json` or `.csv` files.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        coordinates: "image" (2D) or "world" (3D, meters).
        list_file: path of a list of labels and splits; None to use the folder names.
        img_shape: (height, width) of the videos in pixels, to write pixels instead of
            fractions of the image. The list can specify it for each video instead.
        max_persons: maximum number of persons per video. Those with the largest sum of
            scores are kept.
        missing_marker, fps: see `convert_folder`.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or the list cannot be read, or the split is missing.
    """
    options = ReadOptions(
        dimensions=3 if coordinates == "world" else 2,
        img_shape=_as_pair(img_shape),
        max_persons=max_persons,
        formats=("mediapipe",),
        missing_marker=missing_marker,
        fps=fps,
    )
    data = Recordings(raw, options, list_file, lenient=True)
    return data.convert(out, allow_bad, jobs)


def _as_pair(img_shape: Sequence[int] | None) -> tuple[int, int] | None:
    if img_shape is None:
        return None
    height, width = img_shape
    return height, width
