"""Find and read users' files, and build samples from their sequences."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..errors import DataError, SkipFile
from ..formats.base import (
    COMMON_SUFFIXES,
    ReadOptions,
    Source,
    all_formats,
    chosen_formats,
    detect_format,
    read,
)
from ..formats.frames import folder_of, join_frames
from ..io.archives import RawFile, list_files
from ..skeletons import skeleton
from ..skeletons.units import to_standard_unit
from .labels import ClassFolders, Entry, is_hidden, without_suffix
from .parse_files import Parsed

NOT_LISTED = "neither in the list nor in a class folder"
FIELDS = (
    *("frame_dir", "keypoint", "keypoint_score", "original_shape", "notes"),
    *("fps", "times"),
)


class UserFiles(NamedTuple):
    """Paths and suffixes of the users' files to read.

    Attributes:
        paths: paths relative to the folder or zip.
        suffixes: suffixes of the files.
    """

    paths: list[str]
    suffixes: tuple[str, ...]


def find_files(
    raw: str, options: ReadOptions, max_bytes: int | None, skip: Sequence[str]
) -> UserFiles:
    """List users' files, and check that the options suffice to read them.

    Args:
        raw: folder or zip of the files.
        options: how to read the files.
        max_bytes: maximum size of a file; see `list_files`.
        skip: paths of files that are not sequences.

    Raises:
        DataError: no files were found, the files are of several types, or neither the
            files nor the options specify a layout and a unit.
    """
    formats = chosen_formats(options)
    if not Path(raw).exists():
        raise DataError(
            "the path does not exist, expected a folder or a zip",
            kind="not-found",
            file=raw,
        )
    suffixes = tuple(sorted({suffix for form in formats for suffix in form.suffixes}))
    endings = (*suffixes, *map(str.upper, suffixes))
    listed = list_files(raw, endings, max_bytes)
    if listed is None:
        raise DataError(
            "the path is neither a folder nor a zip. Unpack the archive.",
            kind="wrong-file-type",
            file=raw,
        )
    # Suffixes of the same format, such as .mp4 and .mov, count as one type.
    kinds: dict[Any, list[RawFile]] = defaultdict(list)
    for file in listed[0]:
        if file.name not in skip:
            suffix = PurePosixPath(file.name).suffix.lower()
            kind = tuple(
                form.name for form in all_formats().values() if suffix in form.suffixes
            )
            kinds[kind].append(file)
    groups = list(kinds.values())
    if len(groups) > 1:
        groups = [
            files for files in groups if _endings(files)[0] not in COMMON_SUFFIXES
        ]
    if len(groups) != 1:
        counts = [f"{len(files)} {'/'.join(_endings(files))}" for files in groups]
        raise DataError(
            f"found {' and '.join(counts) or 'no'} files, expected files of one type "
            f"({', '.join(suffixes)})",
            kind="wrong-file-type" if groups else "empty",
            file=raw,
        )
    _check_options(groups[0][0], options, raw)
    return UserFiles([file.name for file in groups[0]], _endings(groups[0]))


def _endings(files: Iterable[RawFile]) -> tuple[str, ...]:
    return tuple(sorted({PurePosixPath(file.name).suffix for file in files}))


def _check_options(first: RawFile, options: ReadOptions, raw: str) -> None:
    """Check the required options of the first file's format before reading all files."""
    try:
        form = detect_format(Source(first.name, first.read()), options)
    except DataError:
        return  # The file is rejected later, with the reason.
    if not {"layout", "unit"} <= set(form.needs):
        return
    missing = [name for name in ("layout", "unit") if getattr(options, name) is None]
    if missing:
        raise DataError(
            f"files of the format {form.name!r} do not specify their "
            f"{' and '.join(missing)}. Set "
            f"{' and '.join(f'--{name}' for name in missing)}.",
            kind=missing[0],
            file=raw,
        )


def parse_file(
    path: str,
    content: bytes,
    options: ReadOptions,
    raw: str = "",
    folders: ClassFolders | None = None,
    skip: Sequence[str] = (),
) -> list[dict]:
    """Read the sequences of one file.

    Args:
        path: path of the file, relative to `raw`.
        content: content of the file.
        options: how to read the file.
        raw: folder or zip.
        folders: reject files outside these class folders; None to accept all.
        skip: paths of files that are not sequences.

    Returns:
        Sequences or a frame record; see `formats/base.py`. The id is the path of the
        file without its suffix. If the file contains several sequences, the id of the
        sequence is appended, and the field `file` contains the path.

    Raises:
        DataError: the file cannot be read, or is not in a class folder.
        SkipFile: no person is detected, or the file is in a hidden folder.
    """
    if path in skip:
        raise SkipFile("list of labels or splits")
    if folders is not None:
        if is_hidden(path):
            raise SkipFile("in a hidden folder")
        if folders.label(path) is None:
            raise DataError(
                "the file is not in a class folder, expected CLASS/FILE, or "
                "train/CLASS/FILE and val/CLASS/FILE",
                kind="label",
            )
    on_disk = Path(raw, path)
    source = Source(path, content, str(on_disk) if on_disk.is_file() else None)
    sequences = read(source, options)
    if len(sequences) == 1:
        return [{**sequences[0], "frame_dir": source.id}]
    return [
        {
            **sequence,
            "frame_dir": f"{source.id}/{sequence['frame_dir']}",
            "file": source.id,
        }
        for sequence in sequences
    ]


def join_folders(
    parsed: Parsed, max_persons: int, suffix: str
) -> tuple[Parsed, set[str]]:
    """Join frame records into one sequence per folder.

    Args:
        parsed: sequences and frame records.
        max_persons: maximum number of persons per sequence.
        suffix: suffix of the files, for the report.

    Returns:
        The results without frame records, and the folders that contained frames.
    """
    samples, folders = [], defaultdict(list)
    for sample in parsed.samples:
        if "poses" in sample:
            folders[folder_of(sample)].append(sample)
        else:
            samples.append(sample)
    refused = list(parsed.refused)
    left_out = {reason: list(names) for reason, names in parsed.left_out.items()}
    for folder, records in folders.items():
        names = [f"{record['frame_dir']}{suffix}" for record in records]
        try:
            samples.append(join_frames(records, max_persons))
        except DataError as error:
            fault = {
                "file": folder or names[0],
                "why": error.message,
                "kind": error.kind,
            }
            refused.append(fault)
        except SkipFile as reason:
            left_out.setdefault(str(reason), []).extend(names)
    samples.sort(key=lambda sample: sample["frame_dir"])
    parsed = parsed._replace(samples=samples, refused=refused, left_out=left_out)
    return parsed, set(folders)


def common_layout(samples: list[dict], known: Any) -> Any:
    """Return the layout that all files specify; None if they do not specify a layout.

    Args:
        samples: sequences with or without `layout`.
        known: layout of files that do not specify a layout, or None.

    Raises:
        DataError: the files have different layouts, or a layout is missing (kind
            `layout`).
    """
    named = {repr(sample.get("layout")): sample for sample in samples}
    layouts = [sample.get("layout") or known for sample in named.values()]
    unknown = None in layouts
    if known is not None:
        layouts.append(known)
    if unknown or len({skeleton(layout) for layout in layouts}) > 1:
        which = ", ".join(
            f"{key} ({sample['frame_dir']})" for key, sample in named.items()
        )
        raise DataError(
            f"the files have the layouts {which:.400}, expected one layout. Convert files "
            "with different layouts separately, and set --layout only for files that do "
            "not specify a layout.",
            kind="layout",
        )
    return next(iter(samples), {}).get("layout") if known is None else None


def finish(sample: dict, entry: Entry, options: ReadOptions) -> tuple[dict, str]:
    """Convert a sequence to a sample in meters or pixels, with the image size.

    Returns:
        The sample without a label, and the unit of its coordinates.

    Raises:
        DataError: the image size is unknown (kind `img-shape`).
    """
    keypoint, unit = sample["keypoint"], sample.get("unit") or options.unit
    is_2d = keypoint.shape[-1] == 2
    unit = unit or ("px" if is_2d else "m")
    shape = entry.img_shape or (
        options.img_shape if unit == "normalized" else sample.get("img_shape")
    )
    keypoint, unit = to_standard_unit(keypoint, unit, shape)
    kept = {field: sample[field] for field in FIELDS if sample.get(field) is not None}
    kept.update(total_frames=keypoint.shape[1], keypoint=keypoint)
    if options.fps is not None and "times" not in kept:
        kept.setdefault("fps", options.fps)
    if is_2d:
        shape = (1, 1) if unit == "normalized" else shape or options.img_shape
        if shape is None:
            raise DataError(
                "the image size is missing, but is needed to scale the coordinates. Set "
                "--img-shape H W, or add the columns height and width to a list (--list).",
                kind="img-shape",
                sample=sample["frame_dir"],
            )
        kept["img_shape"] = tuple(shape)
        if "original_shape" in kept:
            kept["original_shape"] = tuple(shape)
    return kept, unit


def only_labeled(parsed: Parsed, entries: dict[str, Entry]) -> Parsed:
    """Skip samples without a label, and reject entries of a list without a file."""
    left_out = {reason: list(names) for reason, names in parsed.left_out.items()}
    samples = [sample for sample in parsed.samples if sample["frame_dir"] in entries]
    names = [sample["frame_dir"] for sample in parsed.samples]
    unlabeled = [name for name in names if name not in entries]
    if unlabeled:
        left_out.setdefault(NOT_LISTED, []).extend(unlabeled)
    existing = {sample["frame_dir"] for sample in samples}
    for name in [
        *(fault["file"] for fault in parsed.refused),
        *(name for names in left_out.values() for name in names),
    ]:
        existing |= {name, without_suffix(name), name.rpartition("/")[0]}
    refused = [
        *parsed.refused,
        *(
            {
                "file": name,
                "why": f"the file is in line {entry.line} of the list, but does not exist",
                "kind": "not-found",
            }
            for name, entry in entries.items()
            if entry.line and name not in existing
        ),
    ]
    return parsed._replace(samples=samples, refused=refused, left_out=left_out)
