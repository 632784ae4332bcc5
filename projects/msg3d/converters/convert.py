"""Shared driver for all converters, which writes the annotations and a report.

No raw file is dropped silently. Each file is either in the annotations, or in the report
with the reason why it is not.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ..annotations.files import save_annotations
from ..io import StrPath
from ..stores.out_path import check_out
from ..stores.packing import pack
from .parse_files import Parse, Parsed, forget_parts, parse_files
from .report import describe, unit_remarks, write_report

# protocol -> (train ids, val ids)
Splits = dict[str, tuple[list[str], list[str]]]


def train_and_val(protocol: str) -> tuple[str, str]:
    """Return the names of a protocol's two splits, as in MMAction2."""
    return f"{protocol}_train", f"{protocol}_val"


def convert(
    raw: StrPath,
    suffix: str | tuple[str, ...],
    parse: Parse,
    out: StrPath,
    splits: Callable[[list[dict]], Splits],
    meta: Callable[[list[dict]], dict],
    units: str | Callable[[list[dict]], str],
    allow_bad: bool = False,
    jobs: int | None = None,
    files_released: int | None = None,
    split_names: Callable[[str], tuple[str, str]] = train_and_val,
    complete: Callable[[Parsed], Parsed] | None = None,
    max_bytes: int | None = None,
    released: str = "released",
    file_unit: str = "m",
    used: Iterable[StrPath] = (),
) -> dict:
    """Parse raw files in parallel, and write the annotations and a report.

    Args:
        raw: folder or archive with the raw files.
        suffix: suffix of the names of raw files, or a tuple of several.
        parse: callable that returns the samples of a file; see `parse_files`. A sample
            may have a field `notes` (description -> count) for the report.
        out: path of the annotation file. If it ends in `.packed`, a packed store is
            written, for data larger than memory.
        splits: callable that returns protocol -> (train ids, val ids) for the samples.
        meta: callable that returns the field `meta` of the annotation file for the
            samples, such as `classes`.
        units: unit of the coordinates, for the report, or a callable that returns it for
            the samples.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        files_released: number of files in the data set, if known.
        split_names: callable that returns the names of a protocol's two splits.
        complete: callable that changes the parsed samples before they are written. It
            adds what a single file does not contain, such as labels from a list.
        max_bytes: maximum size of a raw file; None for 64 MiB. Larger files are not read.
        released: description of `files_released` in the report.
        file_unit: unit of the raw files, which is checked if `units` is meters.
        used: paths of other files that were read, such as lists.

    Returns:
        The report, as `write_converted` returns it.

    Raises:
        DataError: `raw` cannot be read or contains no files with this suffix, or `out`
            is not a valid name.
        OSError: `out` cannot be written.
    """
    out = check_out(out)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    parts = f"{out}.parts"
    parsed = parse_files(raw, suffix, parse, parts, jobs, max_bytes=max_bytes)
    parsed, files_used = _without_used(parsed, raw, used)
    if complete is not None:
        parsed = complete(parsed)
    report = write_converted(
        parsed,
        out,
        splits(parsed.samples),
        meta(parsed.samples),
        units(parsed.samples) if callable(units) else units,
        allow_bad,
        raw=os.fspath(raw),
        files_released=files_released,
        split_names=split_names,
        released=released,
        file_unit=file_unit,
        files_used=files_used,
    )
    if report["written"]:
        forget_parts(parts)
    return report


def _without_used(
    parsed: Parsed, raw: StrPath, used: Iterable[StrPath]
) -> tuple[Parsed, list[str]]:
    """Remove the used files from the files that are reported as skipped or ignored.

    Args:
        parsed: results for the files of `raw`.
        used: paths of the used files, or their names inside the archive `raw`.

    Returns:
        The results without the used files, and the names of the used files. The names of
        files inside `raw` are relative to it.
    """
    root, names = Path(os.path.realpath(raw)), []
    for path in [os.fspath(path) for path in used]:
        file = Path(os.path.realpath(path))
        inside = root in file.parents
        names.append(file.relative_to(root).as_posix() if inside else path)
    left_out = {
        reason: [file for file in files if file not in names]
        for reason, files in parsed.left_out.items()
    }
    rest = parsed._replace(
        left_out={reason: files for reason, files in left_out.items() if files},
        others=[file for file in parsed.others if file not in names],
    )
    return rest, names


def write_converted(
    parsed: Parsed,
    out: StrPath,
    splits: Splits,
    meta: dict,
    units: str,
    allow_bad: bool,
    raw: StrPath,
    files_released: int | None = None,
    split_names: Callable[[str], tuple[str, str]] = train_and_val,
    released: str = "released",
    file_unit: str = "m",
    files_used: Iterable[StrPath] = (),
) -> dict:
    """Write the report and, unless files were rejected, the annotations.

    Args: see `convert`. Here, `splits`, `meta`, and `units` are not callables, but their
    results for the samples in `parsed`.

    Returns:
        The report, which is also written to `out`.report.json. A protocol with an empty
        side is omitted from the file and listed in `one_sided_splits`, unless all
        protocols are one-sided. `written` is true if `out` was written. This requires a
        sample in a split, and no rejected files unless `allow_bad` is true.
    """
    out = os.fspath(out)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    samples, refused, left_out, others, remarks = parsed
    samples, notes = _without_notes(samples)
    two_sided = {name: sides for name, sides in splits.items() if all(sides)}
    # Half of a release can still be used for testing, or for training.
    kept = two_sided or {name: sides for name, sides in splits.items() if any(sides)}
    report = dict(
        raw=os.fspath(raw),
        out=out,
        written=bool(samples and kept) and (allow_bad or not refused),
        units=units,
        files_read=len(samples) + len(refused),
        files_released=files_released,
        files_released_where=released,
        files_used=list(files_used),
        refused=refused,
        left_out=left_out,
        notes=notes,
        remarks=[
            *remarks,
            *unit_remarks(samples, units, file_unit, meta.get("joints", ())),
        ],
        other_files=others,
        one_sided_splits=[name for name in splits if name not in kept],
        **describe(samples, kept),
    )
    if report["written"]:
        data = {
            "split": {
                key: ids
                for name, sides in kept.items()
                for key, ids in zip(split_names(name), sides, strict=True)
                if ids
            },
            "annotations": samples,
            "meta": meta,
        }
        write = pack if out.endswith(".packed") else save_annotations
        write(data, out)
    write_report(report)
    return report


def _without_notes(samples: list[dict]) -> tuple[list[dict], dict]:
    """Return the samples without `notes`, and description -> frame_dir -> count."""
    notes: dict[str, dict[str, int]] = {}
    for sample in samples:
        for text, count in sample.get("notes", {}).items():
            notes.setdefault(text, {})[sample["frame_dir"]] = count
    kept = [
        {field: value for field, value in sample.items() if field != "notes"}
        for sample in samples
    ]
    return kept, notes
