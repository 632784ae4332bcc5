"""Coordinates with missing values, as sequences.

Users write NaN, or leave cells empty, for a joint that was not detected. Annotations
contain zeros there.
"""

from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from ..errors import DataError
from ..skeletons import Skeleton, skeleton
from ..skeletons.units import UNITS_2D, check_unit, to_standard_unit
from .base import ReadOptions, Sample


@dataclass
class Arrays:
    """The numbers of a file.

    Attributes:
        coordinates: float64 [M, T, V, C], NaN where missing.
        scores: float64 [M, T, V], or None.
        lines: int [M, T], line of the file for each person and frame, 0 for none; or
            None for a file without lines.
        notes: what was changed -> how often.
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
) -> Sample:
    """Convert coordinates to meters or pixels, with zeros for missing joints.

    Args:
        arrays: the numbers of a file.
        name: id of the sequence.
        joints: names of the V joints, for errors.
        unit: one of `skeletons.units.UNITS`; None for meters or pixels. `unscaled`
            coordinates stay as they are, and so do normalized ones without `img_shape`.
        img_shape: (height, width) of the image, for 2D.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, C], unit, notes), and
        for 2D keypoint_score float32 [M, T, V] (1 for a joint with coordinates, if the
        file has no scores) and the image's size.

    Raises:
        DataError: incomplete joint, infinite number, no joint at all, or a unit that
            does not fit the dimensions.
    """
    coordinates, scores = arrays.coordinates, arrays.scores
    flat = coordinates.shape[-1] == 2
    unit = unit or ("px" if flat else "m")
    check_unit(unit, coordinates.shape[-1])
    missing = np.isnan(coordinates)
    absent = missing.all(axis=-1)
    incomplete = missing.any(axis=-1) & ~absent
    if scores is not None:
        incomplete |= np.isnan(scores) & ~absent
    if incomplete.any():
        _refuse(arrays, joints, incomplete, "incomplete-joint", "lacks some numbers")
    with np.errstate(over="ignore"):
        keypoint = np.where(missing, 0, coordinates)
        keypoint, unit = to_standard_unit(keypoint, unit, img_shape)
        keypoint = keypoint.astype(np.float32)
    infinite: np.ndarray = ~np.all(np.isfinite(keypoint), axis=-1)
    if scores is not None:
        infinite |= np.isinf(scores)
    if infinite.any():
        _refuse(arrays, joints, infinite, "not-finite", "is infinite or beyond float32")
    frames = keypoint.shape[1]
    if not keypoint.any():
        raise DataError(
            f"no joint has coordinates in any of {frames} frames", kind="no-person"
        )
    notes = dict(arrays.notes)
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
        notes["files whose scores were not kept, which 3D has no use for"] = 1
    return {**sequence, "notes": notes} if notes else sequence


def needed_layout(options: ReadOptions) -> Skeleton:
    """Return the layout of a file that does not name one.

    Raises:
        DataError: the options have none, or an unknown one (`layout`).
    """
    if options.layout is None:
        raise DataError(
            "does not name its joints. Give the layout", kind="layout", field="layout"
        )
    try:
        return skeleton(options.layout)
    except ValueError as error:
        raise DataError(str(error), kind="layout", field="layout") from error


def dimensions_of(options: ReadOptions) -> int | None:
    """Return 2 or 3, as far as the options tell."""
    if options.dimensions is None and options.unit is not None:
        return 2 if options.unit in UNITS_2D else 3
    return options.dimensions


def _refuse(
    arrays: Arrays, joints: tuple[str, ...], where: np.ndarray, kind: str, text: str
) -> NoReturn:
    person, frame, joint = map(int, np.argwhere(where)[0])
    line = None if arrays.lines is None else int(arrays.lines[person, frame])
    raise DataError(
        f"joint {joints[joint]} of person {person} in frame {frame} {text} (joints like "
        f"this: {int(where.sum())}). Give all numbers of a joint, or leave all of them "
        "empty (NaN) if it was not detected",
        kind=kind,
        line=line or None,
        field=joints[joint],
    )
