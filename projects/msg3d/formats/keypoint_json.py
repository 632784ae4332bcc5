"""Reader for keypoints stored as JSON lists.

    {"keypoint": [...], "keypoint_score": [...], "img_shape": [H, W],
     "layout": "coco", "unit": "px"}

All keys except `keypoint` are optional. The file can also contain only the list
`keypoint`, [M, T, V, C] or [T, V, C]. Missing values are null or NaN.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError, MSG3DError
from ..skeletons.units import unit_name
from .arrays import Arrays, dimensions_of, require_layout, to_sequence
from .base import Format, ReadOptions, Sample, Source


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    data = source.json
    if not isinstance(data, dict):
        data = {"keypoint": data}
    meta = {key: data[key] for key in ("layout", "unit", "img_shape") if data.get(key)}
    if "unit" in meta:
        try:
            meta["unit"] = unit_name(meta["unit"])
        except (MSG3DError, TypeError) as error:
            raise DataError(str(error), kind="unit", field="unit") from error
    if "img_shape" in meta:
        meta["img_shape"] = _img_shape(meta["img_shape"])
    if str(meta.get("layout")).endswith(".json"):
        raise DataError(
            "'layout' is the path of a file, expected the name of a layout or its "
            "definition",
            kind="layout",
            field="layout",
        )
    options = replace(options, **meta)
    joints = require_layout(options).joints
    sequence = to_sequence(
        read_keypoints(data, len(joints), dimensions_of(options)),
        source.id,
        joints,
        options.unit,
        options.img_shape,
        options.missing_marker,
    )
    return [dict(sequence, layout=meta["layout"]) if "layout" in meta else sequence]


def read_keypoints(data: dict[str, Any], joints: int, dimensions: int | None) -> Arrays:
    """Return the arrays `keypoint` and `keypoint_score` in a parsed JSON file.

    Args:
        data: parsed JSON.
        joints: number of joints, V.
        dimensions: 2 to read a third channel as the score. None for 2 or 3 as in the
            file.

    Raises:
        DataError: an array is irregular or has the wrong shape.
    """
    keypoint = _array(data.get("keypoint"), "keypoint")
    channels = keypoint.shape[-1] if keypoint.ndim in (3, 4) else 0
    if channels not in (2, 3) or keypoint.shape[-2] != joints or 0 in keypoint.shape:
        raise DataError(
            f"'keypoint' has shape {keypoint.shape}, expected [M, T, {joints}, C] or [T, "
            f"{joints}, C] with C=2 or 3",
            kind="shape",
            field="keypoint",
        )
    keypoint = keypoint.reshape(-1, *keypoint.shape[-3:])
    scores = data.get("keypoint_score")
    if scores is not None:
        scores = _array(scores, "keypoint_score")
        if scores.size != keypoint[..., 0].size:
            raise DataError(
                f"'keypoint_score' has shape {scores.shape}, expected "
                f"{keypoint.shape[:3]}, one score per joint",
                kind="score",
                field="keypoint_score",
            )
        scores = scores.reshape(keypoint.shape[:3])
    if dimensions == 2 and channels == 3 and scores is None:
        keypoint, scores = keypoint[..., :2], keypoint[..., 2]
    return Arrays(keypoint, scores)


def _array(values: Any, field: str) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{field!r} is not a regular list of numbers ({error})",
            kind="shape",
            field=field,
        ) from error


def _img_shape(value: Any) -> tuple[int, int]:
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and side > 0 for side in value)
    ):
        return value[0], value[1]
    raise DataError(
        f"'img_shape' is {value!r:.40}, expected [height, width] in pixels",
        kind="img-shape",
        field="img_shape",
    )


def _detect(source: Source) -> bool:
    if isinstance(source.json, dict):
        return "keypoint" in source.json
    return isinstance(source.json, list) and isinstance(source.first_item, int | float)


FORMAT = Format(
    name="keypoint_json",
    title="Keypoints as JSON lists",
    keeps="joints, scores in 2D, layout, unit, image size",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
    needs=("layout",),
)
