"""Prediction of files, with results in JSON, CSV, and SRT files, and resumption.

A source is a file or a folder of frames. The results of a source are written to its own
JSON file as soon as it is done. A restarted run reads this file instead of predicting the
source again, unless the source, the network, or an option has changed.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..annotations import Sample
from ..errors import ConfigError, DataError
from ..formats.video import FORMAT as VIDEO
from ..io.atomic import whole_file, write_json
from ..io.progress import progress
from .input_files import absolute, path_in, source_names
from .keypoint_input import Prepared
from .recognizer import Recognizer
from .tasks import Labels, Record, Segments


@dataclass
class Report:
    """Outcomes of the sources of a run.

    Attributes:
        predicted: names of the sources that this run predicted.
        reused: names of the sources with results from an earlier run.
        failed: (source name, reason) of each source and each sample without a prediction.
    """

    predicted: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Source:
    """Source with its valid samples, and the errors of invalid samples by name."""

    name: str
    samples: list[Prepared]
    errors: dict[str, str]


def check_output(folder: str) -> None:
    """Check that the output folder is or could become a folder.

    Raises:
        ConfigError: the path or one of its parents is a file (kind `wrong-path`).
    """
    target = path = absolute(folder)
    while not os.path.lexists(path):
        path = path.parent
    if not path.is_dir():
        raise ConfigError(
            "the path is a file, expected a folder for the predictions. Pass another "
            "folder as --output.",
            kind="wrong-path",
            file=folder if path == target else str(path),
        )


def predict_files(
    task: Labels | Segments,
    sources: list[str],
    root: str,
    out: str,
    read: Callable[[str], list[Sample]],
    settings: Any,
    overwrite: bool = False,
) -> Report:
    """Predict sources that have no results yet, and write the results to a folder.

    If a source or sample fails, the others are still predicted.

    Args:
        task: results to compute, with the recognizer.
        sources: paths of files or folders of frames.
        root: folder that the names of the sources are relative to.
        out: output folder for `NAME.json` per source, `NAME.srt` if the results contain
            times, and the table `task.table`.
        read: callable that returns the sequences of a source, or raises DataError.
        settings: everything except the sources that the predictions depend on. If its
            `repr` has changed, existing results are computed again.
        overwrite: whether to predict sources with existing results again.

    Returns:
        Report on the sources.

    Raises:
        DataError: pairs are requested, but the network takes a single person.
        OSError: a file cannot be written.
    """
    report = Report()
    names = source_names(sources, root)
    options = [getattr(task, option.name) for option in fields(task)[1:]]
    keys = {name: _key(path, (settings, options)) for name, path in names.items()}
    todo = {}
    for name, path in names.items():
        record = None if overwrite else _load_record(_target(out, name), keys[name])
        if record is None:
            todo[name] = path
            continue
        report.reused.append(name)
        report.failed += [(name, reason) for reason in _errors(record)]
    for record in predict_sources(task, todo, read, report):
        _write(record, keys[record["source"]], task, out)
    records = (_load_record(_target(out, name), key) for name, key in keys.items())
    _write_table(out, task, [record for record in records if record is not None])
    return report


def predict_sources(
    task: Labels | Segments,
    sources: dict[str, str],
    read: Callable[[str], list[Sample]],
    report: Report,
) -> Iterator[Record]:
    """Yield the results of each source as soon as its batch is done.

    Args:
        task, read: see `predict_files`.
        sources: dictionary from the names of the sources to their paths.
        report: report to update in place.

    Yields:
        Dictionary with the name `source`, the list `samples` of results, and `failed`, a
        dictionary from samples to reasons, if samples failed. Sources that cannot be
        read are only in the report.

    Raises:
        DataError: pairs are requested, but the network takes a single person.
    """
    # Report options that do not suit the network once, not for each file.
    list(task.predict([]))
    pending: list[_Source] = []
    for name, path in progress(sources.items(), total=len(sources), unit="source"):
        try:
            sequences = read(path)
        except DataError as error:
            report.failed.append((name, str(error)))
            continue
        pending.append(_prepare(task.recognizer, name, sequences))
        # Short files share a batch. Pose estimation is slow, so save its results at once.
        samples = sum(len(source.samples) for source in pending)
        is_video = path.lower().endswith(VIDEO.suffixes)
        if samples >= task.recognizer.batch_size or is_video:
            yield from _records(pending, task, report)
            pending = []
    yield from _records(pending, task, report)


def _prepare(recognizer: Recognizer, name: str, sequences: list[Sample]) -> _Source:
    source = _Source(name, [], {})
    for sequence in sequences:
        try:
            source.samples.append(recognizer.prepare(sequence))
        except DataError as error:
            source.errors[sequence["frame_dir"]] = str(error)
    return source


def _records(
    pending: list[_Source], task: Labels | Segments, report: Report
) -> Iterator[Record]:
    """Predict the samples of several sources together, and yield the records."""
    samples = [sample for source in pending for sample in source.samples]
    try:
        predictions = list(
            progress(
                task.predict(samples), total=len(samples), unit="sample", leave=False
            )
        )
    except ValueError as error:
        # A transform rejected a sample. Retry each source separately to find it.
        if len(pending) > 1:
            for source in pending:
                yield from _records([source], task, report)
        else:
            report.failed.append((pending[0].name, str(error)))
        return
    remaining = iter(predictions)
    for source in pending:
        record: Record = {"source": source.name, "samples": []}
        for sample in source.samples:
            entry = dict(sample=sample["frame_dir"], **next(remaining))
            if sample.get("notes"):
                entry["notes"] = sample["notes"]
            record["samples"].append(entry)
        if source.errors:
            record["failed"] = source.errors
        yield record
        if record["samples"]:
            report.predicted.append(source.name)
        report.failed += [(source.name, reason) for reason in _errors(record)]


def _write(record: Record, key: str, task: Labels | Segments, out: str) -> None:
    """Write the subtitles of a source, and then its JSON file, which completes it."""
    path = _target(out, record["source"])
    texts = {entry["sample"]: task.subtitles(entry) for entry in record["samples"]}
    for name, text in texts.items():
        if text is not None:
            # If a source has only one sequence, the file name does not need its id.
            suffix = "" if len(texts) == 1 else "." + name.replace("/", "_")
            with whole_file(f"{path[: -len('.json')]}{suffix}.srt", "x") as file:
                file.write(text)
    write_json(dict(record, key=key), path)


def _errors(record: Record) -> list[str]:
    return list(record.get("failed", {}).values())


def _target(out: str, name: str) -> str:
    return path_in(out, f"{name}.json")


def _key(path: str, settings: Any) -> str:
    """Return a hash of the settings, and of names, sizes, and times of the files."""
    files = [Path(path)]
    if files[0].is_dir():
        files = sorted(files[0].iterdir(), key=lambda file: file.name)
    stats = [(file.name, file.stat()) for file in files]
    state = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr((state, settings)).encode()).hexdigest()[:32]


def _load_record(path: str, key: str) -> Record | None:
    """Return the record in a JSON file, or None if it is missing or has another key."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("key") == key else None


def _write_table(out: str, task: Labels | Segments, records: list[Record]) -> None:
    with whole_file(path_in(out, task.table), "x") as file:
        writer = csv.DictWriter(file, task.columns, lineterminator="\n")
        writer.writeheader()
        for record in records:
            for sample in record["samples"]:
                writer.writerows(task.rows(record["source"], sample))
