"""Faults in the content of one sample of valid form."""

from collections.abc import Iterator

import numpy as np

from ..faults import Fault, shown
from ..samples import Sample
from .measures import Measures, is_there

# Beyond any room in millimeters and any image in pixels.
HUGE = 1e5
# The largest box in coordinates of -1..1, as PreNormalize2D makes them.
LARGEST_NORMALIZED = 2.0
# Pose estimators place a few joints outside the image.
OUTSIDE_SHARE, OUTSIDE_MARGIN = 0.05, 0.1
# So do annotators; height and width exchanged cut off many more.
SWAPPED_SHARE = 0.2


def content_faults(sample: Sample, name: str, seen: Measures) -> Iterator[Fault]:
    """Find content from which training learns nothing, or something wrong."""

    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"keypoint {text}", name, "keypoint")

    if not seen.person_frames:
        yield Fault(
            "keypoint-zero",
            "all keypoints are zero (no person detected). Remove the sample.",
            name,
            "keypoint",
        )
        return
    reach = max(np.abs(seen.low).max(), np.abs(seen.high).max())
    if reach > HUGE:
        yield fault(
            "keypoint-huge",
            f"reaches {reach:.3g}, expected at most {HUGE:g} in any unit: fix the "
            "coordinates, or write absent joints as zero",
        )
    elif seen.size == 0:
        yield fault(
            "one-point",
            "has all joints of a person at one point: remove the sample, or write absent "
            "joints as zero",
        )
    if np.dtype(seen.dtype).kind in "iu":
        yield fault(
            "keypoint-integer",
            f"is {seen.dtype}, so PreNormalize2D rounds its -1..1 to zero: write "
            "float32, as save_annotations does",
        )
    if seen.dtype == "float16":
        step = np.spacing(np.float16(min(reach, 65000)))
        yield fault(
            "float16",
            f"is float16, in steps of {step:.2g} at {reach:.4g}: write float32 from "
            "the source",
        )
    if seen.frames == 1:
        yield fault(
            "one-frame",
            "has a single frame, so no motion: remove the sample, unless the pose is "
            "enough",
        )
    if seen.still:
        yield fault(
            "frozen",
            f"has {seen.frames} identical frames, so no motion: read the source again, "
            "or remove the sample",
        )
    empty = np.flatnonzero(seen.empty_frames)
    if len(empty):
        yield fault(
            "frame-zero",
            f"has no person in {len(empty)} of {seen.frames} frames, first in frame "
            f"{empty[0]}: remove these frames",
        )
    last = np.flatnonzero(seen.seen)[-1]
    if not seen.seen[:last].all():
        yield fault(
            "person-gap",
            f"has no person {np.argmin(seen.seen)}, but a person {last}: move the "
            "persons to the front, since FormatGCNInput keeps the first",
        )
    yield from _score_faults(name, seen)
    if len(seen.low) == 2:
        yield from _image_faults(sample, name, seen)


def _score_faults(name: str, seen: Measures) -> Iterator[Fault]:
    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"keypoint_score {text}", name, "keypoint_score")

    if seen.scores is None:
        return
    low, high = seen.scores
    if len(seen.low) == 3:
        yield fault(
            "score-3d",
            "exists for three coordinates, which GenSkeFeat refuses: remove it",
        )
    # Rounding may exceed the range a little.
    if low < -1e-3 or high > 1 + 1e-3:
        yield fault(
            "score-range", f"is {low:.3g} to {high:.3g}, expected 0 to 1: scale it"
        )
    if low == high == 0:
        yield fault(
            "score-zero",
            "is zero everywhere, although joints are present, so heatmaps are empty: fix "
            "the scores, or remove the sample",
        )


def _image_faults(sample: Sample, name: str, seen: Measures) -> Iterator[Fault]:
    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"img_shape {text}", name, "img_shape")

    shape = sample.get("img_shape")
    if shape is None:
        if seen.size > LARGEST_NORMALIZED:
            yield fault(
                "img-shape-missing",
                "is missing, so PreNormalize2D assumes (1080, 1920): add the "
                "(height, width) of the video",
            )
        return
    sides = list(shape) if isinstance(shape, (tuple, list, np.ndarray)) else []
    if len(sides) != 2 or not all(
        isinstance(side, (int, np.integer)) and side > 0 for side in sides
    ):
        yield fault(
            "img-shape-kind",
            f"is {shown(shape)}, expected (height, width), two integers above 0",
        )
        return
    height, width = image = int(sides[0]), int(sides[1])
    if seen.size <= LARGEST_NORMALIZED:
        yield Fault(
            "not-pixels",
            f"keypoint is at most {seen.size:.2g} wide in an image of {image}, so it is "
            "not in pixels: store pixels, or omit PreNormalize2D",
            name,
            "keypoint",
        )
        return
    outside = _share_outside(sample["keypoint"], width, height)
    if outside <= OUTSIDE_SHARE:
        return
    swapped = _share_outside(sample["keypoint"], height, width)
    if outside > SWAPPED_SHARE and swapped == 0:
        yield fault(
            "img-shape-swapped",
            f"is {image}, with {outside:.0%} of the joints outside, but all are inside "
            f"{width, height}: expected (height, width), so swap the two",
        )
    else:
        yield fault(
            "outside-image",
            f"is {image}, with {outside:.0%} of the joints outside: check whether "
            "keypoint and img_shape belong to the same image",
        )


def _share_outside(keypoint: np.ndarray, width: int, height: int) -> float:
    """Return the share of present joints that are clearly outside the image."""
    size = np.array([width, height])
    off = np.abs(keypoint - size / 2) > size * (0.5 + OUTSIDE_MARGIN)
    there = is_there(keypoint)
    return float((off.any(axis=-1) & there).sum() / there.sum())
