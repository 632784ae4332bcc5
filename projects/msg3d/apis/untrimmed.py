"""Long recordings: which action is when.

A window slides over the recording, and each frame has the mean score of the windows
that show it. Networks for trimmed sequences know no "nothing happens": a threshold on
the score has to stand for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from ..errors import ConfigError, DataError
from .keypoint_input import Prepared
from .recognizer import Recognizer


@dataclass(frozen=True)
class Segment:
    """A part of a recording.

    Attributes:
        start, stop: first frame, and one past the last.
        label: number of the class.
        name: of the class.
        score: mean over the frames.
    """

    start: int
    stop: int
    label: int
    name: str
    score: float


def frame_scores(
    recognizer: Recognizer, sample: Any, window: int, stride: int, **options
) -> np.ndarray:
    """Scores of every frame of a recording.

    Args:
        recognizer: the network; `clips=1` makes windows cheap.
        sample: a sequence as `Recognizer.predict` takes it, of any length.
        window: frames of a window; a shorter recording is one window.
        stride: frames from one window to the next; the last one ends with the
            recording.
        **options: `layout`, `unit`, `img_shape` of `Recognizer.predict_each`.

    Returns:
        float32 [T, classes]; NaN in frames that no window with a person in it shows.

    Raises:
        DataError: as `Recognizer.predict`.
        ConfigError: a window or stride below 1.
    """
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
    sums = np.zeros((frames, len(recognizer.classes)))
    counts = np.zeros((frames, 1))
    for start, found in zip(starts, recognizer.predict_each(windows)):
        sums[start : start + window] += found.scores
        counts[start : start + window] += 1
    with np.errstate(invalid="ignore"):
        return (sums / counts).astype(np.float32)


def smooth(scores: np.ndarray, width: int) -> np.ndarray:
    """The mean over `width` frames about each frame, at the ends over those there are.

    Args:
        scores: [T, classes]; frames that are NaN stay so, and count for nothing.
        width: frames, odd.

    Raises:
        ConfigError: an even width, or one below 1.
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
    # Sums before frame 0, 1, ... T.
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    counts = np.concatenate([[0], counts])
    places = np.arange(len(scores))
    low = np.maximum(places - width // 2, 0)
    high = np.minimum(places + width // 2 + 1, len(scores))
    number = np.maximum(counts[high] - counts[low], 1)
    means = (sums[high] - sums[low]) / number[:, None]
    means[~known] = np.nan
    return means.astype(scores.dtype)


def segments(
    scores: np.ndarray,
    classes: Sequence[str],
    threshold: float = 0.0,
    min_frames: int = 1,
) -> list[Segment]:
    """The parts of a recording in which one class has the highest score.

    Args:
        scores: [T, classes], of `frame_scores`.
        classes: their names.
        threshold: frames whose best score is below it belong to no segment.
        min_frames: shorter parts are given to that neighbour, in front or behind,
            whose class scores higher in them; with no neighbour they are left out.

    Returns:
        In the order of time; they do not overlap.
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    best, labels = known.max(1), known.argmax(1)
    labels[(best < threshold) | np.isneginf(best)] = -1
    labels = _without_short(labels, scores, min_frames)
    return [
        Segment(
            start, stop, label, classes[label], float(scores[start:stop, label].mean())
        )
        for start, stop, label in _runs(labels)
        if label >= 0
    ]


def _without_short(labels: np.ndarray, scores: np.ndarray, least: int) -> np.ndarray:
    """Labels [T] in which every run of a class has `least` frames; the shortest first."""
    labels = labels.copy()
    while True:
        runs = list(_runs(labels))
        short = [
            (stop - start, number)
            for number, (start, stop, label) in enumerate(runs)
            if label >= 0 and stop - start < least
        ]
        if not short:
            return labels
        _, number = min(short)
        start, stop, _ = runs[number]
        neighbours = [
            runs[other][2]
            for other in (number - 1, number + 1)
            if 0 <= other < len(runs) and runs[other][2] >= 0
        ]
        means = scores[start:stop].mean(0)
        labels[start:stop] = max(neighbours, key=lambda n: means[n], default=-1)


def _runs(labels: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(start, stop, label) of frames that follow each other and have one label."""
    borders = np.flatnonzero(np.diff(labels)) + 1
    edges = [0, *borders.tolist(), len(labels)]
    for start, stop in zip(edges, edges[1:]):
        if start < stop:
            yield start, stop, int(labels[start])


def _starts(frames: int, window: int, stride: int) -> list[int]:
    last = max(frames - window, 0)
    starts = list(range(0, last + 1, stride))
    return starts if starts[-1] == last else [*starts, last]


def _cut(sample: Prepared, start: int, stop: int) -> Prepared:
    """Return some frames of a prepared sample."""
    part = dict(sample, frame_dir=f"{sample['frame_dir']}, frames from {start}")
    for key in ("keypoint", "keypoint_score"):
        if key in part:
            part[key] = part[key][:, start:stop]
    part["total_frames"] = part["keypoint"].shape[1]
    return Prepared(part, sample.expected)


def seconds(frame: int, fps: float) -> float:
    """The time at which a frame begins.

    Raises:
        DataError: `fps` is not above 0.
    """
    if not fps > 0:
        raise DataError(
            f"fps is {fps}, expected a number above 0", kind="option", field="fps"
        )
    return frame / fps


def as_srt(found: Sequence[Segment], fps: float) -> str:
    """Segments as subtitles (SubRip): every video player shows them."""
    lines = []
    for number, one in enumerate(found, 1):
        start, stop = (_srt_time(seconds(f, fps)) for f in (one.start, one.stop))
        lines.append(f"{number}\n{start} --> {stop}\n{one.name} ({one.score:.2f})\n")
    return "\n".join(lines)


def _srt_time(time: float) -> str:
    minutes, milliseconds = divmod(round(1000 * time), 60000)
    hours, minutes = divmod(minutes, 60)
    return "{:02}:{:02}:{:02},{:03}".format(hours, minutes, *divmod(milliseconds, 1000))


def as_rows(found: Sequence[Segment], fps: Optional[float]) -> list[dict]:
    """Segments as dictionaries, for JSON and csv; in seconds too if `fps` is known."""
    rows = []
    for one in found:
        row = dict(start=one.start, stop=one.stop)
        if fps:
            row.update(
                start_seconds=round(seconds(one.start, fps), 3),
                stop_seconds=round(seconds(one.stop, fps), 3),
            )
        row.update(label=one.label, name=one.name, score=round(one.score, 6))
        rows.append(row)
    return rows
