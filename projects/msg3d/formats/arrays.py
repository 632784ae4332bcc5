"""Conversion of coordinates with missing values to sequences.

Input files mark joints that were not detected with NaN or empty cells. Annotations mark
them with zeros.
"""

from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from ..annotations.markers import marked_joints, marker_values
from ..errors import DataError
from ..skeletons import Skeleton, skeleton
from ..skeletons.units import UNITS_2D, check_unit, to_standard_unit
from .base import ReadOptions, Sample


@dataclass
class Arrays:
    """Numbers in a file, before conversion.

    Attributes:
        coordinates: coordinates, float64 [M, T, V, C]. Missing values are NaN.
        scores: scores, float64 [M, T, V], or None.
        lines: line number of each person and frame, int [M, T], 0 if unknown. None for
            files without lines.
        notes: mapping from the description of a change to its count.
    """

    coordinates: np.ndarray
    scores: np.ndarray | None = None
    lines: np.ndarray | None = None
    notes: dict[str, int] = field(default_factory=dict)


def to_sequence(
    arrays: Arrays,
    name: str,
    joints: tuple[str, ...],
    unit: str | None = None,
    img_shape: tuple[int, int] | None = None,
    missing_marker: str = "auto",
) -> Sample:
    """Convert the numbers in a file to a sequence, with zeros for missing joints.

    Args:
        arrays: numbers in a file.
        name: id of the sequence.
        joints: names of the V joints, for errors.
        unit: unit of the coordinates, one of `skeletons.units.UNITS`. None for meters
            (3D) or pixels (2D). `unscaled` coordinates, and normalized coordinates
            without `img_shape`, are not converted.
        img_shape: (height, width) of the image, for 2D.
        missing_marker: see `annotations.markers.without_markers`.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, C], unit, notes), in
        meters or pixels. 2D sequences also have the image size and keypoint_score,
        float32 [M, T, V]. If the file has no scores, the score of each joint with
        coordinates is 1.

    Raises:
        DataError: a joint is incomplete, a number is infinite, all joints are missing, or
            the unit does not match the dimensions.
    """
    coordinates, scores = arrays.coordinates, arrays.scores
    flat = coordinates.shape[-1] == 2
    unit = unit or ("px" if flat else "m")
    check_unit(unit, coordinates.shape[-1])
    # Markers are in the unit of the file.
    notes = dict(arrays.notes)
    for mask in marked_joints(coordinates, marker_values(missing_marker)).values():
        coordinates = np.where(mask[..., None], np.nan, coordinates)
    missing = np.isnan(coordinates)
    absent = missing.all(axis=-1)
    incomplete = missing.any(axis=-1) & ~absent
    if scores is not None:
        incomplete |= np.isnan(scores) & ~absent
    if incomplete.any():
        _raise(arrays, joints, incomplete, "incomplete-joint", "is incomplete")
    with np.errstate(over="ignore"):
        keypoint = np.where(missing, 0, coordinates)
        keypoint, unit = to_standard_unit(keypoint, unit, img_shape)
        keypoint = keypoint.astype(np.float32)
    infinite: np.ndarray = ~np.all(np.isfinite(keypoint), axis=-1)
    if scores is not None:
        infinite |= np.isinf(scores)
    if infinite.any():
        _raise(arrays, joints, infinite, "not-finite", "is infinite or exceeds float32")
    frames = keypoint.shape[1]
    if not keypoint.any():
        raise DataError(
            f"all joints are missing in all {frames} frames (no person detected). Remove "
            "the file.",
            kind="no-person",
        )
    if absent.any():
        notes["joints without coordinates, written as zero"] = int(absent.sum())
    sequence = {
        "frame_dir": name,
        "total_frames": frames,
        "keypoint": keypoint,
        "unit": unit,
    }
    if flat:
        if scores is None:
            scores = np.any(keypoint, axis=-1)
        sequence["keypoint_score"] = np.where(absent, 0, scores).astype(np.float32)
        if img_shape is not None:
            sequence["img_shape"] = sequence["original_shape"] = tuple(img_shape)
    elif scores is not None:
        notes["files with scores, which are not used in 3D"] = 1
    return {**sequence, "notes": notes} if notes else sequence


def require_layout(options: ReadOptions) -> Skeleton:
    """Return the layout in the options, for a file that does not specify its layout.

    Raises:
        DataError: the options have no layout, or an unknown layout (kind `layout`).
    """
    if options.layout is None:
        raise DataError(
            "the file does not specify a skeleton layout. Pass the layout of the file, for "
            "example --layout coco.",
            kind="layout",
            field="layout",
        )
    try:
        return skeleton(options.layout)
    except ValueError as error:
        raise DataError(str(error), kind="layout", field="layout") from error


def dimensions_of(options: ReadOptions) -> int | None:
    """Return the number of dimensions in the options (2 or 3), or None if unspecified."""
    if options.dimensions is None and options.unit is not None:
        return 2 if options.unit in UNITS_2D else 3
    return options.dimensions


def _raise(
    arrays: Arrays, joints: tuple[str, ...], where: np.ndarray, kind: str, text: str
) -> NoReturn:
    person, frame, joint = map(int, np.argwhere(where)[0])
    line = None if arrays.lines is None else int(arrays.lines[person, frame])
    raise DataError(
        f"joint {joints[joint]} of person {person} in frame {frame} {text} (affected "
        f"joints: {int(where.sum())}). Provide all numbers of a joint as finite float32, "
        "or leave all of them empty or NaN if it was not detected.",
        kind=kind,
        line=line or None,
        field=joints[joint],
    )
