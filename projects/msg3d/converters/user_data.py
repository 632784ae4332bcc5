"""Users' own recordings, in any format, as annotations.

A file is a sequence, or a frame of the sequence that its folder is. Class and split come
from folders or lists (`labels.py`); instead of a split, a fraction of each class can be
held out. Classes are numbered in the order of their names. Recordings of one person
(`group`) never appear on both sides, because what a network knows about the person would
count as knowing the action.
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
) -> dict:
    """Convert a folder of files in any format into an annotation file, with a report.

    Args:
        raw: the folder, or a zip of it.
        out: the annotation file; the report is written next to it.
        layout: of files that do not name their joints, such as .csv and .npy.
        units: of these files, one of `skeletons.units.UNITS`; 3D coordinates become
            meters, 2D ones pixels.
        img_shape: (height, width) of 2D files that do not give it.
        split: a list of splits, or of labels and splits (`labels.py`).
        val_fraction: fraction of each class to hold out, instead of a split.
        seed: for `val_fraction`.
        group: a regular expression that finds the recorded person in each path.
        allow_bad: write `out` although files were refused.
        jobs: number of processes; None for one per core.
        file_format: one of `formats.all_formats()`; None to detect it for each file.
        max_persons: maximum number of rows per sequence of detected persons.
        pose: pose estimator for videos.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` is not such a folder, the options do not fit it, the split is
            missing or ambiguous, or a group is on both sides.
    """
    options = ReadOptions(
        layout=layout,
        unit=None if units is None else unit_name(units),
        img_shape=_as_pair(img_shape),
        max_persons=max_persons,
        pose=pose,
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
) -> dict:
    """Convert the JSON of pose estimators into an annotation file, with a report.

    Args:
        raw: folder or zip of JSON files.
        out: the annotation file; the report is written next to it.
        allow_bad: write `out` although files were refused.
        jobs: number of processes; None for one per core.
        form: one of `ESTIMATORS`; None to detect it for each file.
        list_file: list of labels; None if folders tell them.
        img_shape: (height, width) if neither list nor file gives it.
        max_persons: maximum number of rows per video, those with the largest sum of
            scores.
        normalized: whether coordinates are fractions of the image instead of pixels.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or the list cannot be read, or the split or the size of the
            images is missing.
    """
    options = ReadOptions(
        unit="normalized" if normalized else "px",
        img_shape=_as_pair(img_shape),
        max_persons=max_persons,
        formats=ESTIMATORS if form is None else (form,),
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
) -> dict:
    """Convert the landmarks of MediaPipe Pose into an annotation file, with a report.

    Args:
        raw: folder or zip of .json or of .csv files.
        out: the annotation file; the report is written next to it.
        allow_bad: write `out` although files were refused.
        jobs: number of processes; None for one per core.
        coordinates: "image", 2D, or "world", 3D in meters.
        list_file: list of labels; None if folders tell them.
        img_shape: (height, width) of the videos, for pixels instead of fractions of the
            image; a list may give it for each.
        max_persons: maximum number of rows per video, those with the largest sum of
            scores.

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
    )
    data = Recordings(raw, options, list_file, lenient=True)
    return data.convert(out, allow_bad, jobs)


def _as_pair(img_shape: Sequence[int] | None) -> tuple[int, int] | None:
    if img_shape is None:
        return None
    height, width = img_shape
    return height, width
