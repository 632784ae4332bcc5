"""Files in, files out: predictions of a folder, which can be interrupted.

Each source has a JSON file of its own, written whole when it is done. A next start
reads it instead of predicting again, unless the source, the network or an option has
changed since.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

from tqdm import tqdm

from ..datasets.whole_file import whole_file
from .keypoint_input import KeypointError
from .pose_video import SUFFIXES as VIDEOS
from .prediction import Prediction
from .recognizer import Recognizer

TABLE = "predictions.csv"
COLUMNS = (
    *("source", "sample", "of", "first_frame", "last_frame"),
    *("label", "name", "score"),
)


@dataclass
class Report:
    """What became of the sources.

    Attributes:
        predicted, found: names of those done now, and of those done before.
        failed: (what, why) of sources and samples without a prediction.
    """

    predicted: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Source:
    """A source that was read, and what became of its samples."""

    name: str
    key: str
    samples: list[dict]
    errors: dict[str, str]


def predict_files(
    recognizer: Recognizer,
    sources: list[str],
    root: str,
    out: str,
    read: Callable[[str], list[dict]],
    settings: Any,
    top: int = 5,
    persons: bool = False,
    pairs: int = 0,
) -> Report:
    """Predicts every source that is not done, and writes all that is known.

    Args:
        recognizer: the network.
        sources: files, or folders of frames.
        root: the folder that their names begin from.
        out: folder for `NAME.json` of each source and `predictions.csv` of all.
        read: gives the sequences of a source, or raises KeypointError.
        settings: all that predictions depend on besides the sources; its `repr` counts.
        top: how many classes to write.
        persons, pairs: as in `Recognizer.predict_each`.

    Returns:
        The report. A source or sample that fails does not keep others from being done.

    Raises:
        KeypointError: pairs are asked of a network that sees one person at a time.
        OSError: a file cannot be written.
    """
    # Options that do not suit the network are no fault of any file.
    list(recognizer.predict_each([], persons=persons, pairs=pairs))
    report = Report()
    names = {path: os.path.relpath(path, root) for path in sources}
    keys = {path: _key(path, (settings, top, persons, pairs)) for path in sources}
    pending: list[_Source] = []

    def finish() -> None:
        _finish(pending, recognizer, out, report, top, persons=persons, pairs=pairs)
        pending.clear()

    for path in tqdm(sources, unit="source", disable=None):
        record = _done(_target(out, names[path]), keys[path])
        if record is not None:
            report.found.append(names[path])
            report.failed += [(names[path], why) for why in _errors(record)]
            continue
        try:
            sequences = read(path)
        except KeypointError as error:
            report.failed.append((names[path], str(error)))
            continue
        pending.append(_prepared(recognizer, names[path], keys[path], sequences))
        # Short files share a batch; what took long to estimate is not kept waiting.
        waiting = sum(len(one.samples) for one in pending)
        if waiting >= recognizer.batch_size or path.lower().endswith(VIDEOS):
            finish()
    finish()
    records = (_done(_target(out, names[path]), keys[path]) for path in sources)
    _write_table(os.path.join(out, TABLE), [one for one in records if one is not None])
    return report


def _prepared(recognizer, name: str, key: str, sequences: list[dict]) -> _Source:
    source = _Source(name, key, [], {})
    for sequence in sequences:
        try:
            source.samples.append(recognizer.prepare(sequence))
        except KeypointError as error:
            source.errors[sequence["frame_dir"]] = str(error)
    return source


def _finish(pending, recognizer, out, report, top, **options) -> None:
    """Predicts the sources that wait and writes their files."""
    samples = [sample for source in pending for sample in source.samples]
    try:
        predictions = list(
            tqdm(
                recognizer.predict_each(samples, **options),
                total=len(samples),
                unit="sample",
                leave=False,
                disable=None,
            )
        )
    except ValueError as error:
        # A transform refuses a sample: find out whose.
        if len(pending) > 1:
            for source in pending:
                _finish([source], recognizer, out, report, top, **options)
        else:
            report.failed.append((pending[0].name, str(error)))
        return
    remaining = iter(predictions)
    for source in pending:
        record = _record(source, remaining, top)
        path = _target(out, source.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with whole_file(path, "x") as file:
            json.dump(record, file, indent=1)
        report.predicted.append(source.name)
        report.failed += [(source.name, why) for why in _errors(record)]


def _record(source: _Source, predictions: Iterator[Prediction], top: int) -> dict:
    samples = []
    for sample in source.samples:
        found = dict(sample=sample["frame_dir"], **next(predictions).as_dict(top))
        if sample.get("notes"):
            found["notes"] = sample["notes"]
        samples.append(found)
    record = dict(source=source.name, key=source.key, samples=samples)
    return dict(record, failed=source.errors) if source.errors else record


def _errors(record: dict) -> list[str]:
    return list(record.get("failed", {}).values())


def _target(out: str, name: str) -> str:
    return os.path.join(out, f"{name}.json")


def _key(path: str, settings: Any) -> str:
    """Changes with the source and with all that its predictions depend on."""
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(path, one) for one in sorted(os.listdir(path))]
    stats = [(os.path.basename(one), os.stat(one)) for one in files]
    known = [(name, one.st_size, one.st_mtime_ns) for name, one in stats]
    return hashlib.sha256(repr((known, settings)).encode()).hexdigest()[:32]


def _done(path: str, key: str) -> Optional[dict]:
    """What was written of a source, None if nothing, or under another key."""
    try:
        with open(path) as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("key") == key else None


def _write_table(path: str, records: list[dict]) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with whole_file(path, "x") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for record in records:
            for sample in record["samples"]:
                writer.writerows(_rows(record["source"], sample))


def _rows(source: str, sample: dict) -> Iterable[dict]:
    """A line for the whole, for each person and for each pair."""
    parts = [("all", sample)]
    parts += [(f"person {one['rows'][0]}", one) for one in sample.get("persons", [])]
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
