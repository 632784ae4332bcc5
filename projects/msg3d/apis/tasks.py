"""Prediction tasks: labels or regression targets of sequences, or segments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .keypoint_input import Prepared
from .recognizer import Recognizer
from .untrimmed import as_rows, as_srt, frame_scores, segments, smooth

# Dictionary with the results of a source or sample, or a row of the table.
Record = dict[str, Any]


@dataclass(frozen=True)
class Labels:
    """Prediction of labels or regression targets for sequences, persons, and pairs.

    Args:
        recognizer: recognizer that predicts the samples.
        top: number of classes with the highest scores to write per prediction.
        persons, pairs, enrolled: see `Recognizer.predict_each`.
    """

    recognizer: Recognizer
    top: int = 5
    persons: bool = False
    pairs: int = 0
    enrolled: bool = False
    table = "predictions.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        values = self.recognizer.targets or ("label", "name", "score")
        return ("source", "sample", "of", "first_frame", "last_frame", *values)

    def predict(self, samples: list[Prepared]) -> Iterator[Record]:
        """Yield `Prediction.as_dict` for each sample."""
        predictions = self.recognizer.predict_each(
            samples,
            persons=self.persons,
            pairs=self.pairs,
            enrolled=self.enrolled,
        )
        for prediction in predictions:
            yield prediction.as_dict(self.top)

    def rows(self, source: str, sample: Record) -> Iterable[Record]:
        """Yield table rows for a sequence and each of its persons and pairs."""
        parts = [("all", sample)]
        for person in sample.get("persons", []):
            parts.append((f"person {person['rows'][0]}", person))
        for pair in sample.get("pairs", []):
            parts.append(("pair {}-{}".format(*pair["rows"]), pair))
        for subject, part in parts:
            values = part.get("targets") or {
                key: part[key] for key in ("label", "name", "score")
            }
            row = {
                "source": source,
                "sample": sample["sample"],
                "of": subject,
                "first_frame": part["frames"][0],
                "last_frame": part["frames"][1] - 1,
            }
            yield row | {
                key: f"{value:.6f}" if isinstance(value, float) else value
                for key, value in values.items()
            }

    def subtitles(self, sample: Record) -> str | None:
        """Return None, since labels have no times."""


@dataclass(frozen=True)
class Segments:
    """Segmentation of sequences into actions with a sliding window, see `untrimmed`.

    Args:
        recognizer: recognizer that classifies the windows.
        window: number of frames per window.
        stride: number of frames between the starts of consecutive windows.
        width: odd number of frames over which scores are averaged.
        threshold: minimum of the highest score of a frame; other frames are background.
        min_frames: minimum number of frames per segment.
        fps: frames per second, for times and subtitles; None to omit both.
        enrolled: whether to predict the enrolled classes, see `Recognizer.enroll`.
    """

    recognizer: Recognizer
    window: int
    stride: int
    width: int = 1
    threshold: float = 0.0
    min_frames: int = 1
    fps: float | None = None
    enrolled: bool = False
    table = "segments.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        times = ("start_seconds", "stop_seconds") if self.fps else ()
        return ("source", "sample", "start", "stop", *times, "label", "name", "score")

    def predict(self, samples: list[Prepared]) -> Iterator[Record]:
        """Yield a dictionary with `frames`, `segments`, and `srt` for each sample.

        The number `frames` and the list `segments` are always present; the subtitles
        `srt` only if `fps` is known.
        """
        recognizer, enrolled = self.recognizer, self.enrolled
        classes = recognizer.enrolled.names if enrolled else recognizer.classes
        for sample in samples:
            scores = frame_scores(
                recognizer, sample, self.window, self.stride, enrolled
            )
            parts = segments(
                smooth(scores, self.width),
                classes,
                self.threshold,
                self.min_frames,
            )
            record = {"frames": len(scores), "segments": as_rows(parts, self.fps)}
            yield dict(record, srt=as_srt(parts, self.fps)) if self.fps else record

    def rows(self, source: str, sample: Record) -> Iterable[Record]:
        """Yield a table row for each segment of a sample."""
        for segment in sample["segments"]:
            yield dict(segment, source=source, sample=sample["sample"])

    def subtitles(self, sample: Record) -> str | None:
        """Remove the SubRip subtitles from a record and return them.

        Returns:
            Text of the `.srt` file, or None if the record has no subtitles.
        """
        srt: str | None = sample.pop("srt", None)
        return srt
