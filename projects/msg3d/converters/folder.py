"""Anyone's own sequences: a folder with a sub-folder a class, a .npy or .csv a sequence.

Which side of the split a sequence is on is said in one of three ways: by folders
train/, val/ and test/ above the classes, by a list, or by a part of each class that is
held out at random. Recordings of one person (`group`) never stand on both sides: what
a network knows of the person would count as knowing the action.
"""

import re
from functools import partial

from ..annotations.splits import hold_out
from ..errors import DataError, SkipFile
from ..formats.csv_sequence import read_csv
from ..formats.npy_sequence import read_npy
from ..formats.sequence_arrays import UNITS, to_sample
from ..io.archives import list_files
from ..skeletons import Skeleton
from .class_folders import SIDES, ClassFolders, is_hidden, read_class_folders
from .convert import Splits, convert
from .split_list import read_split_list

SUFFIXES = (".npy", ".csv")


def parse_sequence(
    path: str,
    content: bytes,
    folders: ClassFolders,
    joints: tuple[str, ...],
    units: str,
    img_shape: tuple[int, int] | None = None,
) -> list[dict]:
    """One file as a sample, the only one of the list.

    Args:
        path: where it lies, ending in .npy or .csv.
        content: see `read_npy` and `read_csv`.
        folders: what the folders of `path` mean.
        joints: names of the V joints.
        units, img_shape: see `to_sample`.

    Returns:
        dict(frame_dir, label, total_frames, keypoint float32 [M, T, V, C], ...).

    Raises:
        DataError: what is wrong, where, and what was expected.
        SkipFile: in a hidden folder.
    """
    if is_hidden(path):
        raise SkipFile("in a hidden folder")
    label = folders.label(path)
    if label is None:
        raise DataError(
            "lies in no class folder, expected CLASS/FILE, or train/CLASS/FILE and "
            "val/CLASS/FILE"
        )
    channels = UNITS[units][0]
    if path.endswith(".npy"):
        sequence = read_npy(content, len(joints), channels)
    else:
        sequence = read_csv(content, joints, channels)
    sample = to_sample(sequence, joints, units, img_shape)
    return [dict(frame_dir=folders.name(path), label=label, **sample)]


def convert_folder(
    raw: str,
    out: str,
    layout: Skeleton,
    units: str,
    img_shape: tuple[int, int] | None = None,
    split: str | None = None,
    val_fraction: float | None = None,
    seed: int = 0,
    group: str | None = None,
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert a folder of .npy or .csv files into an annotation file, and report.

    Args:
        raw: the folder, or a zip of it.
        out: the annotation file; the report is written beside it.
        layout: the joints, in the order that arrays have them.
        units: a key of `UNITS`; 3D coordinates become metres, 2D ones pixels.
        img_shape: (height, width), for 2D.
        split: a CSV file with the columns name (the path of a sequence in `raw`) and
            split (train, val or test).
        val_fraction: the part of each class to hold out, in place of a split.
        seed: of what is held out.
        group: a regular expression that finds in a path whose recording it is.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read as such a folder, no split or two, a
            split that does not fit the files, or a group on both sides.
    """
    if (UNITS[units][0] == 2) != (img_shape is not None):
        raise DataError(
            f"units {units} came {'without' if img_shape is None else 'with'} the shape "
            "of an image: give height and width for pixels or normalised, and only there"
        )
    paths, suffix = _sequence_paths(raw)
    folders = read_class_folders(raw, paths)
    paths = [path for path in paths if folders.label(path) is not None]
    groups = {folders.name(path): folders.name(path) for path in paths}
    if group is not None:
        groups = {name: _group_of(name, group) for name in groups}
    if sum((folders.sided, split is not None, val_fraction is not None)) != 1:
        raise DataError(
            f"raw data {raw}: give one split: folders train/ and val/ above the class "
            "folders, or a list, or a fraction to hold out, and not two of these"
        )
    if folders.sided:
        sides = {folders.name(path): folders.side(path) for path in paths}
    elif split is not None:
        sides = read_split_list(split, set(groups), SUFFIXES)
    else:
        labels = [folders.label(path) for path in paths]
        try:
            held = hold_out(labels, list(groups.values()), val_fraction, seed)
        except ValueError as error:
            raise DataError(f"raw data {raw}: {error}") from None
        sides = {
            name: "val" if one in held else "train" for name, one in groups.items()
        }
    _refuse_groups_on_two_sides(sides, groups)
    return convert(
        raw,
        suffix,
        partial(
            parse_sequence,
            folders=folders,
            joints=layout.joints,
            units=units,
            img_shape=img_shape,
        ),
        out,
        splits=partial(_splits, sides=sides),
        meta=lambda samples: dict(
            classes=list(folders.classes),
            joints=list(layout.joints),
            inward=list(layout.inward),
            center=layout.center,
            units=_unit(units),
            **({} if group is None else {"group": _of(groups, samples)}),
        ),
        units=f"{_unit(units)} (files: {units})",
        file_unit=units,
        used=[] if split is None else [split],
        allow_bad=allow_bad,
        jobs=jobs,
        split_names=lambda side: ("train", side),
    )


def _sequence_paths(raw: str) -> tuple[list[str], str]:
    """Paths of the files, and the suffix that they all have."""
    found = {}
    for suffix in SUFFIXES:
        listed = list_files(raw, suffix)
        if listed is None:
            raise DataError(
                f"raw data {raw} are neither a folder nor a zip: unpack the archive"
            )
        found[suffix] = [file.name for file in listed[0]]
    kinds = [suffix for suffix in SUFFIXES if found[suffix]]
    if len(kinds) != 1:
        raise DataError(
            f"raw data {raw} hold {len(found['.npy'])} .npy and {len(found['.csv'])} "
            ".csv files: expected one kind, a file a sequence"
        )
    return found[kinds[0]], kinds[0]


def _group_of(name: str, group: str) -> str:
    try:
        match = re.search(group, name)
    except re.error as error:
        raise DataError(
            f"group {group!r} is not a regular expression ({error})"
        ) from None
    if match is None:
        raise DataError(
            f"group {group!r} finds nothing in {name!r}: give a regular expression "
            "that finds in every path whose recording it is"
        )
    return match[1] if match.re.groups and match[1] is not None else match[0]


def _refuse_groups_on_two_sides(sides: dict[str, str], groups: dict[str, str]) -> None:
    where: dict[str, set[str]] = {}
    for name, side in sides.items():
        where.setdefault(groups[name], set()).add(side)
    both = sorted(one for one, found in where.items() if len(found) > 1)
    if both:
        raise DataError(
            f"group {both[0]!r} is in {' and '.join(sorted(where[both[0]]))} "
            f"({len(both)} such groups of {len(where)}): put the recordings of each on "
            "one side, or give no group"
        )


def _of(groups: dict[str, str], samples: list[dict]) -> dict[str, str]:
    return {one["frame_dir"]: groups[one["frame_dir"]] for one in samples}


def _splits(samples: list[dict], sides: dict[str, str]) -> Splits:
    """val, and test where there is one -> (train ids, its ids)."""
    ids = {side: [] for side in SIDES}
    for sample in samples:
        ids[sides[sample["frame_dir"]]].append(sample["frame_dir"])
    asked = [side for side in SIDES[1:] if side in sides.values()]
    return {side: (ids["train"], ids[side]) for side in asked}


def _unit(units: str) -> str:
    channels, _ = UNITS[units]
    return "pixels" if channels == 2 else units if units == "unscaled" else "metres"
