"""Check keypoints passed by users and convert them to samples for a test pipeline.

MMAction2 does not check its input. If the image size of 2D keypoints is missing, it
assumes 1080 x 1920. It treats millimeters as meters, and returns a label even for NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..annotations.faults import shown
from ..annotations.markers import without_markers
from ..errors import DataError, MSG3DError
from ..formats.base import ReadOptions
from ..formats.result_objects import are_results, as_array, sequence_of
from ..preprocessing.frame_rate import at_rate, frame_positions
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
    """Properties of the keypoints that a network was trained on.

    Attributes:
        layout: skeleton layout of the samples before the test pipeline. This is usually
            the layout of the network's graph.
        dimensions: 2 or 3, or None if the test pipeline accepts both.
        stream: value of `SkeletonDataset(stream=...)`, or None.
        num_person: maximum number of persons that the test pipeline keeps.
        fps: frame rate of the samples; None if the network does not depend on it, or if
            it is unknown.
        missing_marker: which joints are absent besides those at zero.
    """

    layout: Layout
    dimensions: int | None
    stream: str | None
    num_person: int
    fps: float | None = None
    missing_marker: str = "auto"

    @property
    def joints(self) -> int:
        """Number of joints of the layout."""
        return len(skeleton(self.layout).joints)


class Prepared(dict[str, Any]):
    """Sample that `to_sample` has checked for a network.

    `Recognizer.prepare` returns it unchanged. A modified copy, `dict(sample, ...)`, is an
    ordinary dictionary and is checked again.
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
    """Convert keypoints to a sample for the test pipeline of a network.

    Args:
        keypoints: array [M, T, V, C]; a list of results of Ultralytics or MediaPipe, one
            per frame; or a dictionary with an array as `keypoint` and optionally
            `frame_dir`, `keypoint_score` [M, T, V], `img_shape`, `layout`, and `unit`,
            which override the arguments. The third channel of 2D keypoints is the
            score.
        expected: properties of the keypoints that the network was trained on.
        layout: skeleton layout of the keypoints; None for the network's.
        unit: one of `skeletons.units.UNITS`; None for "m" in 3D and "px" in 2D.
        img_shape: (height, width) of the image in pixels, for 2D keypoints.
        name: name of a sample without `frame_dir`, for error messages.

    Returns:
        A new dictionary with copies of the arrays, in the network's layout. 3D keypoints
        are in meters (or unscaled), and 2D keypoints in pixels.

    Raises:
        DataError: the first problem in the sample.
    """
    if are_results(keypoints):
        options = ReadOptions(
            dimensions=expected.dimensions, layout=layout or expected.layout
        )
        keypoints = {**sequence_of(keypoints, options), "frame_dir": name}
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
        keypoint, score = _without_markers(keypoint, score, expected)
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
        keypoint, _ = _without_markers(keypoint, None, expected)
        keypoint, _ = to_standard_unit(keypoint, unit)
    sample["keypoint"] = keypoint
    if skeleton(layout) != skeleton(expected.layout):
        _convert(sample, layout, expected.layout)
    if expected.fps is not None:
        positions = frame_positions(sample, expected.fps)
        if positions is not None:
            recorded = sample["keypoint"].shape[1]
            sample = at_rate(sample, expected.fps)
            sample.update(frame_positions=positions, recorded_frames=recorded)
    frames = sample["keypoint"].shape[1]
    if not sample["keypoint"].any():
        raise DataError(
            f"all keypoints in {frames} frames are zero (no person detected). Remove the "
            "sequence.",
            kind="no-person",
            field="keypoint",
        )
    # MMAction2's data sets add these fields.
    sample.update(total_frames=frames, modality="Pose", start_index=0)
    if expected.stream is not None:
        sample["stream"] = expected.stream
    return Prepared(sample, expected)


def _without_markers(
    keypoint: NDArray[np.floating], score: Any, expected: Expected
) -> tuple[Any, Any]:
    """Set joints with a marker of missing joints to zero, as data sets do."""
    scores = {} if score is None else {"keypoint_score": score}
    sample = {"keypoint": keypoint, **scores}
    changed, _ = without_markers(sample, expected.missing_marker)
    return changed["keypoint"], changed.get("keypoint_score")


def _skeleton(layout: Layout) -> Skeleton:
    try:
        return skeleton(layout)
    except ValueError as error:
        text = getattr(error, "message", str(error))
        raise DataError(text, kind="layout", field="layout") from error


def _keypoint(
    value: Any, expected: Expected, layout: Layout, joints: int
) -> NDArray[np.floating]:
    """Return a floating-point copy of the keypoints, and check shape and values."""
    if value is None:
        raise DataError(
            "'keypoint' is missing, expected an array [M, T, V, C]",
            kind="structure",
            field="keypoint",
        )
    try:
        array = np.array(as_array(value))
    except ValueError as error:
        raise DataError(
            f"'keypoint' is not a regular array ({error}), expected [M, T, V, C]",
            kind="shape",
            field="keypoint",
        ) from error
    shape = array.shape
    if array.dtype.kind not in "fiu":
        raise DataError(
            f"'keypoint' has dtype {array.dtype}, expected an integer or float dtype",
            kind="dtype",
            field="keypoint",
        )
    if array.ndim != 4:
        hint = ". For one person, pass keypoint[None]." if array.ndim == 3 else ""
        raise DataError(
            f"'keypoint' has shape {shape}, expected four axes [M persons, T frames, V="
            f"{joints} joints, C coordinates]{hint}",
            kind="shape",
            field="keypoint",
        )
    if 0 in shape:
        empty = ("persons", "frames", "joints", "coordinates")[shape.index(0)]
        raise DataError(
            f"'keypoint' has no {empty} (shape {shape}), expected [M, T, V={joints}, C] "
            "without empty axes",
            kind="empty",
            field="keypoint",
        )
    channels = (3,) if expected.dimensions == 3 else (2, 3)
    if shape[2] != joints or shape[3] not in channels:
        raise DataError(
            _shape_error(shape, joints, channels, layout),
            kind="shape",
            field="keypoint",
        )
    finite = np.isfinite(array)
    if not finite.all():
        person, frame, joint, _ = np.argwhere(~finite)[0]
        raise DataError(
            f"'keypoint' has {int((~finite).sum())} NaN or infinite values, the first at "
            f"person {person}, frame {frame}, joint {joint}. Set all coordinates of "
            "missing joints to 0.",
            kind="not-finite",
            field="keypoint",
        )
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def _shape_error(
    shape: tuple[int, int, int, int],
    joints: int,
    channels: tuple[int, ...],
    layout: Layout,
) -> str:
    name = f"layout {layout!r}" if isinstance(layout, str) else "this layout"
    text = (
        f"'keypoint' has {shape[2]} joints and {shape[3]} coordinates (shape {shape}), "
        f"expected [M, T, V={joints}, C={' or '.join(map(str, channels))}] for {name}"
    )
    # The number of frames is unknown, but the longest axis most likely contains them.
    axes = guess_axes(shape, max(shape), joints)
    if axes:
        return (
            f"{text}. If the axes are {axes.names}, pass keypoint.{axes.fix}. Otherwise, "
            "specify the layout of the keypoints (layout= or --layout)."
        )
    if shape[2] != joints:
        return f"{text}. Specify the layout of the keypoints (layout= or --layout)."
    return f"{text}. Pass {'3D' if channels == (3,) else '2D or 3D'} keypoints."


def _split_score(
    keypoint: NDArray[np.floating], score: Any
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return 2D keypoints [M, T, V, 2] and scores [M, T, V].

    Without scores, detected joints have score 1 and absent joints have score 0.
    """
    if keypoint.shape[-1] == 3:
        if score is not None or (keypoint[..., 2] < 0).any():
            reason = "separate scores" if score is not None else "negative values"
            raise DataError(
                f"'keypoint' has a third channel with {reason}, but this network expects "
                "2D keypoints: x, y, and optionally the score. Remove the third channel.",
                kind="score",
                field="keypoint",
            )
        keypoint, score = keypoint[..., :2].copy(), keypoint[..., 2].copy()
    if score is None:
        return keypoint, np.any(keypoint, axis=-1).astype(np.float32)
    score = np.array(as_array(score))
    if score.shape != keypoint.shape[:3] or score.dtype.kind not in "fiu":
        raise DataError(
            f"'keypoint_score' has shape {score.shape} and dtype {score.dtype}, expected "
            f"numbers of shape {keypoint.shape[:3]}, one score per joint",
            kind="score",
            field="keypoint_score",
        )
    if not np.isfinite(score).all():
        raise DataError(
            "'keypoint_score' has NaN or infinite values, expected finite numbers. Set "
            "the scores of missing joints to 0.",
            kind="score",
            field="keypoint_score",
        )
    return keypoint, score if score.dtype.kind == "f" else score.astype(np.float32)


def _pixels(
    keypoint: NDArray[np.floating], unit: str, img_shape: Any, expected: Expected
) -> tuple[NDArray[np.floating], tuple[int, int] | None]:
    """Return 2D keypoints in pixels, and (height, width) of the image or None."""
    check_unit(unit, 2)
    shape = None if img_shape is None else _image_shape(img_shape)
    largest = float(np.abs(keypoint).max())
    if unit == "px" and shape is None and expected.dimensions == 2:
        raise DataError(
            "2D keypoints in pixels require the image size. Pass img_shape=(height, "
            "width), or unit='normalized' if the keypoints are fractions of the image.",
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
        f"'img_shape' is {shown(shape)}, expected (height, width) in pixels",
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
