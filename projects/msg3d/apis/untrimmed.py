"""Action segmentation in long recordings.

A sliding window is classified, and each frame gets the mean scores of the windows that
contain it. Networks trained on trimmed clips have no background class, so a score
threshold separates actions from background.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from .keypoint_input import Prepared
from .recognizer import Recognizer


@dataclass(frozen=True)
class Segment:
    """Range of frames with an action.

    Attributes:
        start, stop: range of frames; `stop` is exclusive.
        label: index of the class.
        name: name of the class.
        score: mean score of the class over these frames.
    """

    start: int
    stop: int
    label: int
    name: str
    score: float


def frame_scores(
    recognizer: Recognizer,
    sample: Any,
    window: int,
    stride: int,
    enrolled: bool = False,
    **options: Any,
) -> NDArray[np.float32]:
    """Return the class scores of each frame of a recording.

    Args:
        recognizer: recognizer for classification, fastest with `clips=1`.
        sample: a sequence of any length, see `Recognizer.predict`.
        window: number of frames per window, at the frame rate of the network. A shorter
            recording is a single window.
        stride: number of frames between the starts of consecutive windows. The last
            window ends with the recording.
        enrolled: whether to predict the enrolled classes, see `Recognizer.enroll`.
        **options: `layout`, `unit`, and `img_shape` of `Recognizer.predict_each`.

    Returns:
        float32 [T, classes]. Frames that are not in any window with a person are NaN.

    Raises:
        DataError: see `Recognizer.predict`.
        ConfigError: `window` or `stride` is below 1, or the network is for regression.
    """
    if recognizer.targets:
        raise ConfigError(
            "the network predicts regression targets, expected classes. Predict the "
            "sequences without a window.",
            kind="option",
        )
    for name, value in (("window", window), ("stride", stride)):
        if value < 1:
            raise ConfigError(
                f"{name} is {value}, expected at least 1 frame",
                kind="option",
                field=name,
            )
    sample = recognizer.prepare(sample, **options)
    frames = sample["keypoint"].shape[1]
    starts = [
        start
        for start in _starts(frames, window, stride)
        if sample["keypoint"][:, start : start + window].any()
    ]
    windows = (_cut(sample, start, start + window) for start in starts)
    classes = recognizer.enrolled.names if enrolled else recognizer.classes
    sums = np.zeros((frames, len(classes)))
    counts = np.zeros((frames, 1))
    predictions = recognizer.predict_each(windows, enrolled=enrolled)
    for start, prediction in zip(starts, predictions, strict=True):
        sums[start : start + window] += prediction.scores
        counts[start : start + window] += 1
    with np.errstate(invalid="ignore"):
        scores: NDArray[np.float32] = (sums / counts).astype(np.float32)
    positions = sample.get("frame_positions")
    if positions is None:
        return scores
    # The scores of the frames of the recording, which has another frame rate
    own = np.arange(sample["recorded_frames"])
    nearest = np.interp(own, positions, np.arange(frames))
    of_recording: NDArray[np.float32] = scores[np.rint(nearest).astype(int)]
    return of_recording


def smooth(scores: np.ndarray, width: int) -> np.ndarray:
    """Return the moving average of frame scores.

    Args:
        scores: [T, classes], from `frame_scores`. NaN frames are ignored and stay NaN.
        width: number of frames to average over, an odd number. At both ends of the
            recording, fewer frames are averaged.

    Returns:
        [T, classes], of the same dtype.

    Raises:
        ConfigError: the width is even or below 1.
    """
    if width < 1 or width % 2 == 0:
        raise ConfigError(
            f"width is {width}, expected an odd number of frames",
            kind="option",
            field="width",
        )
    known = ~np.isnan(scores).any(1)
    sums = np.cumsum(np.where(known[:, None], scores, 0), axis=0, dtype=np.float64)
    counts = np.cumsum(known)
    # Cumulative sums before frames 0, 1, ..., T.
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    counts = np.concatenate([[0], counts])
    frames = np.arange(len(scores))
    low = np.maximum(frames - width // 2, 0)
    high = np.minimum(frames + width // 2 + 1, len(scores))
    number = np.maximum(counts[high] - counts[low], 1)
    means: NDArray[np.float64] = (sums[high] - sums[low]) / number[:, None]
    means[~known] = np.nan
    return means.astype(scores.dtype)


def segments(
    scores: np.ndarray,
    classes: Sequence[str],
    threshold: float = 0.0,
    min_frames: int = 1,
) -> list[Segment]:
    """Return the segments in which the same class has the highest score.

    Args:
        scores: [T, classes], from `frame_scores` or `smooth`.
        classes: names of the classes.
        threshold: minimum of the highest score. Frames below it are background.
        min_frames: minimum number of frames per segment. A shorter segment is merged into
            the adjacent segment whose class has the higher mean score in its frames. It
            is dropped if no segment is adjacent.

    Returns:
        Segments in temporal order, without overlap.
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    best, labels = known.max(1), known.argmax(1)
    labels[(best < threshold) | np.isneginf(best)] = -1
    labels = _merge_short(labels, scores, min_frames)
    return [
        Segment(
            start, stop, label, classes[label], float(scores[start:stop, label].mean())
        )
        for start, stop, label in _runs(labels)
        if label >= 0
    ]


def _merge_short(labels: np.ndarray, scores: np.ndarray, min_frames: int) -> np.ndarray:
    """Merge runs of labels [T] shorter than `min_frames` into adjacent runs.

    The shortest run is merged first.
    """
    labels = labels.copy()
    while True:
        runs = list(_runs(labels))
        short = [
            (stop - start, number)
            for number, (start, stop, label) in enumerate(runs)
            if label >= 0 and stop - start < min_frames
        ]
        if not short:
            return labels
        _, number = min(short)
        start, stop, _ = runs[number]
        neighbors = [
            runs[other][2]
            for other in (number - 1, number + 1)
            if 0 <= other < len(runs) and runs[other][2] >= 0
        ]
        means = scores[start:stop].mean(0)
        labels[start:stop] = max(neighbors, key=lambda n: means[n], default=-1)


def _runs(labels: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield (start, stop, label) for each run of frames with the same label."""
    borders = np.flatnonzero(np.diff(labels)) + 1
    edges = [0, *borders.tolist(), len(labels)]
    for start, stop in itertools.pairwise(edges):
        if start < stop:
            yield start, stop, int(labels[start])


def _starts(frames: int, window: int, stride: int) -> list[int]:
    last = max(frames - window, 0)
    starts = list(range(0, last + 1, stride))
    return starts if starts[-1] == last else [*starts, last]


def _cut(sample: Prepared, start: int, stop: int) -> Prepared:
    """Return a range of frames of a prepared sample."""
    part = dict(sample, frame_dir=f"{sample['frame_dir']}, frames from {start}")
    for key in ("keypoint", "keypoint_score"):
        if key in part:
            part[key] = part[key][:, start:stop]
    part["total_frames"] = part["keypoint"].shape[1]
    return Prepared(part, sample.expected)


def seconds(frame: int, fps: float) -> float:
    """Return the start time of a frame in seconds.

    Args:
        frame: index of the frame, from 0.
        fps: frames per second.

    Raises:
        DataError: `fps` is not positive.
    """
    if not fps > 0:
        raise DataError(
            f"fps is {fps}, expected a positive number", kind="option", field="fps"
        )
    return frame / fps


def as_srt(parts: Sequence[Segment], fps: float) -> str:
    """Return segments as SubRip subtitles (`.srt`) for video players.

    Args:
        parts: segments in temporal order.
        fps: frames per second of the recording.

    Raises:
        DataError: `fps` is not positive.
    """
    lines = []
    for number, part in enumerate(parts, 1):
        start, stop = (_srt_time(seconds(f, fps)) for f in (part.start, part.stop))
        lines.append(f"{number}\n{start} --> {stop}\n{part.name} ({part.score:.2f})\n")
    return "\n".join(lines)


def _srt_time(time: float) -> str:
    minutes, milliseconds = divmod(round(1000 * time), 60000)
    hours, minutes = divmod(minutes, 60)
    return "{:02}:{:02}:{:02},{:03}".format(hours, minutes, *divmod(milliseconds, 1000))


def as_rows(parts: Sequence[Segment], fps: float | None) -> list[dict[str, Any]]:
    """Return segments as dictionaries for JSON and CSV.

    Args:
        parts: segments in temporal order.
        fps: frames per second of the recording; None to omit the times in seconds.
    """
    rows = []
    for part in parts:
        row: dict[str, Any] = {"start": part.start, "stop": part.stop}
        if fps:
            row.update(
                start_seconds=round(seconds(part.start, fps), 3),
                stop_seconds=round(seconds(part.stop, fps), 3),
            )
        row.update(label=part.label, name=part.name, score=round(part.score, 6))
        rows.append(row)
    return rows
