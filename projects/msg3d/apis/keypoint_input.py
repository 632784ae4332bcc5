"""Keypoints of users, checked and converted to samples of a test pipeline.

MMAction2 accepts any input: it takes pixels without an image size for those of 1080 x
1920, and millimeters for meters, and NaN gives a label like any other number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..annotations.faults import shown
from ..errors import DataError, MSG3DError
from ..skeletons import Skeleton, convert_layout, skeleton
from ..skeletons.axes import guess_axes
from ..skeletons.units import (
    MAX_NORMALIZED,
    check_image_unit,
    check_unit,
    to_standard_unit,
    unit_name,
)

Layout = str | dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """What a model was trained on.

    Attributes:
        layout: layout of the keypoints at the start of its pipeline, mostly the graph's.
        dimensions: 2 or 3; None if the pipeline accepts both.
        stream: value of `SkeletonDataset(stream=...)` in the samples, if any.
        num_person: number of persons that its pipeline keeps.
    """

    layout: Layout
    dimensions: int | None
    stream: str | None
    num_person: int

    @property
    def joints(self) -> int:
        return len(skeleton(self.layout).joints)


class Prepared(dict[str, Any]):
    """A sample that `to_sample` has checked, and the model that it is for.

    `Recognizer.prepare` returns it as it is. A changed copy, `dict(sample, ...)`, is an
    ordinary dictionary, which is checked again.
    """

    def __init__(self, sample: Sample, expected: Expected) -> None:
        super().__init__(sample)
        self.expected = expected


def to_sample(
    keypoints: Any,
    expected: Expected,
    layout: Layout | None = None,
    unit: str | None = None,
    img_shape: tuple[int, int] | None = None,
    name: str = "sample",
) -> Prepared:
    """Make a sample as the test data set of a model would pass it to its pipeline.

    Args:
        keypoints: `keypoint` [M, T, V, C], or a dictionary with `keypoint` and
            optionally `frame_dir`, `keypoint_score` [M, T, V], `img_shape`, `layout`,
            and `unit`, which override the arguments. In 2D, a third channel is the
            score.
        expected: what the model was trained on.
        layout: of the keypoints; None for the model's.
        unit: one of `skeletons.units.UNITS`, by default "m" in 3D and "px" in 2D.
        img_shape: (height, width) of the image, for 2D.
        name: name of a sample without `frame_dir`, for errors.

    Returns:
        A new dictionary with copies of the arrays, in meters or pixels.

    Raises:
        DataError: the first fault, with the sample.
    """
    sample = dict(keypoints if isinstance(keypoints, Mapping) else {})
    if not isinstance(keypoints, Mapping):
        sample["keypoint"] = keypoints
    name = str(sample.setdefault("frame_dir", sample.get("filename", name)))
    try:
        return _to_sample(sample, expected, layout, unit, img_shape)
    except MSG3DError as error:
        raise DataError(
            error.message, kind=error.kind, sample=name, field=error.where.field
        ) from error.__cause__


def _to_sample(
    sample: Sample,
    expected: Expected,
    layout: Layout | None,
    unit: str | None,
    img_shape: tuple[int, int] | None,
) -> Prepared:
    layout = sample.pop("layout", None) or layout or expected.layout
    joints = len(_skeleton(layout).joints)
    unit = sample.pop("unit", None) or unit
    for key in ("label", "targets", "clip_len", "frame_inds", "num_clips"):
        sample.pop(key, None)
    keypoint = _keypoint(sample.get("keypoint"), expected, layout, joints)
    score = sample.pop("keypoint_score", None)
    if keypoint.shape[-1] == 2 or expected.dimensions == 2:
        keypoint, score = _split_score(keypoint, score)
        shape = sample.get("img_shape")
        shape = img_shape if shape is None else shape
        keypoint, shape = _pixels(
            keypoint, unit_name(str(unit or "px")), shape, expected
        )
        if shape is not None:
            sample["img_shape"] = sample["original_shape"] = shape
        sample["keypoint_score"] = score
    else:
        unit = unit_name(str(unit or "m"))
        check_unit(unit, 3)
        keypoint, _ = to_standard_unit(keypoint, unit)
    sample["keypoint"] = keypoint
    if skeleton(layout) != skeleton(expected.layout):
        _convert(sample, layout, expected.layout)
    frames = keypoint.shape[1]
    if not sample["keypoint"].any():
        raise DataError(
            f"no person is detected: every joint in all {frames} frames is zero, which "
            "means absent. Remove the sequence",
            kind="no-person",
            field="keypoint",
        )
    # As MMAction2's data sets add them.
    sample.update(total_frames=frames, modality="Pose", start_index=0)
    if expected.stream is not None:
        sample["stream"] = expected.stream
    return Prepared(sample, expected)


def _skeleton(layout: Layout) -> Skeleton:
    try:
        return skeleton(layout)
    except ValueError as error:
        text = getattr(error, "message", str(error))
        raise DataError(text, kind="layout", field="layout") from error


def _keypoint(
    found: Any, expected: Expected, layout: Layout, joints: int
) -> NDArray[np.floating]:
    """Return a copy of an array [M, T, V, C] of finite numbers, V of the layout."""
    if found is None:
        raise DataError(
            "has no keypoint, expected an array [M, T, V, C]",
            kind="structure",
            field="keypoint",
        )
    try:
        array = np.array(found)
    except ValueError as error:
        raise DataError(
            f"keypoint is not a regular array ({error}), expected [M, T, V, C]",
            kind="shape",
            field="keypoint",
        ) from error
    shape = array.shape
    if array.dtype.kind not in "fiu":
        raise DataError(
            f"keypoint is of type {array.dtype}, expected numbers [M, T, V, C]",
            kind="dtype",
            field="keypoint",
        )
    if array.ndim != 4:
        hint = ". One person needs keypoint[None]" if array.ndim == 3 else ""
        raise DataError(
            f"keypoint has shape {shape}, expected four axes, [M persons, T frames, V="
            f"{joints} joints, C]{hint}",
            kind="shape",
            field="keypoint",
        )
    if 0 in shape:
        empty = ("persons", "frames", "joints", "coordinates")[shape.index(0)]
        raise DataError(
            f"keypoint has shape {shape} and so no {empty}, expected at least one of "
            f"each of [M, T, V={joints}, C]",
            kind="empty",
            field="keypoint",
        )
    channels = (3,) if expected.dimensions == 3 else (2, 3)
    if shape[2] != joints or shape[3] not in channels:
        raise DataError(
            _misshapen(shape, joints, channels, layout), kind="shape", field="keypoint"
        )
    finite = np.isfinite(array)
    if not finite.all():
        person, frame, joint, _ = np.argwhere(~finite)[0]
        raise DataError(
            f"keypoint is NaN or infinite in {int((~finite).sum())} places, first at "
            f"person {person}, frame {frame}, joint {joint}. Set all coordinates of a "
            "joint that was not detected to 0",
            kind="not-finite",
            field="keypoint",
        )
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def _misshapen(
    shape: tuple[int, int, int, int],
    joints: int,
    channels: tuple[int, ...],
    layout: Layout,
) -> str:
    called = repr(layout) if isinstance(layout, str) else "the model's"
    text = (
        f"keypoint has {shape[2]} joints and {shape[3]} coordinates (shape {shape}), "
        f"expected [M, T, V={joints}, C={' or '.join(map(str, channels))}] of layout "
        f"{called}"
    )
    # The number of frames is unknown; the longest axis most likely is that of frames.
    axes = guess_axes(shape, max(shape), joints)
    if axes:
        return (
            f"{text}. If the axes are {axes.names}, pass keypoint.{axes.fix}; otherwise, "
            "name the layout (layout=, or --layout)"
        )
    if shape[2] != joints:
        return f"{text}. Name its layout (layout=, or --layout)"
    return f"{text}. This model takes {'3D' if channels == (3,) else '2D or 3D'} joints"


def _split_score(
    keypoint: NDArray[np.floating], score: Any
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return 2D keypoints and the scores of joints [M, T, V], 1 if none are given."""
    if keypoint.shape[-1] == 3:
        if score is not None or (keypoint[..., 2] < 0).any():
            why = "keypoint_score" if score is not None else "negative numbers there"
            raise DataError(
                f"keypoint has a third coordinate and {why}, expected x, y, and "
                "optionally the score. This model takes 2D joints; leave z out",
                kind="score",
                field="keypoint",
            )
        keypoint, score = keypoint[..., :2].copy(), keypoint[..., 2].copy()
    if score is None:
        return keypoint, np.any(keypoint, axis=-1).astype(np.float32)
    score = np.array(score)
    if score.shape != keypoint.shape[:3] or score.dtype.kind not in "fiu":
        raise DataError(
            f"keypoint_score is of shape {score.shape} and type {score.dtype}, expected "
            f"numbers {keypoint.shape[:3]}, one score per joint",
            kind="score",
            field="keypoint_score",
        )
    if not np.isfinite(score).all():
        raise DataError(
            "keypoint_score is NaN or infinite, expected finite numbers. Set it to 0 "
            "for a joint that was not detected",
            kind="score",
            field="keypoint_score",
        )
    return keypoint, score if score.dtype.kind == "f" else score.astype(np.float32)


def _pixels(
    keypoint: NDArray[np.floating], unit: str, img_shape: Any, expected: Expected
) -> tuple[NDArray[np.floating], tuple[int, int] | None]:
    """Return 2D keypoints, and the (height, width) of their image if it is known."""
    check_unit(unit, 2)
    shape = None if img_shape is None else _image_shape(img_shape)
    largest = float(np.abs(keypoint).max())
    if unit == "px" and shape is None and expected.dimensions == 2:
        raise DataError(
            "2D keypoints in pixels come without the size of their image. Give "
            "img_shape=(height, width), or unit='normalized' if they are fractions of it",
            kind="img-shape",
            field="img_shape",
        )
    # An image of size (1, 1) has normalized coordinates.
    if unit == "normalized" or (shape is not None and max(shape) > MAX_NORMALIZED):
        check_image_unit(largest, unit)
    if unit == "normalized":
        keypoint, _ = to_standard_unit(keypoint, unit, shape)
        return keypoint, shape or (1, 1)
    return keypoint, shape


def _image_shape(shape: Any) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in shape)
        if height > 0 and width > 0:
            return height, width
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        f"img_shape is {shown(shape)}, expected (height, width) in pixels",
        kind="img-shape",
        field="img_shape",
    )


def _convert(sample: Sample, source: Layout, target: Layout) -> None:
    """Convert keypoints and scores to another layout, in place."""
    try:
        sample["keypoint"] = convert_layout(sample["keypoint"], source, target)
    except ValueError as error:
        text = getattr(error, "message", str(error))
        raise DataError(text, kind="layout", field="keypoint") from error
    if "keypoint_score" in sample:
        score = sample["keypoint_score"][..., None]
        sample["keypoint_score"] = convert_layout(score, source, target)[..., 0]
