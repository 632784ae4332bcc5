"""Files in, files out: predictions of a folder, which can be interrupted.

Each source has a JSON file of its own, written whole when it is done. A next start
reads it instead of predicting again, unless the source, the network or an option has
changed since.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Optional, Union

from tqdm import tqdm

from ..errors import DataError
from ..io.atomic import whole_file
from .pose_video import SUFFIXES as VIDEOS
from .written import Labels, Segments


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
    written: Union[Labels, Segments],
    sources: list[str],
    root: str,
    out: str,
    read: Callable[[str], list[dict]],
    settings: Any,
) -> Report:
    """Predicts every source that is not done, and writes all that is known.

    Args:
        written: what of each sample, by which network.
        sources: files, or folders of frames.
        root: the folder that their names begin from.
        out: folder for `NAME.json` of each source, `NAME.srt` where there are times,
            and a table of all.
        read: gives the sequences of a source, or raises DataError.
        settings: all that predictions depend on besides the sources; its `repr` counts.

    Returns:
        The report. A source or sample that fails does not keep others from being done.

    Raises:
        DataError: pairs are asked of a network that sees one person at a time.
        OSError: a file cannot be written.
    """
    # Options that do not suit the network are no fault of any file.
    list(written.of([]))
    report = Report()
    names = {path: os.path.relpath(path, root) for path in sources}
    options = [getattr(written, one.name) for one in fields(written)[1:]]
    keys = {path: _key(path, (settings, options)) for path in sources}
    pending: list[_Source] = []

    def finish() -> None:
        _finish(pending, written, out, report)
        pending.clear()

    for path in tqdm(sources, unit="source", disable=None):
        record = _done(_target(out, names[path]), keys[path])
        if record is not None:
            report.found.append(names[path])
            report.failed += [(names[path], why) for why in _errors(record)]
            continue
        try:
            sequences = read(path)
        except DataError as error:
            report.failed.append((names[path], str(error)))
            continue
        pending.append(
            _prepared(written.recognizer, names[path], keys[path], sequences)
        )
        # Short files share a batch; what took long to estimate is not kept waiting.
        waiting = sum(len(one.samples) for one in pending)
        if waiting >= written.recognizer.batch_size or path.lower().endswith(VIDEOS):
            finish()
    finish()
    records = (_done(_target(out, names[path]), keys[path]) for path in sources)
    _write_table(out, written, [one for one in records if one is not None])
    return report


def _prepared(recognizer, name: str, key: str, sequences: list[dict]) -> _Source:
    source = _Source(name, key, [], {})
    for sequence in sequences:
        try:
            source.samples.append(recognizer.prepare(sequence))
        except DataError as error:
            source.errors[sequence["frame_dir"]] = str(error)
    return source


def _finish(pending, written, out, report) -> None:
    """Predicts the sources that wait and writes their files."""
    samples = [sample for source in pending for sample in source.samples]
    try:
        found = list(
            tqdm(
                written.of(samples),
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
                _finish([source], written, out, report)
        else:
            report.failed.append((pending[0].name, str(error)))
        return
    remaining = iter(found)
    for source in pending:
        texts = {}
        record = dict(source=source.name, key=source.key, samples=[])
        for sample in source.samples:
            said = dict(sample=sample["frame_dir"], **next(remaining))
            texts[sample["frame_dir"]] = written.subtitles(said)
            if sample.get("notes"):
                said["notes"] = sample["notes"]
            record["samples"].append(said)
        if source.errors:
            record["failed"] = source.errors
        path = _target(out, source.name)
        for name, text in texts.items():
            if text is not None:
                # A file of one sequence gives its name to the subtitles.
                inside = "" if len(texts) == 1 else "." + name.replace(os.sep, "_")
                with whole_file(f"{path[: -len('.json')]}{inside}.srt", "x") as file:
                    file.write(text)
        with whole_file(path, "x") as file:
            json.dump(record, file, indent=1)
        report.predicted.append(source.name)
        report.failed += [(source.name, why) for why in _errors(record)]


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


def _write_table(out: str, written, records: list[dict]) -> None:
    with whole_file(os.path.join(out, written.table), "x") as file:
        writer = csv.DictWriter(file, written.columns, lineterminator="\n")
        writer.writeheader()
        for record in records:
            for sample in record["samples"]:
                writer.writerows(written.rows(record["source"], sample))
