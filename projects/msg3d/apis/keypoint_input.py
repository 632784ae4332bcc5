"""Keypoints as people have them, made into samples of a test pipeline, or refused.

MMAction2 takes what it is given: pixels without the size of their image are taken for
1080 x 1920, millimetres for metres, and NaN gives a label like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from ..annotations.faults import shown
from ..errors import DataError
from ..skeletons import convert_layout, skeleton
from ..skeletons.axes import guess_axes
from ..skeletons.units import MAX_NORMALIZED

Layout = Union[str, dict]

# What a unit is divided by to be metres; those of 2D are no lengths.
UNITS_3D = dict(m=1, cm=100, mm=1000)
UNITS_2D = ("px", "normalized")
UNITS = (*UNITS_3D, *UNITS_2D)


@dataclass(frozen=True)
class Expected:
    """What a model was trained on.

    Attributes:
        layout: of the keypoints that its pipeline begins with, mostly the graph's.
        dimensions: 2 or 3; None where the pipeline does not tell, and takes either.
        stream: what `SkeletonDataset(stream=...)` puts into samples, if anything.
        num_person: persons that its pipeline keeps.
    """

    layout: Layout
    dimensions: Optional[int]
    stream: Optional[str]
    num_person: int

    @property
    def joints(self) -> int:
        return len(skeleton(self.layout).joints)


class Prepared(dict):
    """A sample that `to_sample` has checked, and the model that it is for.

    `Recognizer.prepare` returns it as it is. A changed copy, `dict(sample, ...)`, is an
    ordinary dictionary, which is checked again.
    """

    def __init__(self, sample: dict, expected: Expected) -> None:
        super().__init__(sample)
        self.expected = expected


def to_sample(
    given: Any,
    expected: Expected,
    layout: Optional[Layout] = None,
    unit: Optional[str] = None,
    img_shape: Optional[tuple[int, int]] = None,
    name: str = "sample",
) -> Prepared:
    """A sample as the data set of the model's test would hand it to its pipeline.

    Args:
        given: `keypoint` [M, T, V, C], or a dictionary with `keypoint` and what it has
            of `frame_dir`, `keypoint_score` [M, T, V], `img_shape`, `layout`, `unit`,
            which go before the arguments. In 2D, a third channel is the score.
        expected: by the model.
        layout: of the keypoints; None for the model's.
        unit: "m" (default), "cm" or "mm" in 3D; "px" (default) or "normalized", parts
            of the image, in 2D.
        img_shape: (height, width) of the image, for 2D.
        name: what to call a sample without `frame_dir`, in errors.

    Returns:
        A new dictionary; `given` is not changed, and its arrays are copied.

    Raises:
        DataError: the first thing that is wrong.
    """
    sample = dict(given) if isinstance(given, Mapping) else dict(keypoint=given)
    name = str(sample.setdefault("frame_dir", sample.get("filename", name)))
    layout = sample.pop("layout", None) or layout or expected.layout
    try:
        skeleton(layout)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    unit = sample.pop("unit", None) or unit
    for key in ("label", "targets", "clip_len", "frame_inds", "num_clips"):
        sample.pop(key, None)
    keypoint = _keypoint(sample.get("keypoint"), expected, layout, name)
    score = sample.pop("keypoint_score", None)
    flat = keypoint.shape[-1] == 2 or expected.dimensions == 2
    if flat:
        keypoint, score = _split_score(keypoint, score, name)
        shape = sample.get("img_shape")
        shape = img_shape if shape is None else shape
        keypoint, shape = _pixels(keypoint, unit, shape, expected, name)
        if shape is not None:
            sample["img_shape"] = sample["original_shape"] = shape
        sample["keypoint_score"] = score
    else:
        keypoint = keypoint / np.array(_metre(unit, name), keypoint.dtype)
    sample["keypoint"] = keypoint
    if layout != expected.layout:
        _convert(sample, layout, expected.layout, name)
    if not sample["keypoint"].any():
        raise DataError(
            f"{name}: nobody is there, every joint in all {keypoint.shape[1]} frames "
            "is exactly zero, which means absent: leave the sequence out"
        )
    # As MMAction2's data sets add them.
    sample.update(total_frames=keypoint.shape[1], modality="Pose", start_index=0)
    if expected.stream is not None:
        sample["stream"] = expected.stream
    return Prepared(sample, expected)


def _keypoint(found: Any, expected: Expected, layout: Layout, name: str) -> np.ndarray:
    """A copy of an array [M, T, V, C] of finite numbers, with the layout's joints."""
    if found is None:
        raise DataError(f"{name}: has no keypoint, expected an array [M, T, V, C]")
    try:
        array = np.array(found)
    except ValueError as error:
        raise DataError(
            f"{name}: keypoint is no regular array ({error}), expected [M, T, V, C]"
        ) from error
    shape, joints = array.shape, len(skeleton(layout).joints)
    channels = (3,) if expected.dimensions == 3 else (2, 3)
    if array.dtype.kind not in "fiu":
        raise DataError(
            f"{name}: keypoint is of type {array.dtype}, expected numbers [M, T, V, C]"
        )
    if array.ndim != 4:
        hint = ": one person needs keypoint[None]" if array.ndim == 3 else ""
        raise DataError(
            f"{name}: keypoint has shape {shape}, expected four axes, [M persons, T "
            f"frames, V={joints} joints, C]{hint}"
        )
    if 0 in shape:
        empty = ("persons", "frames", "joints", "coordinates")[shape.index(0)]
        raise DataError(
            f"{name}: keypoint is empty, it has shape {shape} and so no {empty}: "
            f"expected at least one of each of [M, T, V={joints}, C]"
        )
    if shape[2] != joints or shape[3] not in channels:
        raise DataError(_misshapen(shape, joints, channels, layout, name))
    finite = np.isfinite(array)
    if not finite.all():
        person, frame, joint, _ = np.argwhere(~finite)[0]
        raise DataError(
            f"{name}: keypoint is NaN or infinite in {int((~finite).sum())} places, "
            f"first at person {person}, frame {frame}, joint {joint}, expected finite "
            "numbers: set all coordinates of a joint that was not seen to 0"
        )
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def _misshapen(shape, joints, channels, layout, name) -> str:
    called = repr(layout) if isinstance(layout, str) else "the model's"
    text = (
        f"{name}: keypoint has {shape[2]} joints and {shape[3]} coordinates (shape "
        f"{shape}), expected [M, T, V={joints}, C={' or '.join(map(str, channels))}] "
        f"of layout {called}"
    )
    # The number of frames is not told: the longest axis most likely is it.
    axes = guess_axes(shape, max(shape), joints)
    if axes:
        return f"{text}: it looks like {axes.names}, give keypoint.{axes.fix}"
    if shape[2] != joints:
        return f"{text}: name the layout that it has, layout=..."
    return f"{text}: this model takes {'3D' if channels == (3,) else '2D or 3D'} joints"


def _split_score(keypoint, score, name) -> tuple[np.ndarray, np.ndarray]:
    """2D keypoints, and the score of each joint [M, T, V]: 1 where none is given."""
    if keypoint.shape[-1] == 3:
        if score is not None or (keypoint[..., 2] < 0).any():
            why = "keypoint_score besides" if score is not None else "negative numbers"
            raise DataError(
                f"{name}: keypoint has a third coordinate and {why}, expected x, y and "
                "perhaps the score: this model takes 2D joints, leave z out"
            )
        keypoint, score = keypoint[..., :2].copy(), keypoint[..., 2].copy()
    if score is None:
        return keypoint, keypoint.any(-1).astype(np.float32)
    score = np.array(score)
    if score.shape != keypoint.shape[:3] or score.dtype.kind not in "fiu":
        raise DataError(
            f"{name}: keypoint_score is of shape {score.shape} and type {score.dtype}, "
            f"expected numbers {keypoint.shape[:3]}, one a joint"
        )
    if not np.isfinite(score).all():
        raise DataError(
            f"{name}: keypoint_score is NaN or infinite, expected finite numbers: set "
            "it to 0 where a joint was not seen"
        )
    return keypoint, score if score.dtype.kind == "f" else score.astype(np.float32)


def _pixels(keypoint, unit, shape, expected, name):
    """2D keypoints, and the (height, width) that they are parts of, where known."""
    _check_unit(unit, UNITS_2D, "2D", name)
    if shape is not None:
        shape = _image_shape(shape, name)
    largest = float(np.abs(keypoint).max())
    if unit == "normalized":
        if largest > MAX_NORMALIZED:
            raise DataError(
                f"{name}: a coordinate is {largest:g}, expected parts of the image, "
                "0..1: give unit='px' and img_shape=(height, width)"
            )
        if shape is None:
            return keypoint, (1, 1)
        return keypoint * np.array(shape[::-1], keypoint.dtype), shape
    if shape is None and expected.dimensions == 2:
        raise DataError(
            f"{name}: 2D keypoints in pixels come without the size of their image: "
            "give img_shape=(height, width), or unit='normalized' if they are "
            "parts of it"
        )
    if shape and max(shape) > MAX_NORMALIZED and 0 < largest <= MAX_NORMALIZED:
        raise DataError(
            f"{name}: no coordinate is beyond {largest:g}, expected pixels of an image "
            f"of {shape}: give unit='normalized' if they are parts of it"
        )
    return keypoint, shape


def _image_shape(shape: Any, name: str) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in shape)
        if height > 0 and width > 0:
            return height, width
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        f"{name}: img_shape is {shown(shape)}, expected (height, width) in pixels"
    )


def _metre(unit: Optional[str], name: str) -> float:
    _check_unit(unit, tuple(UNITS_3D), "3D", name)
    return UNITS_3D[unit or "m"]


def _check_unit(unit, known, what, name) -> None:
    if unit is not None and unit not in known:
        raise DataError(
            f"{name}: unit is {unit!r}, but the keypoints are {what}: expected one of "
            f"{list(known)}"
        )


def _convert(sample: dict, source: Layout, target: Layout, name: str) -> None:
    """Keypoints and scores of one layout, in place, as those of another."""
    try:
        sample["keypoint"] = convert_layout(sample["keypoint"], source, target)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    if "keypoint_score" in sample:
        score = sample["keypoint_score"][..., None]
        sample["keypoint_score"] = convert_layout(score, source, target)[..., 0]
