"""Files of users: which to read, how, and what becomes of their sequences."""

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

NOT_LISTED = "not in the list, or in no class folder"
FIELDS = ("frame_dir", "keypoint", "keypoint_score", "original_shape", "notes")


class UserFiles(NamedTuple):
    """The files to read.

    Attributes:
        paths: relative to the folder or zip.
        suffixes: their endings.
    """

    paths: list[str]
    suffixes: tuple[str, ...]


def find_files(
    raw: str, options: ReadOptions, max_bytes: int | None, skip: Sequence[str]
) -> UserFiles:
    """List the files of one kind, and check that the options suffice to read them.

    Args:
        raw: folder or zip.
        options: how to read the files.
        max_bytes: maximum size of a file; see `list_files`.
        skip: paths of files that are not sequences.

    Raises:
        DataError: there are no files, or files of several kinds; or they do not tell
            their layout or unit, and neither do the options.
    """
    formats = chosen_formats(options)
    if not Path(raw).exists():
        raise DataError(
            "does not exist. Give a folder or a zip of files",
            kind="not-found",
            file=raw,
        )
    suffixes = tuple(sorted({ending for each in formats for ending in each.suffixes}))
    endings = (*suffixes, *map(str.upper, suffixes))
    listed = list_files(raw, endings, max_bytes)
    if listed is None:
        raise DataError(
            "is neither a folder nor a zip. Unpack the archive",
            kind="wrong-file-type",
            file=raw,
        )
    # Endings of the same formats, such as .mp4 and .mov, are of one kind.
    kinds: dict[Any, list[RawFile]] = defaultdict(list)
    for file in listed[0]:
        if file.name not in skip:
            suffix = PurePosixPath(file.name).suffix.lower()
            kind = tuple(
                each.name for each in all_formats().values() if suffix in each.suffixes
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
            f"contains {' and '.join(counts) or 'no'} files, expected files of one kind "
            f"({', '.join(suffixes)})",
            kind="wrong-file-type" if groups else "empty",
            file=raw,
        )
    _check_options(groups[0][0], options, raw)
    return UserFiles([file.name for file in groups[0]], _endings(groups[0]))


def _endings(files: Iterable[RawFile]) -> tuple[str, ...]:
    return tuple(sorted({PurePosixPath(file.name).suffix for file in files}))


def _check_options(first: RawFile, options: ReadOptions, raw: str) -> None:
    """Check what the format of the first file needs, before all files are refused."""
    try:
        form = detect_format(Source(first.name, first.read()), options)
    except DataError:
        return  # the file is refused, with the reason
    if not {"layout", "unit"} <= set(form.needs):
        return
    missing = [name for name in ("layout", "unit") if getattr(options, name) is None]
    if missing:
        raise DataError(
            f"contains files of the format {form.name!r}, which do not state their "
            f"{' and '.join(missing)}. Set {' and '.join(f'--{name}' for name in missing)}",
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
        path: of the file, relative to `raw`.
        content: of the file.
        options: how to read it.
        raw: the folder or zip.
        folders: refuse files that are not in these class folders.
        skip: paths of files that are not sequences.

    Returns:
        Sequences or a frame record; see `formats/base.py`. The id is the path of the
        file without its suffix. If there are several sequences, it is followed by the id
        of each, and the field `file` has the path.

    Raises:
        DataError: the file cannot be read, or is in no class folder.
        SkipFile: no person is detected, or the file is in a hidden folder.
    """
    if path in skip:
        raise SkipFile("a list")
    if folders is not None:
        if is_hidden(path):
            raise SkipFile("in a hidden folder")
        if folders.label(path) is None:
            raise DataError(
                "is in no class folder, expected CLASS/FILE, or train/CLASS/FILE and "
                "val/CLASS/FILE",
                kind="label",
            )
    on_disk = Path(raw, path)
    source = Source(path, content, str(on_disk) if on_disk.is_file() else None)
    sequences = read(source, options)
    if len(sequences) == 1:
        return [{**sequences[0], "frame_dir": source.id}]
    return [
        {**each, "frame_dir": f"{source.id}/{each['frame_dir']}", "file": source.id}
        for each in sequences
    ]


def join_folders(
    parsed: Parsed, max_persons: int, suffix: str
) -> tuple[Parsed, set[str]]:
    """Join frame records to sequences, one per folder.

    Args:
        parsed: sequences and frame records.
        max_persons: maximum number of rows per sequence.
        suffix: of the files, for the report.

    Returns:
        Sequences only, and the folders that contained frames.
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
    """Return the layout that all files name; None if they name none.

    Args:
        samples: sequences with or without `layout`.
        known: the layout of files that do not name one, or None.

    Raises:
        DataError: the files have different layouts, or no known one (`layout`).
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
            f"expected one layout, but the files have {which:.400}. Convert files of "
            "different layouts separately, and give a layout only for files that do not "
            "name one",
            kind="layout",
        )
    return next(iter(samples), {}).get("layout") if known is None else None


def finish(sample: dict, entry: Entry, options: ReadOptions) -> tuple[dict, str]:
    """Make a sample of a sequence: in meters or pixels, with the size of the image.

    Returns:
        The sample without a label, and the unit of its coordinates.

    Raises:
        DataError: the size of the image is unknown (`img-shape`).
    """
    keypoint, unit = sample["keypoint"], sample.get("unit") or options.unit
    flat = keypoint.shape[-1] == 2
    unit = unit or ("px" if flat else "m")
    told = entry.img_shape or options.img_shape
    shape = told if unit == "normalized" else entry.img_shape or sample.get("img_shape")
    keypoint, unit = to_standard_unit(keypoint, unit, shape)
    kept = {field: sample[field] for field in FIELDS if sample.get(field) is not None}
    kept.update(total_frames=keypoint.shape[1], keypoint=keypoint)
    if flat:
        shape = (1, 1) if unit == "normalized" else shape or options.img_shape
        if shape is None:
            raise DataError(
                "does not give the size of the image, which training divides by. Set "
                "--img-shape H W, or add the columns height and width to a list (--list)",
                kind="img-shape",
                sample=sample["frame_dir"],
            )
        kept["img_shape"] = tuple(shape)
        if "original_shape" in kept:
            kept["original_shape"] = tuple(shape)
    return kept, unit


def only_labeled(parsed: Parsed, entries: dict[str, Entry]) -> Parsed:
    """Leave out samples without a label, and refuse entries of a list without a file."""
    left_out = {reason: list(names) for reason, names in parsed.left_out.items()}
    samples = [each for each in parsed.samples if each["frame_dir"] in entries]
    others = [
        each["frame_dir"] for each in parsed.samples if each["frame_dir"] not in entries
    ]
    if others:
        left_out.setdefault(NOT_LISTED, []).extend(others)
    there = {sample["frame_dir"] for sample in samples}
    for name in [
        *(fault["file"] for fault in parsed.refused),
        *(name for names in left_out.values() for name in names),
    ]:
        there |= {name, without_suffix(name), name.rpartition("/")[0]}
    refused = [
        *parsed.refused,
        *(
            {
                "file": name,
                "why": f"does not exist, but is in line {entry.line} of the list",
                "kind": "not-found",
            }
            for name, entry in entries.items()
            if entry.line and name not in there
        ),
    ]
    return parsed._replace(samples=samples, refused=refused, left_out=left_out)
