"""A user's own videos, a file or a folder each, whose labels folders or a list say.

Folders `train/CLASS/VIDEO.json` and `val/CLASS/VIDEO.json` (and where wanted `test`) say
class and side, or a csv list does (`label_list.py`). Classes are numbered in the order
of their names; names that are all whole numbers in the order of the numbers.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np

from ..errors import DataError
from ..io.archives import list_files
from .class_folders import SIDES, ClassFolders, read_class_folders
from .command import positive
from .convert import convert
from .label_list import Listed, read_label_list, without_suffix
from .parse_files import Parse, Parsed

NORMALIZED = "parts of the image, 0..1, y down"
PIXELS = "pixels, y down"


def add_labelled_options(parser: ArgumentParser) -> None:
    """--list, --img-shape and --max-persons."""
    add = parser.add_argument
    add(
        "--list",
        metavar="LIST.csv",
        help="file,label,split[,height,width] of each file; without it, folders "
        "train/CLASS and val/CLASS say label and split",
    )
    add(
        "--img-shape",
        nargs=2,
        type=positive,
        metavar=("H", "W"),
        help="height and width in pixels of all videos whose size is not said",
    )
    add(
        "--max-persons",
        type=positive,
        default=5,
        metavar="K",
        help="persons a video at most, those seen longest and surest (default: 5)",
    )


def convert_labelled(
    raw: str,
    suffixes: tuple[str, ...],
    parse: Parse,
    out: str,
    meta: dict,
    units: str | None = None,
    normalized: bool = False,
    list_file: str | None = None,
    img_shape: tuple[int, int] | None = None,
    join: Callable[[Parsed], Parsed] = lambda parsed: parsed,
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert one's own folder of files into an annotation file and report on it.

    Args:
        raw: folder or zip.
        suffixes: how the files may end, all of them alike.
        parse: gives samples without `label`, their `frame_dir` the path without suffix.
        out: the annotation file.
        meta: goes into the file's, beside `classes` and `units`.
        units: of 3D coordinates; None for 2D.
        normalized: whether the parser gives 2D coordinates in parts of the image; they
            become pixels if `img_shape` or the list says the size.
        list_file: the csv list; None if folders say it.
        img_shape: (height, width) of files whose size neither list nor file says.
        join: before labels are given, makes one sample of several files.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or the list cannot be read, nobody says the split, or
            nobody the size of the pictures.
    """
    img_shape = None if img_shape is None else tuple(img_shape)
    paths, suffix = _paths(raw, suffixes)
    if list_file is not None:
        listed = read_label_list(list_file, suffixes)
    else:
        listed = _listed_by_folders(raw, read_class_folders(raw, paths), paths)
    numbers = _number_classes({one.label for one in listed.values()})
    sizes_said = img_shape is not None or all(one.img_shape for one in listed.values())
    flat = units is None
    if flat:
        units = NORMALIZED if normalized and not sizes_said else PIXELS

    def complete(parsed: Parsed) -> Parsed:
        parsed = _only_listed(join(parsed), listed)
        samples = []
        for sample in parsed.samples:
            one = listed[sample["frame_dir"]]
            if flat:
                sample = _sized(sample, one.img_shape, img_shape, normalized)
            samples.append({**sample, "label": numbers[one.label]})
        return parsed._replace(samples=samples)

    def splits(samples: list[dict]) -> dict:
        names = {side: [] for side in SIDES}
        for sample in samples:
            names[listed[sample["frame_dir"]].side].append(sample["frame_dir"])
        asked = {one.side for one in listed.values()}
        return {
            side: (names["train"], names[side]) for side in SIDES[1:] if side in asked
        }

    return convert(
        raw,
        suffix,
        parse,
        out,
        complete=complete,
        splits=splits,
        split_names=lambda side: ("train", side),
        meta=lambda _: dict(classes=list(numbers), units=units, **meta),
        units=units,
        allow_bad=allow_bad,
        jobs=jobs,
        used=[] if list_file is None else [list_file],
    )


def _paths(raw: str, suffixes: tuple[str, ...]) -> tuple[list[str], str]:
    """Paths of the files, and the suffix that all have."""
    found = {}
    for suffix in suffixes:
        listed = list_files(raw, suffix)
        if listed is None:
            raise DataError(
                f"raw data {raw} are neither a folder nor a zip: unpack the archive"
            )
        found[suffix] = [file.name for file in listed[0]]
    kinds = [suffix for suffix in suffixes if found[suffix]]
    if len(kinds) != 1:
        counted = " and ".join(f"{len(found[suffix])} {suffix}" for suffix in suffixes)
        raise DataError(
            f"raw data {raw} hold {counted} files: expected one kind, and some of it"
        )
    return found[kinds[0]], kinds[0]


def _listed_by_folders(
    raw: str, folders: ClassFolders, paths: list[str]
) -> dict[str, Listed]:
    """What folders say of each file, and of each folder that may be a video."""
    if not folders.sided:
        raise DataError(
            f"raw data {raw}: nothing says what to train on: put folders train/ and val/ "
            "above the class folders, or give a --list with a column split"
        )
    listed = {}
    for path in paths:
        label = folders.label(path)
        if label is None:
            continue
        said = Listed(folders.classes[label], folders.side(path), None, 0)
        listed[without_suffix(path)] = said
        deep = len(PurePosixPath(path).parts) - folders.above - folders.sided
        if deep > 2:
            listed[str(PurePosixPath(path).parent)] = said
    return listed


def _number_classes(labels: set[str]) -> dict[str, int]:
    if all(label.isdecimal() for label in labels):
        names = sorted(labels, key=lambda label: (int(label), label))
    else:
        names = sorted(labels)
    return {name: number for number, name in enumerate(names)}


def _only_listed(parsed: Parsed, listed: dict[str, Listed]) -> Parsed:
    """Samples that are listed; others left out, and lines without a file refused."""
    refused = list(parsed.refused)
    left_out = {reason: list(names) for reason, names in parsed.left_out.items()}
    samples = []
    for sample in parsed.samples:
        if sample["frame_dir"] in listed:
            samples.append(sample)
        else:
            reason = "not in the list, or in no class folder"
            left_out.setdefault(reason, []).append(sample["frame_dir"])
    there = {sample["frame_dir"] for sample in samples}
    for name in [
        *(one["file"] for one in refused),
        *(name for names in left_out.values() for name in names),
    ]:
        there |= {name, without_suffix(name), str(PurePosixPath(name).parent)}
    refused += [
        dict(file=name, why=f"is not there, but in line {one.line} of the list")
        for name, one in listed.items()
        if one.line and name not in there
    ]
    return parsed._replace(samples=samples, refused=refused, left_out=left_out)


def _sized(sample: dict, listed, given, normalized: bool) -> dict:
    """The sample with `img_shape`, and in pixels where that is said."""
    if normalized:
        shape = listed or given
        if shape is None:
            return {**sample, "img_shape": (1, 1)}
        scale = np.array([shape[1], shape[0]], dtype=np.float32)
        return {**sample, "keypoint": sample["keypoint"] * scale, "img_shape": shape}
    shape = listed or sample.get("img_shape") or given
    if shape is None:
        raise DataError(
            f"{sample['frame_dir']} does not say how large the picture is, which "
            "training divides by: give --img-shape H W, or the columns height and width "
            "in the --list"
        )
    return {**sample, "img_shape": tuple(shape)}
