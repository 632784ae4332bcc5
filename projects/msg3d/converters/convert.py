"""From parsed samples to an annotation file and the report on it.

What every converter of a published data set ends with, so that nothing is dropped in
silence: each raw file is in the result, or in the report with the reason.
"""

import os
from collections.abc import Callable, Iterable

from ..annotations.files import save_annotations
from ..stores.out_path import check_out
from ..stores.packing import pack
from .parse_files import Parse, Parsed, parse_files
from .parts import forget_parts
from .report import describe, write_report
from .unit_remark import unit_remarks
from .used_files import without_used

# protocol -> (train ids, val ids)
Splits = dict[str, tuple[list[str], list[str]]]


def train_and_val(protocol: str) -> tuple[str, str]:
    """The names of a protocol's two sides in the file, as MMAction2 has them."""
    return f"{protocol}_train", f"{protocol}_val"


def convert(
    raw: str,
    suffix: str,
    parse: Parse,
    out: str,
    splits: Callable[[list[dict]], Splits],
    meta: Callable[[list[dict]], dict],
    units: str,
    allow_bad: bool = False,
    jobs: int | None = None,
    files_released: int | None = None,
    split_names: Callable[[str], tuple[str, str]] = train_and_val,
    complete: Callable[[Parsed], Parsed] | None = None,
    max_bytes: int | None = None,
    released: str = "released",
    file_unit: str = "metres",
    used: Iterable[str] = (),
) -> dict:
    """Parse the raw files on all cores, and write annotations and report.

    Args:
        raw: folder or archive.
        suffix: how the raw files end.
        parse: file name and bytes -> samples; see `parse_files`.
        out: the annotation file, or the packed store if it ends in `.packed`: for data
            larger than memory.
        splits: samples -> protocol -> (train ids, val ids).
        meta: samples -> what goes into the file's `meta`: `classes` and the like.
        units: of the coordinates, for the report.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.
        files_released: how many files the data set has, where that is known.
        split_names: protocol -> the names of its two sides in the file.
        complete: what came out of the files -> what is written; for what the parser
            of one file cannot know, such as labels from a list.
        max_bytes: of a raw file, 64 MiB if None; a larger one is not looked into.
        released: where `files_released` is from, for the report.
        file_unit: of the raw files, where `units` are metres: `body_size.PER_METRE`.
        used: paths of what was read besides, such as lists.

    Returns:
        The report, as `write_converted` gives it.

    Raises:
        DataError: `raw` cannot be read or holds no file of this suffix, or `out`
            is no name for a result.
        OSError: `out` cannot be written.
    """
    out = check_out(out)
    os.makedirs(os.path.dirname(out) or ".", exist_ok=True)
    parts = f"{out}.parts"
    parsed = parse_files(raw, suffix, parse, parts, jobs, max_bytes=max_bytes)
    parsed, files_used = without_used(parsed, raw, used)
    if complete is not None:
        parsed = complete(parsed)
    report = write_converted(
        parsed,
        out,
        splits(parsed.samples),
        meta(parsed.samples),
        units,
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


def write_converted(
    parsed: Parsed,
    out: str,
    splits: Splits,
    meta: dict,
    units: str,
    allow_bad: bool,
    raw: str,
    files_released: int | None = None,
    split_names: Callable[[str], tuple[str, str]] = train_and_val,
    released: str = "released",
    file_unit: str = "metres",
    files_used: Iterable[str] = (),
) -> dict:
    """Write annotations, unless files were refused, and the report in any case.

    Args: as in `convert`, with `splits` and `meta` of these samples.

    Returns:
        The report, which `out`.report.json holds too. A protocol of which one side
        is empty is left out of the file and named in `one_sided_splits`, unless all
        are; `written` says whether `out` was, which needs a sample in a split and
        every file to be good, or `allow_bad`.
    """
    out = os.fspath(out)
    os.makedirs(os.path.dirname(out) or ".", exist_ok=True)
    samples, refused, left_out, others, remarks = parsed
    samples, notes = _without_notes(samples)
    two_sided = {name: sides for name, sides in splits.items() if all(sides)}
    # With half of a release there is something to test, or to train, all the same.
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
        data = dict(
            split={
                key: ids
                for name, sides in kept.items()
                for key, ids in zip(split_names(name), sides)
                if ids
            },
            annotations=samples,
            meta=meta,
        )
        write = pack if out.endswith(".packed") else save_annotations
        write(data, out)
    write_report(report)
    return report


def _without_notes(samples: list[dict]) -> tuple[list[dict], dict]:
    """The samples as they are written, and what their parser noted about them.

    A parser may give a sample the field `notes`, dict(what: how many), where it made
    something else of a file than what stands there.

    Returns:
        The samples without that field, and what -> frame_dir -> how many.
    """
    notes: dict[str, dict[str, int]] = {}
    for sample in samples:
        for what, count in sample.get("notes", {}).items():
            notes.setdefault(what, {})[sample["frame_dir"]] = count
    kept = [
        {field: value for field, value in sample.items() if field != "notes"}
        for sample in samples
    ]
    return kept, notes
