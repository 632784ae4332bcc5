"""Find faults in the content of one sample of valid form."""

from collections.abc import Iterator

import numpy as np

from ...errors import DataError
from ...preprocessing.frame_rate import rate_of
from ..faults import Fault, shown
from ..samples import Sample
from .measures import Measures, is_present

# Larger than any room in millimeters and any image in pixels.
HUGE = 1e5
# The largest box in the coordinates of PreNormalize2D, which range from -1 to 1.
LARGEST_NORMALIZED = 2.0
# Pose estimators and annotators place a few joints outside the image.
OUTSIDE_SHARE, OUTSIDE_MARGIN = 0.05, 0.1
# OpenPose's scores exceed 1 slightly.
HIGHEST_SCORE = 1.5
# If height and width are swapped, many more joints are outside.
SWAPPED_SHARE = 0.2


def content_faults(sample: Sample, name: str, measures: Measures) -> Iterator[Fault]:
    """Find faults in the keypoints, scores, and image size of a sample.

    Args:
        sample, name: the sample and its id.
        measures: result of `measure` for this sample.
    """

    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"'keypoint' {text}", name, "keypoint")

    try:
        rate_of(sample)
    except DataError as error:
        yield Fault("rate-invalid", error.message, name, error.where.field)
    if not measures.person_frames:
        yield Fault(
            "keypoint-zero",
            "all keypoints are zero (no person detected). Remove the sample.",
            name,
            "keypoint",
        )
        return
    reach = max(np.abs(measures.low).max(), np.abs(measures.high).max())
    if reach > HUGE:
        yield fault(
            "keypoint-huge",
            f"has coordinates up to {reach:.3g}, expected at most {HUGE:g} in any unit. "
            "Fix the coordinates, or set absent joints to zero.",
        )
    elif measures.size == 0:
        yield fault(
            "one-point",
            "has all joints of a person at the same point. Remove the sample, or set "
            "absent joints to zero.",
        )
    if np.dtype(measures.dtype).kind in "iu":
        yield fault(
            "keypoint-integer",
            f"has dtype {measures.dtype}, so PreNormalize2D rounds its output (-1 to 1) to "
            "integers. Store float32, for example with save_annotations.",
        )
    if measures.dtype == "float16":
        step = np.spacing(np.float16(min(reach, 65000)))
        yield fault(
            "float16",
            f"has dtype float16, with a resolution of {step:.2g} at coordinates of "
            f"{reach:.4g}. Convert the raw data to float32 instead.",
        )
    if measures.frames == 1:
        yield fault(
            "one-frame",
            "has a single frame, so there is no motion. Remove the sample, unless single "
            "poses are intended.",
        )
    if measures.still:
        yield fault(
            "frozen",
            f"has {measures.frames} identical frames, so there is no motion. Convert the "
            "raw data again, or remove the sample.",
        )
    empty = np.flatnonzero(measures.empty_frames)
    # A pose estimator does not find a person in every frame.
    if len(empty) and measures.scores is None:
        yield fault(
            "frame-zero",
            f"has no person in {len(empty)} of {measures.frames} frames, first in frame "
            f"{empty[0]}. Remove these frames.",
        )
    last = np.flatnonzero(measures.present)[-1]
    if not measures.present[:last].all():
        yield fault(
            "person-gap",
            f"is zero for person {np.argmin(measures.present)}, but not for person {last}. "
            "Move all persons to the front, since FormatGCNInput keeps only the first "
            "persons.",
        )
    yield from _score_faults(name, measures)
    if len(measures.low) == 2:
        yield from _image_faults(sample, name, measures)


def _score_faults(name: str, measures: Measures) -> Iterator[Fault]:
    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"'keypoint_score' {text}", name, "keypoint_score")

    if measures.scores is None:
        return
    low, high = measures.scores
    if len(measures.low) == 3:
        yield fault(
            "score-3d",
            "is present, but 'keypoint' is 3D, and GenSkeFeat supports scores for 2D "
            "keypoints only. Remove 'keypoint_score'.",
        )
    if low < -1e-3 or high > HIGHEST_SCORE:
        yield fault(
            "score-range",
            f"ranges from {low:.3g} to {high:.3g}, expected 0 to 1. Rescale the scores.",
        )
    if low == high == 0:
        yield fault(
            "score-zero",
            "is zero everywhere although joints are present, so heatmaps are empty. Fix "
            "the scores, or remove the sample.",
        )


def _image_faults(sample: Sample, name: str, measures: Measures) -> Iterator[Fault]:
    def fault(kind: str, text: str) -> Fault:
        return Fault(kind, f"'img_shape' {text}", name, "img_shape")

    shape = sample.get("img_shape")
    if shape is None:
        if measures.size > LARGEST_NORMALIZED:
            yield fault(
                "img-shape-missing",
                "is missing, so PreNormalize2D assumes (1080, 1920). Add the "
                "(height, width) of the video.",
            )
        return
    sides = (
        list(shape)
        if isinstance(shape, (tuple, list, np.ndarray)) and np.ndim(shape)
        else []
    )
    if len(sides) != 2 or not all(
        isinstance(side, (int, np.integer)) and side > 0 for side in sides
    ):
        yield fault(
            "img-shape-kind",
            f"is {shown(shape)}, expected two positive integers (height, width)",
        )
        return
    height, width = image = int(sides[0]), int(sides[1])
    if measures.size <= LARGEST_NORMALIZED:
        if image == (1, 1):  # fractions of the image, which PreNormalize2D supports
            return
        yield Fault(
            "not-pixels",
            f"'keypoint' has persons of size {measures.size:.2g}, but 'img_shape' is "
            f"{image}, so the unit of the coordinates is not pixels. Store pixels, or omit "
            "PreNormalize2D.",
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
            f"is {image}, expected (height, width). {outside:.0%} of the joints are "
            f"outside of the image, but all are inside of {width, height}. Swap the "
            "values.",
        )
    else:
        yield fault(
            "outside-image",
            f"is {image}, but {outside:.0%} of the joints are outside of the image. Check "
            "whether 'keypoint' and 'img_shape' belong to the same image.",
        )


def _share_outside(keypoint: np.ndarray, width: int, height: int) -> float:
    """Return the share of present joints that are clearly outside the image."""
    size = np.array([width, height])
    outside = np.abs(keypoint - size / 2) > size * (0.5 + OUTSIDE_MARGIN)
    present = is_present(keypoint)
    return float((outside.any(axis=-1) & present).sum() / present.sum())
