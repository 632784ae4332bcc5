"""Results that are written for each sample: labels, targets, or segments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .keypoint_input import Prepared
from .recognizer import Recognizer
from .untrimmed import as_rows, as_srt, frame_scores, segments, smooth

# The result for a source, for a sample in it, or a row of the table.
Record = dict[str, Any]


@dataclass(frozen=True)
class Labels:
    """Label or targets of each sequence, and optionally of persons and pairs in it.

    Args:
        recognizer: the network.
        top: number of classes to write.
        persons, pairs: as in `Recognizer.predict_each`.
    """

    recognizer: Recognizer
    top: int = 5
    persons: bool = False
    pairs: int = 0
    table = "predictions.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        values = self.recognizer.targets or ("label", "name", "score")
        return ("source", "sample", "of", "first_frame", "last_frame", *values)

    def of(self, samples: list[Prepared]) -> Iterator[Record]:
        """The prediction of each sample, for JSON."""
        predictions = self.recognizer.predict_each(
            samples, persons=self.persons, pairs=self.pairs
        )
        for prediction in predictions:
            yield prediction.as_dict(self.top)

    def rows(self, source: str, sample: Record) -> Iterable[Record]:
        """Rows of the table for the sequence, for each person, and for each pair."""
        parts = [("all", sample)]
        for person in sample.get("persons", []):
            parts.append((f"person {person['rows'][0]}", person))
        for pair in sample.get("pairs", []):
            parts.append(("pair {}-{}".format(*pair["rows"]), pair))
        for what, part in parts:
            values = part.get("targets") or {
                key: part[key] for key in ("label", "name", "score")
            }
            place = {
                "source": source,
                "sample": sample["sample"],
                "of": what,
                "first_frame": part["frames"][0],
                "last_frame": part["frames"][1] - 1,
            }
            yield place | {
                key: f"{value:.6f}" if isinstance(value, float) else value
                for key, value in values.items()
            }

    def subtitles(self, sample: Record) -> str | None:
        """None: a label of a whole sequence has no time."""


@dataclass(frozen=True)
class Segments:
    """The actions in each sequence and their times; see `untrimmed`.

    Args:
        recognizer: the network.
        window, stride: frames per window, and from one window to the next.
        width: frames over which scores are smoothed, odd.
        threshold: minimum score of the frames of a segment.
        min_frames: minimum length of a segment.
        fps: frames per second, for times and subtitles; None for neither.
    """

    recognizer: Recognizer
    window: int
    stride: int
    width: int = 1
    threshold: float = 0.0
    min_frames: int = 1
    fps: float | None = None
    table = "segments.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        times = ("start_seconds", "stop_seconds") if self.fps else ()
        places = ("source", "sample", "start", "stop", *times)
        return (*places, "label", "name", "score")

    def of(self, samples: list[Prepared]) -> Iterator[Record]:
        """The segments of each sample, for JSON."""
        for sample in samples:
            scores = frame_scores(self.recognizer, sample, self.window, self.stride)
            parts = segments(
                smooth(scores, self.width),
                self.recognizer.classes,
                self.threshold,
                self.min_frames,
            )
            record = {"frames": len(scores), "segments": as_rows(parts, self.fps)}
            yield dict(record, srt=as_srt(parts, self.fps)) if self.fps else record

    def rows(self, source: str, sample: Record) -> Iterable[Record]:
        """Rows of the table, one per segment."""
        for segment in sample["segments"]:
            yield dict(segment, source=source, sample=sample["sample"])

    def subtitles(self, sample: Record) -> str | None:
        """Remove the subtitles (SubRip) from the record and return them, if any."""
        srt: str | None = sample.pop("srt", None)
        return srt
