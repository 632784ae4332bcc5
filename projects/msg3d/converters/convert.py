"""Parse a data set, and write an annotation file and a report.

The driver of all converters. No raw file is dropped silently: each one is in the result,
or in the report with the reason.
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
    """Return the names of a protocol's two splits, as MMAction2 has them."""
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
    """Parse the raw files in parallel, and write annotations and report.

    Args:
        raw: folder or archive.
        suffix: ending of the names of raw files.
        parse: file name and content -> samples; see `parse_files`. A sample may have a
            field `notes`, what -> how often, for the report.
        out: annotation file, or packed store if it ends in `.packed`, for data larger
            than memory.
        splits: samples -> protocol -> (train ids, val ids).
        meta: samples -> the file's `meta`: `classes` and the like.
        units: of the coordinates, for the report; or a function of the samples.
        allow_bad: write `out` even if files were refused.
        jobs: number of processes; None for one per core.
        files_released: number of files in the data set, if known.
        split_names: protocol -> the names of its two splits in the file.
        complete: changes the parsed samples before they are written, where the parser
            of a single file lacks information, such as labels from a list.
        max_bytes: maximum size of a raw file, None for 64 MiB; larger ones are not read.
        released: source of `files_released`, for the report.
        file_unit: unit of the raw files, where `units` are meters.
        used: paths of other files that were read, such as lists.

    Returns:
        The report, as `write_converted` returns it.

    Raises:
        DataError: `raw` cannot be read or contains no such file, or `out` is not a valid
            name.
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
    """Remove the files that were read in another way from those that were not read.

    Args:
        parsed: the files of `raw`.
        used: paths, or for files in an archive their names in it.

    Returns:
        The rest, and the names of the used files, relative to `raw` if inside it.
    """
    root, names = Path(os.path.realpath(raw)), []
    for path in (os.fspath(each) for each in used):
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
    """Write the annotations, unless files were refused, and the report in any case.

    Args: as in `convert`, with `splits` and `meta` of these samples.

    Returns:
        The report, which is also in `out`.report.json. A protocol with an empty side is
        omitted from the file and listed in `one_sided_splits`, unless all are
        one-sided. `written` tells whether `out` was written, which requires a sample in
        a split, and that no file was refused or `allow_bad`.
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
    """Return the samples without `notes`, and what -> frame_dir -> how often."""
    notes: dict[str, dict[str, int]] = {}
    for sample in samples:
        for what, count in sample.get("notes", {}).items():
            notes.setdefault(what, {})[sample["frame_dir"]] = count
    kept = [
        {field: value for field, value in sample.items() if field != "notes"}
        for sample in samples
    ]
    return kept, notes
