"""Convert users' files, with their classes and splits, to an annotation file."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..annotations.splits import hold_out
from ..errors import DataError
from ..formats.base import ReadOptions
from ..io import StrPath
from ..skeletons import layout_meta, skeleton
from ..skeletons.lookup import Layout
from ..skeletons.units import UNITS_2D
from .convert import Splits, convert
from .labels import (
    SIDES,
    ClassFolders,
    Entry,
    check_complete,
    check_groups,
    find_group,
    read_class_folders,
    read_list,
    sorted_classes,
    without_suffix,
)
from .parse_files import Parsed
from .user_files import (
    common_layout,
    find_files,
    finish,
    join_folders,
    only_labeled,
    parse_file,
)

MAX_VIDEO_BYTES = 8 * 2**30
MAX_LABEL = 100_000


class Recordings:
    """Users' files with their labels and splits.

    Args:
        raw: folder or zip of the files.
        options: how to read the files.
        list_file, val_fraction, seed, group: see `convert_folder`, where `list_file` is
            called `split`.
        lenient: whether to skip files without a label instead of rejecting them, and to
            keep the outer folders in the ids.
        labels: source of the labels: 'folder' for class folders or the list, 'field' for
            the labels in the files, or a regular expression whose match in a path is the
            name of the class.
    """

    def __init__(
        self,
        raw: StrPath,
        options: ReadOptions,
        list_file: StrPath | None = None,
        val_fraction: float | None = None,
        seed: int = 0,
        group: str | None = None,
        lenient: bool = False,
        labels: str = "folder",
    ) -> None:
        self.raw, self.options, self.lenient = os.fspath(raw), options, lenient
        self.list_file = None if list_file is None else os.fspath(list_file)
        self.val_fraction, self.seed, self.group = val_fraction, seed, group
        self.skip: tuple[str, ...] = ()
        if self.list_file is not None:
            path, folder = (
                Path(os.path.realpath(name)) for name in (self.list_file, self.raw)
            )
            if folder in path.parents:
                self.skip = (path.relative_to(folder).as_posix(),)
        self.max_bytes = None if options.pose is None else MAX_VIDEO_BYTES
        self.files = find_files(self.raw, options, self.max_bytes, self.skip)
        self.listed: dict[str, Entry] = {}
        if self.list_file is not None:
            self.listed = read_list(self.list_file, self.files.suffixes)
        self.folders: ClassFolders | None = None
        listed = any(entry.label for entry in self.listed.values())
        self.labels = "folder" if listed else labels
        if not listed:
            self.folders = read_class_folders(
                self.raw, self.files.paths, classless=labels != "folder"
            )
        sided = self.folders is not None and self.folders.sided
        ways = sum((sided, self.list_file is not None, val_fraction is not None))
        if ways != 1:
            raise DataError(
                f"the split is {'specified more than once' if ways else 'missing'}. Use "
                "exactly one of folders train/ and val/ above the class folders, a list "
                "with a column split (--list), or a fraction to hold out "
                "(--val-fraction).",
                kind="split",
                file=self.raw,
            )
        # Set by `_complete`, after all files are read.
        self.entries: dict[str, Entry] = {}
        self.groups: dict[str, str] = {}
        self.layout: Layout | None = None
        self.named: list[str] = []
        self.unit = options.unit or "unknown"

    def check_img_shape(self) -> None:
        """Check that an image size is specified for 2D units, and only for these."""
        unit, has_shape = self.options.unit, self.options.img_shape is not None
        list_has_shapes = any(entry.img_shape for entry in self.listed.values())
        if unit is not None and not list_has_shapes and (unit in UNITS_2D) != has_shape:
            raise DataError(
                f"the unit is {unit}, but the image size is "
                f"{'set' if has_shape else 'missing'}. Set --img-shape H W for the units "
                "px and normalized, and omit it for other units.",
                kind="img-shape",
            )

    def convert(self, out: StrPath, allow_bad: bool, jobs: int | None) -> dict:
        """Write the annotation file, and return the report."""
        parse = partial(
            parse_file,
            options=self.options,
            raw=self.raw,
            folders=(None if self.lenient or self.labels != "folder" else self.folders),
            skip=self.skip,
        )
        return convert(
            self.raw,
            self.files.suffixes,
            parse,
            out,
            complete=self._complete,
            splits=self._splits,
            split_names=lambda side: ("train", side),
            meta=self._meta,
            units=self._described_unit,
            file_unit=self.options.unit or "m",
            allow_bad=allow_bad,
            # Pose estimators use all cores, or a GPU.
            jobs=jobs if self.options.pose is None else 1,
            max_bytes=self.max_bytes,
            used=[] if self.list_file is None else [self.list_file],
        )

    def _complete(self, parsed: Parsed) -> Parsed:
        """Join frames into sequences, and add labels and image sizes."""
        suffix = self.files.suffixes[0]
        parsed, joined = join_folders(parsed, self.options.max_persons, suffix)
        samples = [
            {
                **sample,
                **{
                    key: self._name(sample[key])
                    for key in ("frame_dir", "file")
                    if key in sample
                },
            }
            for sample in parsed.samples
        ]
        if self.labels != "folder":
            entries = self._from_samples(samples)
        elif self.folders:
            entries = self._from_folders(self.folders, joined)
        else:
            entries = self.listed
        self.entries = _spread(entries, samples)
        if self.group is not None:
            self.groups = {name: find_group(name, self.group) for name in self.entries}
            check_groups(self.entries, self.groups)
        parsed = only_labeled(parsed._replace(samples=samples), self.entries)
        self.layout = common_layout(parsed.samples, self.options.layout)
        classes, samples = self._classes(), []
        units: dict[str, str] = {}
        for sample in parsed.samples:
            entry = self.entries[sample["frame_dir"]]
            assert entry.label is not None  # from the folders, if not from the list
            finished, unit = finish(sample, entry, self.options)
            samples.append({**finished, "label": classes.index(entry.label)})
            units[unit + ", y down" * bool(sample.get("y_down"))] = finished[
                "frame_dir"
            ]
        if len(units) > 1:
            examples = ", ".join(f"{unit} ({name})" for unit, name in units.items())
            raise DataError(
                f"the files have the units {examples}, expected one unit. Convert files "
                "with different units separately.",
                kind="unit",
                file=self.raw,
            )
        self.unit = next(iter(units), self.unit)
        return parsed._replace(samples=samples)

    def _name(self, path: str) -> str:
        if self.lenient or self.folders is None:
            return path
        return self.folders.stripped(path)

    def _from_samples(self, samples: list[dict]) -> dict[str, Entry]:
        """Return id -> label and split for samples with labels of their own."""
        if self.labels == "field":
            named = {v["frame_dir"]: label_of(v, self.raw) for v in samples}
            # Numbers without samples remain classes, so that labels do not change.
            self.named = [str(n) for n in range(max(map(int, named.values())) + 1)]
        else:
            named = {
                sample["frame_dir"]: find_group(sample["frame_dir"], self.labels)
                for sample in samples
            }
            self.named = sorted_classes(set(named.values()))
        if self.list_file is not None:
            check_complete(self.listed, set(named), self.list_file)
            sides = {name: entry.side for name, entry in self.listed.items()}
        elif self.val_fraction is not None:
            numbers = {name: self.named.index(label) for name, label in named.items()}
            sides = self._held_out(numbers, self.val_fraction)
        else:
            sides = {name: name.partition("/")[0] for name in named}  # train/ and val/
        return {name: Entry(label, sides[name]) for name, label in named.items()}

    def _from_folders(
        self, folders: ClassFolders, joined: set[str]
    ) -> dict[str, Entry]:
        """Return id -> label and split for each sequence, including rejected files."""
        labels: dict[str, int] = {}
        sides: dict[str, str] = {}
        for path in self.files.paths:
            label = folders.label(path)
            if label is not None:
                folder = path.rpartition("/")[0]
                name = self._name(folder if folder in joined else without_suffix(path))
                labels[name] = label
                side = folders.side(path)
                if side is not None:
                    sides[name] = side
        if self.list_file is not None:
            check_complete(self.listed, set(labels), self.list_file)
            sides = {name: entry.side for name, entry in self.listed.items()}
        elif self.val_fraction is not None:
            sides = self._held_out(labels, self.val_fraction)
        return {
            name: Entry(folders.classes[label], sides[name])
            for name, label in labels.items()
        }

    def _held_out(self, labels: dict[str, int], fraction: float) -> dict[str, str]:
        groups = {
            name: name if self.group is None else find_group(name, self.group)
            for name in labels
        }
        try:
            held_out = hold_out(
                list(labels.values()), list(groups.values()), fraction, self.seed
            )
        except DataError as error:
            raise error.at(file=self.raw) from None
        return {
            name: "val" if group in held_out else "train"
            for name, group in groups.items()
        }

    def _classes(self) -> list[str]:
        if self.labels != "folder":
            return self.named
        if self.folders is not None and not self.lenient:
            return list(self.folders.classes)
        labels = {entry.label for entry in self.entries.values()}
        return sorted_classes({label for label in labels if label is not None})

    def _splits(self, samples: list[dict]) -> Splits:
        """Return "val" and, if it exists, "test" -> (train ids, ids of this split)."""
        ids: dict[str, list[str]] = {side: [] for side in SIDES}
        for sample in samples:
            ids[self.entries[sample["frame_dir"]].side].append(sample["frame_dir"])
        sides = {entry.side for entry in self.entries.values()}
        return {side: (ids["train"], ids[side]) for side in SIDES[1:] if side in sides}

    def _described_unit(self, samples: list[dict]) -> str:
        unit = self.options.unit
        if unit is None or unit == self.unit:
            return self.unit
        return f"{self.unit} (files: {unit})"

    def _meta(self, samples: list[dict]) -> dict:
        meta: dict[str, Any] = {"classes": self._classes(), "units": self.unit}
        if self.layout is not None:
            meta.update(layout=self.layout, **layout_meta(self.layout))
        elif self.options.layout is not None:
            layout = skeleton(self.options.layout)
            meta.update(joints=list(layout.joints), inward=list(layout.inward))
            meta["center"] = layout.center
        if self.group is not None:
            names = [sample["frame_dir"] for sample in samples]
            meta["group"] = {name: self.groups[name] for name in names}
        return meta


def label_of(sample: dict, raw: str) -> str:
    """Return the label in a file as text."""
    label = sample.get("label")
    if isinstance(label, int | np.integer) and 0 <= label < MAX_LABEL:
        return str(int(label))
    raise DataError(
        f"'label' is {label!r:.40}, expected the number of a class. Pass a list with labels "
        "(--labels), or put the files into class folders.",
        kind="label",
        file=raw,
        sample=sample["frame_dir"],
        field="label",
    )


def _spread(entries: dict[str, Entry], samples: list[dict]) -> dict[str, Entry]:
    """Copy the entry of each file with several sequences to its sequences."""
    entries = dict(entries)
    files = {sample["file"] for sample in samples if "file" in sample}
    for sample in samples:
        if sample.get("file") in entries:
            entries[sample["frame_dir"]] = entries[sample["file"]]
    return {name: entry for name, entry in entries.items() if name not in files}
