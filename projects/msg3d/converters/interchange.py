"""Convert labeled data sets between the formats of different code bases.

A format with `Format.data_set` is read sample by sample, and one with `Format.write` is
written. A folder of files with one sequence each is converted like users' recordings.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..annotations import Sample
from ..annotations.check import raise_first
from ..annotations.markers import without_markers
from ..annotations.sample_check import sample_faults
from ..annotations.samples import Summary
from ..annotations.splits import hold_out
from ..errors import ConfigError, DataError, MSG3DError, SkipFile
from ..formats.base import (
    Format,
    ReadOptions,
    Source,
    all_formats,
    detect_format,
    read,
)
from ..formats.data_set import DataSet, single_label, two_splits
from ..formats.stgcn import file_names
from ..io import StrPath
from ..io.progress import progress
from ..preprocessing.frame_rate import rate_of
from ..stores.packing import load_any
from ..stores.store_format import HEADER
from .labels import Entry, check_complete, read_list, sorted_classes
from .nw_ucla import convert_nw_ucla
from .recordings import Recordings

# Larger data sets are not written as a pickle, which is loaded into memory to train.
MAX_PICKLE = 8 * 2**30
# Formats with two splits and one class per sample
TWO_SPLITS = ("ctrgcn", "stgcn")
OUTPUTS = {
    ".pkl": "annotation_file",
    ".packed": "store",
    ".npz": "ctrgcn",
    ".npy": "stgcn",
    ".csv": "sample_table",
}


@dataclass
class Converted:
    """Result of a conversion.

    Attributes:
        input_format, output_format: names of the formats.
        samples: number of samples that were written.
        splits: name -> number of samples.
        changes: changes to the samples as description -> count.
        lost: what the output format cannot store, as description -> count.
        skipped: ids of samples without any person, which were not written.
    """

    input_format: str
    output_format: str
    samples: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def convert_data_set(
    path: StrPath,
    out: StrPath,
    options: ReadOptions | None = None,
    val_fraction: float | None = None,
    seed: int = 0,
    splits: tuple[str | None, str | None] = (None, None),
    label_pattern: str | None = None,
) -> Converted:
    """Convert a labeled data set to another format.

    Args:
        path: file or packed store, whose format is detected; or a folder of files with
            one sample each, such as MMAction2's pickles or mmskeleton's JSON files.
        out: path to write, whose suffix is one of `OUTPUTS`.
        options: properties that the file does not specify. `labels` is the file of labels
            of an `.npy` array. For other formats, it is a table with the columns `file`
            (the id of a sample), `label`, and `split`, or `name` and `split`, which
            replaces labels and splits.
        val_fraction: fraction of each class to hold out, for files without splits.
        seed: random seed for `val_fraction`.
        splits: splits for training and testing to write, for formats with two splits.
        label_pattern: regular expression whose match in the path of a file is the name
            of its class, for folders. By default, labels are those in the files, in
            `options.labels`, or of class folders.

    Raises:
        DataError: the file cannot be read, or the output format cannot store the samples.
        ConfigError: the suffix of `out` is unknown (kind `file-name`).
        OSError: `out` cannot be written.
    """
    path, out = os.fspath(path), os.fspath(out).rstrip("/")
    options = options or ReadOptions()
    target = output_format(out)
    if splits != (None, None) and target.name not in TWO_SPLITS:
        raise ConfigError(
            f"the splits to write are set, but {Path(out).suffix} files store all splits. "
            "Omit --train-split and --val-split.",
            kind="option",
        )
    path, form = _found(path, options)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    if form is None:
        return _convert_folder(
            path, out, options, label_pattern, val_fraction, seed, splits
        )
    for value, option in (
        (options.unit, "--unit"),
        (options.img_shape, "--img-shape"),
        (label_pattern, "--label-pattern"),
    ):
        if value is not None:
            raise ConfigError(
                f"{option} is for folders of single files, but the input is a data set. "
                "Omit it.",
                kind="option",
            )
    assert form.data_set is not None
    try:
        data = form.data_set(Source(path), options)
        relabel = options.labels is not None and form.name != "stgcn"
        if val_fraction is not None and (data.splits or relabel):
            raise ConfigError(
                "--val-fraction is set, but the input has splits. Omit it.",
                kind="option",
            )
        if options.labels is not None and relabel:
            suffixes = (".pkl", ".npy", ".json", ".skeleton")
            entries = read_list(options.labels, suffixes)
            _relabel(data, entries, options.labels)
        elif val_fraction is not None:
            _hold_out(data, val_fraction, seed)
    except DataError as error:
        raise error.at(file=path) from error.__cause__
    result = Converted(form.name, target.name)
    if target.name == "annotation_file":
        _check_size(data, out)
    _check_samples(data, result, options)
    data.source = _identity(path, options, val_fraction, seed)
    assert target.write is not None
    try:
        result.lost = target.write(data, out, *splits)
    except DataError as error:
        raise error.at(file=path) from error.__cause__
    result.changes = dict(data.notes)
    result.samples = data.count - len(result.skipped)
    result.splits = {name: len(ids) for name, ids in (data.splits or {}).items()}
    if target.name in TWO_SPLITS:
        names = two_splits(data, *splits)
        result.splits = {name: result.splits[name] for name in names}
        result.samples = sum(result.splits.values())
    return result


def output_files(out: str) -> list[str]:
    """Return the paths of all files that are written for an output path."""
    if Path(out).suffix.lower() != ".npy":
        return [out]
    return [str(path) for pair in file_names(out) for path in pair]


def _found(path: str, options: ReadOptions) -> tuple[str, Format | None]:
    """Return the path and format of a data set; None for a folder of single samples.

    Raises:
        DataError: the path does not exist (kind `not-found`), or is not a data set (kind
            `unknown-format`).
    """
    if not os.path.exists(path):  # noqa: PTH110  (Path rejects some texts)
        raise DataError(
            "the input does not exist. Pass the path of an existing file or folder.",
            kind="not-found",
            file=path,
        )
    if Path(path).is_dir():
        arrays = sorted(Path(path).glob("train_data*.npy"))
        if len(arrays) == 1:
            path = str(arrays[0])
        elif not Path(path, HEADER).is_file():
            return path, None
    data_sets = tuple(
        name for name, form in all_formats().items() if form.data_set is not None
    )
    try:
        return path, detect_format(Source(path), replace(options, formats=data_sets))
    except DataError as error:
        raise error.at(file=path) from error.__cause__


def _convert_folder(
    path: str,
    out: str,
    options: ReadOptions,
    label_pattern: str | None,
    val_fraction: float | None,
    seed: int,
    splits: tuple[str | None, str | None],
) -> Converted:
    """Gather the files of a folder in an annotation file, and convert that."""
    with tempfile.TemporaryDirectory() as folder:
        target = out
        if Path(out).suffix not in (".pkl", ".packed"):
            target = str(Path(folder, "gathered.pkl"))
        name, labeled = _first_file(path, options)
        if name == "nw_ucla" and options.labels is None and val_fraction is None:
            report = convert_nw_ucla(path, target)  # with splits by view and subject
        else:
            labels = label_pattern or ("field" if labeled else "folder")
            listed = options.labels
            data = Recordings(path, options, listed, val_fraction, seed, labels=labels)
            report = data.convert(target, False, None)
        return _finished(report, target, out, splits)


def _finished(
    report: dict, target: str, out: str, splits: tuple[str | None, str | None]
) -> Converted:
    """Convert the file of a converter's report to the output format.

    Raises:
        DataError: the converter rejected files (the kind of the first one).
    """
    if not report["written"]:
        refused = report["refused"]
        faults = "; ".join(f"{fault['file']}: {fault['why']}" for fault in refused[:3])
        raise DataError(
            f"{len(refused)} files cannot be read ({faults:.500})",
            kind=refused[0]["kind"] if refused else "empty",
            file=report["raw"],
        )
    if target == out:
        data = load_any(out)
        names = data["split"] if isinstance(data, dict) else {}
        sizes = {name: len(ids) for name, ids in names.items()}
        changes = {text: sum(by.values()) for text, by in report["notes"].items()}
        form = output_format(out).name
        return Converted("folder", form, report["sequences"], sizes, changes)
    converted = convert_data_set(target, out, splits=splits)
    return replace(converted, input_format="folder")


def _first_file(path: str, options: ReadOptions) -> tuple[str | None, bool]:
    """Return the format of the first readable file, and whether it contains a label."""
    for folder, _, files in sorted(os.walk(path)):
        for file in sorted(files):
            source = Source(os.path.join(folder, file))  # noqa: PTH118
            try:
                name = detect_format(source, options).name
                return name, all("label" in sample for sample in read(source, options))
            except (MSG3DError, SkipFile, OSError):
                continue
    return None, False


def output_format(out: str) -> Format:
    """Return the format of an output path.

    Raises:
        ConfigError: the suffix is unknown (kind `file-name`).
    """
    name = OUTPUTS.get(Path(out).suffix.lower())
    if name is None:
        raise ConfigError(
            f"the output ends in {Path(out).suffix!r}, expected one of "
            f"{', '.join(OUTPUTS)}",
            kind="file-name",
            file=out,
        )
    return all_formats()[name]


def _check_samples(data: DataSet, result: Converted, options: ReadOptions) -> None:
    """Check samples, apply options, leave out samples without any person, and report."""
    read = data.read

    def samples(start: int) -> Iterator[Sample]:
        data.notes.clear()  # each pass over the samples counts all changes
        result.skipped.clear()
        common = Summary("")
        items = progress(read(0), "converting", total=data.count, unit="sample")
        written = 0
        for sample in items:
            keypoint = sample.get("keypoint")
            if not isinstance(keypoint, np.ndarray) or keypoint.ndim != 4:
                name = sample["frame_dir"]
                raise_first(sample_faults(sample, name, common, True, True), "")
            sample, notes = without_markers(sample, options.missing_marker)
            if options.fps is not None and rate_of(sample) is None:
                sample = {**sample, "fps": options.fps}
            for text, count in notes.items():
                data.note(text, count)
            faults = sample_faults(sample, sample["frame_dir"], common, True, True)
            raise_first(faults, "")
            if not sample["keypoint"].any():
                result.skipped.append(sample["frame_dir"])
            elif written >= start:
                yield sample
            else:
                written += 1
        if len(result.skipped) == data.count:
            raise DataError("no sample contains a person", kind="empty")
        if result.skipped and data.splits is not None:
            skipped = set(result.skipped)
            data.splits = {
                name: [sample for sample in ids if sample not in skipped]
                for name, ids in data.splits.items()
            }

    data.read = samples


def _relabel(data: DataSet, entries: dict[str, Entry], path: str) -> None:
    """Take the splits, and the labels if there are any, from a complete list."""
    names = [sample["frame_dir"] for sample in data.read(0)]
    check_complete(entries, set(names), path)
    labels = {entry.label for entry in entries.values() if entry.label is not None}
    classes = sorted_classes(labels)
    read = data.read

    def samples(start: int) -> Iterator[Sample]:
        for sample in read(start):
            label = entries[sample["frame_dir"]].label
            if label is not None:
                sample = {**sample, "label": classes.index(label)}
            yield sample

    data.read = samples
    sides = sorted({entry.side for entry in entries.values()})
    data.splits = {
        side: [name for name in names if entries[name].side == side] for side in sides
    }
    if classes:
        data.meta = {**data.meta, "classes": classes}


def _hold_out(data: DataSet, fraction: float, seed: int) -> None:
    samples = [(sample["frame_dir"], single_label(sample)) for sample in data.read(0)]
    names = [name for name, _ in samples]
    held_out = hold_out([label for _, label in samples], names, fraction, seed)
    data.splits = {
        "train": [name for name in names if name not in held_out],
        "val": [name for name in names if name in held_out],
    }


def _check_size(data: DataSet, out: str) -> None:
    """Reject a pickle that would not fit in memory, from the size of the first samples."""
    size = count = 0
    for sample in data.read(0):
        size += sum(
            sample[key].nbytes
            for key in ("keypoint", "keypoint_score")
            if key in sample
        )
        count += 1
        if count == 100:
            break
    total = size * data.count // max(count, 1)
    if total > MAX_PICKLE:
        raise DataError(
            f"the data set has about {total / 2**30:.0f} GiB, and a pickle is loaded into "
            f"memory completely. Write a packed store, which is read sample by sample: "
            f"{Path(out).with_suffix('.packed')}.",
            kind="too-large",
            file=out,
        )


def _identity(path: str, options: ReadOptions, *rest: Any) -> str:
    """Describe everything that the samples depend on, to resume only the same run."""
    main = Path(path)
    folder = main if main.is_dir() else main.parent
    files = [main] if options.labels is None else [main, Path(options.labels)]
    if main.is_dir():  # a store
        files += sorted(folder.rglob("*.json"))
    elif main.suffix == ".npy":  # arrays and labels of both splits
        files += sorted([*folder.glob("*_data*.npy"), *folder.glob("*_label.pkl")])
    states = [
        (str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns)
        for file in files
        if file.is_file()
    ]
    return repr([str(main.absolute()), states, options, *rest])
