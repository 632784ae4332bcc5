"""Properties of an annotation file that a config depends on."""

from typing import Any, NamedTuple

import numpy as np

from ...errors import DataError
from ...preprocessing.frame_rate import rate_of
from ...skeletons import skeleton
from ..check import Annotations
from ..columns import Column
from ..samples import SampleSource
from .inspect import inspect_annotations
from .report import ERRORS, Report, clip_len, num_person, overview


class Facts(NamedTuple):
    """Properties of an annotation file that a config depends on.

    Attributes:
        layout: name of the layout, or a dictionary if it has no name.
        classes: number of classes.
        train, val: names of the training and validation splits.
        persons: number of persons that is sufficient for 95 % of the samples.
        channels: number of coordinates per joint, plus 1 if 2D joints have scores.
        dimensions: number of coordinates per joint, 2 or 3.
        clip_len: frames per clip.
        packed: whether the file is a packed store.
        fps: median frame rate of the samples; None if a sample does not specify it.
        names: names of the classes; None if the file does not contain them.
    """

    layout: str | dict[str, Any]
    classes: int
    train: str
    val: str
    persons: int
    channels: int
    dimensions: int
    clip_len: int
    packed: bool
    fps: float | None = None
    names: list[str] | None = None


def read_facts(
    data: Annotations | SampleSource,
    ann_file: str,
    layout: str | None = None,
    train_split: str | None = None,
    val_split: str | None = None,
) -> Facts:
    """Return the properties of annotations that a config depends on.

    Args:
        data: annotations or store as returned by `open_any`.
        ann_file: path of the file.
        layout: skeleton layout. Required if the file does not specify it.
        train_split, val_split: names of the training and validation splits. Required if
            the file has several pairs of splits.

    Raises:
        DataError: the file has faults (a kind of `faults.KINDS`), has no labels (kind
            `label`), or its splits or layout are unknown or ambiguous (kinds `split` and
            `layout`).
    """
    inspection = inspect_annotations(data)
    if inspection.errors:
        raise DataError(
            f"the file has {inspection.count(ERRORS)} errors. Run `msg3d check {ann_file}` "
            f"to list them. The first error is: {inspection.errors[0]}",
            kind=inspection.errors[0].kind,
            file=ann_file,
        )
    numbers = overview(inspection)
    labels = numbers["classes"]["labels"]
    if not labels or "frames" not in numbers:
        raise DataError(
            "the file has no valid sample with a label, expected at least one. For "
            "regression, start with `msg3d configs copy "
            "msg3d-12c_1xb16-laban-u250-200e_udiva-keypoint-3d .`",
            kind="label",
            file=ann_file,
        )
    train, val = _splits(numbers, ann_file, train_split, val_split)
    channels = numbers["channels"]
    return Facts(
        layout=_layout(data, numbers, ann_file, layout),
        classes=max(labels[-1] + 1, len(numbers["classes"]["names"] or ())),
        train=train,
        val=val,
        persons=num_person(numbers),
        channels=channels + (channels == 2 and numbers["scores"] is not None),
        dimensions=channels,
        clip_len=clip_len(numbers),
        packed=ann_file.rstrip("/").endswith(".packed"),
        fps=_common_rate(data),
        names=inspection.classes,
    )


def _common_rate(data: Annotations | SampleSource) -> float | None:
    """Return the median frame rate of the samples, rounded to 0.01."""
    samples = data["annotations"] if isinstance(data, dict) else data
    rates = Column(np.float64)
    for number in range(len(samples)):
        rate = rate_of(samples[number])
        if rate is None:
            return None
        rates.append(rate)
    return round(float(np.median(rates.array)), 2)


def _splits(
    numbers: Report, ann_file: str, train: str | None, val: str | None
) -> tuple[str, str]:
    splits, pairs = list(numbers["splits"]), numbers["pairs"]
    for option, name in (("--train-split", train), ("--val-split", val)):
        if name is not None and name not in splits:
            raise DataError(
                f"the file has no split {name!r}, expected one of "
                f"{', '.join(map(repr, splits))}. Correct {option}.",
                kind="split",
                file=ann_file,
                field="split",
            )
    if train and val:
        return train, val
    fitting = [
        pair for pair in pairs if train in (None, pair[0]) and val in (None, pair[1])
    ]
    if len(fitting) != 1:
        listed = ", ".join(f"{pair[0]} and {pair[1]}" for pair in fitting or pairs)
        raise DataError(
            f"the file has {len(fitting)} pairs of splits for training and validation, "
            f"expected one. Choose from {listed or ', '.join(splits)} with --train-split "
            "and --val-split.",
            kind="split",
            file=ann_file,
            field="split",
        )
    train, val = fitting[0]
    return train, val


def _layout(
    data: Annotations | SampleSource,
    numbers: Report,
    ann_file: str,
    layout: str | None,
) -> str | dict[str, Any]:
    joints: int = numbers["joints"]
    fitting: list[str] = numbers["layouts"]
    described: dict[str, Any] | None = numbers["own_layout"]
    if layout is not None:
        if len(skeleton(layout).joints) != joints:
            raise DataError(
                f"'keypoint' has {joints} joints, but layout {layout!r} has "
                f"{len(skeleton(layout).joints)}. Pass the layout of the file.",
                kind="layout",
                file=ann_file,
                field="keypoint",
            )
        return layout
    rest = data if isinstance(data, (dict, list)) else data.rest()
    meta = rest.get("meta") if isinstance(rest, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    named = meta.get("layout")
    if isinstance(named, (str, dict)):
        return named
    if fitting and ("joints" in meta or "inward" in meta):
        return fitting[0]
    if described:
        return described
    raise DataError(
        f"the file does not specify the skeleton layout of its {joints} joints. Pass "
        f"--layout with {' or '.join(fitting) or 'a .json file that describes the layout'}"
        ".",
        kind="layout",
        file=ann_file,
        field="meta",
    )
