"""What is written of each sample: its labels, or its segments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

from .recognizer import Recognizer
from .untrimmed import as_rows, as_srt, frame_scores, segments, smooth


@dataclass(frozen=True)
class Labels:
    """A label of each sequence, and of persons and pairs in it if asked for.

    Args:
        recognizer: the network.
        top: how many classes to write.
        persons, pairs: as in `Recognizer.predict_each`.
    """

    recognizer: Recognizer
    top: int = 5
    persons: bool = False
    pairs: int = 0
    table = "predictions.csv"
    columns = (
        *("source", "sample", "of", "first_frame", "last_frame"),
        *("label", "name", "score"),
    )

    def of(self, samples: list[dict]) -> Iterator[dict]:
        """For JSON, of each prepared sample."""
        options = dict(persons=self.persons, pairs=self.pairs)
        for one in self.recognizer.predict_each(samples, **options):
            yield one.as_dict(self.top)

    def rows(self, source: str, sample: dict) -> Iterable[dict]:
        """A line of the table for the whole, for each person and for each pair."""
        parts = [("all", sample)]
        for one in sample.get("persons", []):
            parts.append((f"person {one['rows'][0]}", one))
        for one in sample.get("pairs", []):
            parts.append(("pair {}-{}".format(*one["rows"]), one))
        for what, one in parts:
            yield dict(
                source=source,
                sample=sample["sample"],
                of=what,
                first_frame=one["frames"][0],
                last_frame=one["frames"][1] - 1,
                label=one["label"],
                name=one["name"],
                score=f"{one['score']:.6f}",
            )

    def subtitles(self, sample: dict) -> Optional[str]:
        """None: a label of the whole has no time."""


@dataclass(frozen=True)
class Segments:
    """Which action is when in each sequence, see `untrimmed`.

    Args:
        recognizer: the network.
        window, stride: frames of a window, and from one to the next.
        width: frames over which scores are smoothed, odd.
        threshold: least score of a segment's frames.
        min_frames: of a segment.
        fps: frames a second, for times and subtitles; None for neither.
    """

    recognizer: Recognizer
    window: int
    stride: int
    width: int = 1
    threshold: float = 0.0
    min_frames: int = 1
    fps: Optional[float] = None
    table = "segments.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        times = ("start_seconds", "stop_seconds") if self.fps else ()
        places = ("source", "sample", "start", "stop", *times)
        return (*places, "label", "name", "score")

    def of(self, samples: list[dict]) -> Iterator[dict]:
        """For JSON, of each prepared sample."""
        for sample in samples:
            scores = frame_scores(self.recognizer, sample, self.window, self.stride)
            found = segments(
                smooth(scores, self.width),
                self.recognizer.classes,
                self.threshold,
                self.min_frames,
            )
            record = dict(frames=len(scores), segments=as_rows(found, self.fps))
            yield dict(record, srt=as_srt(found, self.fps)) if self.fps else record

    def rows(self, source: str, sample: dict) -> Iterable[dict]:
        """A line of the table for each segment."""
        for one in sample["segments"]:
            yield dict(one, source=source, sample=sample["sample"])

    def subtitles(self, sample: dict) -> Optional[str]:
        """The segments as SubRip, taken out of the record; None without `fps`."""
        return sample.pop("srt", None)
