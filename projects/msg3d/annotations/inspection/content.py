"""Faults of one sample's content: its form is good, its numbers are not."""

from collections.abc import Iterator

import numpy as np

from ..faults import Fault, shown
from .measures import Measures, is_there

# Beyond any room in millimetres and any picture in pixels.
HUGE = 1e5
# Longer than any box in normalised coordinates (-1..1).
NORMALISED = 2.0
# Pose estimators put a few joints outside the picture.
OUTSIDE_SHARE, OUTSIDE_MARGIN = 0.05, 0.1
# And annotators a few more; height and width exchanged cut off a good part.
SWAPPED_SHARE = 0.2


def content_faults(sample: dict, name: str, seen: Measures) -> Iterator[Fault]:
    """What training would learn nothing, or something wrong, from."""

    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"keypoint {text}", name, "keypoint")

    if not seen.person_frames:
        yield fault("keypoint-zero", "is zero everywhere, nobody: leave the sample out")
        return
    reach = max(np.abs(seen.low).max(), np.abs(seen.high).max())
    if reach > HUGE:
        yield fault(
            "keypoint-huge",
            f"reaches {reach:.3g}, expected at most {HUGE:g} in any unit: mend the "
            "coordinates, or write absent joints as zero",
        )
    elif seen.size == 0:
        yield fault(
            "one-point",
            "has all joints of a person on one point: leave the sample out, or write "
            "absent joints as zero",
        )
    if np.dtype(seen.dtype).kind in "iu":
        yield fault(
            "keypoint-integer",
            f"is {seen.dtype}, in which PreNormalize2D rounds its -1..1 to zero: write "
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
            "has a single frame, so no motion: leave the sample out, unless its "
            "pose is enough",
        )
    if seen.still:
        yield fault(
            "frozen",
            f"has {seen.frames} frames that are all the same: nothing moves, read the "
            "source again or leave it out",
        )
    empty = np.flatnonzero(seen.empty_frames)
    if len(empty):
        yield fault(
            "frame-zero",
            f"has nobody in {len(empty)} of {seen.frames} frames, first in frame "
            f"{empty[0]}: leave those frames out",
        )
    last = np.flatnonzero(seen.seen)[-1]
    if not seen.seen[:last].all():
        yield fault(
            "person-gap",
            f"has no person {np.argmin(seen.seen)}, but a person {last}: move those "
            "who are there to the front, since FormatGCNInput keeps the first",
        )
    yield from _score_faults(sample, name, seen)
    if len(seen.low) == 2:
        yield from _picture_faults(sample, name, seen)


def _score_faults(sample: dict, name: str, seen: Measures) -> Iterator[Fault]:
    if seen.scores is None:
        return
    low, high = seen.scores
    if len(seen.low) == 3:
        yield Fault(
            "score-3d",
            "keypoint_score is there for three coordinates, which GenSkeFeat refuses: "
            "leave it out",
            name,
            "keypoint_score",
        )
    # Rounding may take a score a little beyond.
    if low < -1e-3 or high > 1 + 1e-3:
        yield Fault(
            "score-range",
            f"keypoint_score is {low:.3g} to {high:.3g}, expected 0 to 1: scale it",
            name,
            "keypoint_score",
        )
    if low == high == 0:
        yield Fault(
            "score-zero",
            "keypoint_score is zero everywhere, though joints are there: heatmaps of "
            "it are empty; leave the sample out or mend the scores",
            name,
            "keypoint_score",
        )


def _picture_faults(sample: dict, name: str, seen: Measures) -> Iterator[Fault]:
    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"img_shape {text}", name, "img_shape")

    shape = sample.get("img_shape")
    if shape is None:
        if seen.size > NORMALISED:
            yield fault(
                "img-shape-missing",
                "is missing, and PreNormalize2D takes (1080, 1920) in its place: add "
                "the (height, width) of the video",
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
    height, width = sides = tuple(map(int, sides))
    if seen.size <= NORMALISED:
        yield Fault(
            "not-pixels",
            f"keypoint is at most {seen.size:.2g} wide in a picture of {sides}, "
            "so not in pixels: store pixels, or leave PreNormalize2D out",
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
            f"is {sides}, with {outside:.0%} of the joints outside, but all "
            f"inside {width, height}: expected (height, width), so swap the two",
        )
    else:
        yield fault(
            "outside-image",
            f"is {sides}, with {outside:.0%} of the joints outside it: see "
            "whether keypoint and img_shape are of the same picture",
        )


def _share_outside(keypoint: np.ndarray, width: int, height: int) -> float:
    """Of the joints that are there, how many lie clearly outside the picture."""
    size = np.array([width, height])
    off = np.abs(keypoint - size / 2) > size * (0.5 + OUTSIDE_MARGIN)
    there = is_there(keypoint)
    return float((off.any(axis=-1) & there).sum() / there.sum())
