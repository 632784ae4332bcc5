"""Predictions of files, written to files, with resuming after an interruption.

Each source has a JSON file of its own, which is written when the source is done. A
restarted run reads it instead of predicting again, unless the source, the network, or
an option has changed.
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
from .written import Labels, Record, Segments


@dataclass
class Report:
    """Outcome for each source.

    Attributes:
        predicted, found: names of sources that were done now, and before.
        failed: (name, reason) of sources and samples without a prediction.
    """

    predicted: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Source:
    """A source that was read, its checked samples, and the errors of the others."""

    name: str
    samples: list[Prepared]
    errors: dict[str, str]


def check_output(folder: str) -> None:
    """Check that a folder can be created, before anything is predicted.

    Raises:
        ConfigError: it, or a folder that contains it, is a file (`wrong-path`).
    """
    place = path = absolute(folder)
    while not os.path.lexists(path):
        path = path.parent
    if not path.is_dir():
        raise ConfigError(
            "is a file, expected a folder for the predictions. Give another --output",
            kind="wrong-path",
            file=folder if path == place else str(path),
        )


def predict_files(
    written: Labels | Segments,
    sources: list[str],
    root: str,
    out: str,
    read: Callable[[str], list[Sample]],
    settings: Any,
    overwrite: bool = False,
) -> Report:
    """Predict every source that is not done, and write all results.

    Args:
        written: what to write about each sample, by which network.
        sources: files, or folders of frames.
        root: the folder that their names are relative to.
        out: folder for `NAME.json` of each source, `NAME.srt` if there are times, and a
            table of all.
        read: returns the sequences of a source, or raises DataError.
        settings: everything that predictions depend on besides the sources, by `repr`.
        overwrite: whether to also predict the sources that are done.

    Returns:
        The report. If a source or sample fails, the others are still predicted.

    Raises:
        DataError: pairs were requested of a network of one person.
        OSError: a file cannot be written.
    """
    report = Report()
    names = source_names(sources, root)
    options = [getattr(written, each.name) for each in fields(written)[1:]]
    keys = {name: _key(path, (settings, options)) for name, path in names.items()}
    todo = {}
    for name, path in names.items():
        record = None if overwrite else _done(_target(out, name), keys[name])
        if record is None:
            todo[name] = path
            continue
        report.found.append(name)
        report.failed += [(name, why) for why in _errors(record)]
    for record in predict_sources(written, todo, read, report):
        _write(record, keys[record["source"]], written, out)
    records = (_done(_target(out, name), key) for name, key in keys.items())
    _write_table(out, written, [record for record in records if record is not None])
    return report


def predict_sources(
    written: Labels | Segments,
    sources: dict[str, str],
    read: Callable[[str], list[Sample]],
    report: Report,
) -> Iterator[Record]:
    """Yield the record of each source as soon as its batch is done.

    Args:
        written, read: as for `predict_files`.
        sources: name -> path.
        report: is completed.

    Returns:
        dict(source, samples), and `failed` if some samples failed. Sources that cannot
        be read are only in the report.

    Raises:
        DataError: pairs were requested of a network of one person.
    """
    # Options that do not fit the network are not the fault of any file.
    list(written.of([]))
    pending: list[_Source] = []
    for name, path in progress(sources.items(), total=len(sources), unit="source"):
        try:
            sequences = read(path)
        except DataError as error:
            report.failed.append((name, str(error)))
            continue
        pending.append(_prepared(written.recognizer, name, sequences))
        # Short files share a batch; what took long to estimate is written at once.
        waiting = sum(len(source.samples) for source in pending)
        video = path.lower().endswith(VIDEO.suffixes)
        if waiting >= written.recognizer.batch_size or video:
            yield from _records(pending, written, report)
            pending = []
    yield from _records(pending, written, report)


def _prepared(recognizer: Recognizer, name: str, sequences: list[Sample]) -> _Source:
    source = _Source(name, [], {})
    for sequence in sequences:
        try:
            source.samples.append(recognizer.prepare(sequence))
        except DataError as error:
            source.errors[sequence["frame_dir"]] = str(error)
    return source


def _records(
    pending: list[_Source], written: Labels | Segments, report: Report
) -> Iterator[Record]:
    """Predict sources together, and yield their records."""
    samples = [sample for source in pending for sample in source.samples]
    try:
        predictions = list(
            progress(
                written.of(samples), total=len(samples), unit="sample", leave=False
            )
        )
    except ValueError as error:
        # A transform refuses a sample: find out which source it is of.
        if len(pending) > 1:
            for source in pending:
                yield from _records([source], written, report)
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
        report.failed += [(source.name, why) for why in _errors(record)]


def _write(record: Record, key: str, written: Labels | Segments, out: str) -> None:
    """Write the files of a source, its JSON last."""
    path = _target(out, record["source"])
    texts = {entry["sample"]: written.subtitles(entry) for entry in record["samples"]}
    for name, text in texts.items():
        if text is not None:
            # The subtitles of a file with one sequence have the name of the file.
            inside = "" if len(texts) == 1 else "." + name.replace("/", "_")
            with whole_file(f"{path[: -len('.json')]}{inside}.srt", "x") as file:
                file.write(text)
    write_json(dict(record, key=key), path)


def _errors(record: Record) -> list[str]:
    return list(record.get("failed", {}).values())


def _target(out: str, name: str) -> str:
    return path_in(out, f"{name}.json")


def _key(path: str, settings: Any) -> str:
    """A key that changes with the source and everything its predictions depend on."""
    files = [Path(path)]
    if files[0].is_dir():
        files = sorted(files[0].iterdir(), key=lambda file: file.name)
    stats = [(file.name, file.stat()) for file in files]
    known = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr((known, settings)).encode()).hexdigest()[:32]


def _done(path: str, key: str) -> Record | None:
    """Return the record of a source; None if it is missing or has another key."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("key") == key else None


def _write_table(out: str, written: Labels | Segments, records: list[Record]) -> None:
    with whole_file(path_in(out, written.table), "x") as file:
        writer = csv.DictWriter(file, written.columns, lineterminator="\n")
        writer.writeheader()
        for record in records:
            for sample in record["samples"]:
                writer.writerows(written.rows(record["source"], sample))
