"""Data sets in one CSV table, with one row per sample, person, and frame.

    sample,split,label,class,person,frame,nose_x,nose_y,nose_score,left_eye_x,...
    clip_1,train,1,wave,0,0,412.5,120.25,0.98,...

Columns of joints are those of `csv_table`. `split`, `person`, and `frame` are optional. A
sample in several splits has all their names, joined by `|`. Labels are numbers, with the
names of their classes in the optional column `class`, or names, which are numbered in
alphabetical order. Rows of a sample are consecutive. `height` and `width` are the size of
the image.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from ..annotations import Sample
from ..errors import DataError
from ..io.atomic import whole_file
from ..skeletons import SKELETONS, skeleton
from .arrays import to_sequence
from .base import Format, ReadOptions, Source
from .csv_table import AXIS_Z, NUMBERED, joint_name, read_csv
from .data_set import (
    STORED,
    DataSet,
    joined_channels,
    layout_fields,
    sequences,
    single_label,
)
from .table import read_header

MAX_CLASSES = 100_000
KEYS = ("sample", "split", "label", "class", "height", "width")


def open_data_set(source: Source, options: ReadOptions) -> DataSet:
    """Read ids, splits, and labels, but no joints."""
    assert source.path is not None  # data sets are files on disk
    path = source.path
    header = _header(path)
    layout = options.layout or _layout(header)
    samples: dict[str, dict[str, str]] = {}
    for line, name, rows in _groups(path, header):
        if name in samples:
            raise DataError(
                f"sample {name!r} also has earlier rows, expected consecutive rows of each "
                "sample. Sort the table by sample.",
                kind="duplicate",
                line=line,
            )
        samples[name] = {
            key: rows[0][header.index(key)] for key in KEYS if key in header
        }
    names = {sample.get("label", "") for sample in samples.values()}
    numbered = all(name.isdecimal() and len(name) < 8 for name in names)
    classes = [] if numbered else sorted(names)
    if numbered:
        named = {
            int(sample["label"]): sample["class"]
            for sample in samples.values()
            if sample.get("class")
        }
        if named and max(named) < MAX_CLASSES:
            classes = [named.get(label, "") for label in range(max(named) + 1)]
    splits: dict[str, list[str]] = {}
    for name, sample in samples.items():
        for split in filter(None, sample.get("split", "").split("|")):
            splits.setdefault(split, []).append(name)
    joints = skeleton(layout).joints

    def read(start: int) -> Iterator[Sample]:
        channels = 3 if any(map(AXIS_Z.fullmatch, header)) else 2
        for number, (line, name, rows) in enumerate(_groups(path, header)):
            if number < start:
                continue
            fields = samples[name]
            sample = _sample(name, line, header, rows, joints, channels, options)
            label = fields.get("label", "")
            if label:
                sample["label"] = int(label) if numbered else classes.index(label)
            if fields.get("height") and fields.get("width"):
                sample["img_shape"] = int(fields["height"]), int(fields["width"])
            yield sample

    meta: dict[str, Any] = layout_fields(layout)
    if classes:
        meta["classes"] = classes
    return DataSet(len(samples), read, splits or None, meta)


def _sample(
    name: str,
    line: int,
    header: list[str],
    rows: list[list[str]],
    joints: tuple[str, ...],
    channels: int,
    options: ReadOptions,
) -> Sample:
    kept = [index for index, key in enumerate(header) if key not in KEYS]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([header[index] for index in kept])
    writer.writerows([row[index] for index in kept] for row in rows)
    try:
        arrays = read_csv(text.getvalue().encode(), joints, channels)
        sample = to_sequence(
            arrays,
            name,
            joints,
            options.unit,
            options.img_shape,
            options.missing_marker,
        )
    except DataError as error:
        where = error.where
        if (
            where.line is not None and where.line > 1
        ):  # the line among those of the sample
            where = replace(where, line=where.line + line - 2)
        raise DataError(
            error.message,
            kind=error.kind,
            line=where.line,
            sample=name,
            field=where.field,
        ) from None
    if arrays.scores is None:
        sample.pop("keypoint_score", None)
    return {key: sample[key] for key in sample if key not in ("unit", "notes")}


def _header(path: str) -> list[str]:
    with Path(path).open("rb") as file:
        return read_header(file.readline())


def _groups(path: str, header: list[str]) -> Iterator[tuple[int, str, list[list[str]]]]:
    """Iterate over the samples as line of the first row, name, and rows."""
    key = header.index("sample")
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)

        def rows() -> Iterator[tuple[int, list[str]]]:
            while True:
                try:
                    row = next(reader, None)
                except (csv.Error, UnicodeDecodeError) as error:
                    text = isinstance(error, UnicodeDecodeError)
                    raise DataError(
                        f"the table is not valid CSV in UTF-8 ({error})",
                        kind="encoding" if text else "syntax",
                        line=reader.line_num + 1,
                    ) from None
                if row is None:
                    return
                if reader.line_num == 1:
                    continue
                if len(row) != len(header):
                    raise DataError(
                        f"the row has {len(row)} cells, expected {len(header)} as in the "
                        "header",
                        kind="row",
                        line=reader.line_num,
                    )
                yield reader.line_num, row

        for name, group in groupby(rows(), key=lambda item: item[1][key]):
            items = list(group)
            yield items[0][0], name, [row for _, row in items]


def _layout(header: list[str]) -> str:
    """Return the layout whose joints the columns are named after."""
    columns = {name.removesuffix("_x") for name in header if name.endswith("_x")}
    for name, body in SKELETONS.items():
        if columns and columns == {joint_name(joint) for joint in body.joints}:
            return name
    raise DataError(
        "the columns do not have the joint names of a known layout. Pass the layout of "
        "the file (--layout).",
        kind="layout",
        field="layout",
    )


def write(data: DataSet, path: str, *_: str | None) -> dict[str, int]:
    """Write a table, whose numbers are read as the same float32.

    Returns:
        What the format cannot store: description -> count.
    """
    splits: dict[str, list[str]] = {}
    for name, ids in (data.splits or {}).items():
        for sample_id in ids:
            splits.setdefault(sample_id, []).append(name)
    classes = data.meta.get("classes", ())
    lost: dict[str, int] = {}
    used: set[int] = set()
    with whole_file(path, "x") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns: list[str] = []
        for sample in data.read(0):
            keypoint, name = joined_channels(sample), sample["frame_dir"]
            scored = sample.get("keypoint_score") is not None
            if not columns:
                columns = _joint_columns(data, keypoint.shape[2:], scored)
                header = [*KEYS, "person", "frame", *columns]
                writer.writerow(header)
            elif len(_joint_columns(data, keypoint.shape[2:], scored)) != len(columns):
                raise DataError(
                    "the sample has other channels than the first one. Store scores of all "
                    "samples or none.",
                    kind="score",
                    sample=name,
                )
            label = single_label(sample)
            title = classes[label] if label < len(classes) else ""
            size = sample.get("img_shape") or ("", "")
            used.add(label)
            for key in sample.keys() - STORED - {"img_shape"}:
                lost[f"field {key!r}"] = lost.get(f"field {key!r}", 0) + 1
            start = [name, "|".join(splits.get(name, ())), label, title, *size]
            for person, rows in enumerate(keypoint):
                for frame, row in enumerate(rows.reshape(len(rows), -1)):
                    # The shortest text that is read as the same float32
                    writer.writerow([*start, person, frame, *map(str, row)])
    if len(classes) > max(used) + 1:
        lost["names of classes without samples"] = len(classes) - max(used) - 1
    for key in data.meta.keys() - {"layout", "joints", "inward", "center", "classes"}:
        lost[f"{key} of the data set"] = 1
    return lost


def _joint_columns(data: DataSet, shape: tuple[int, ...], scored: bool) -> list[str]:
    axes = [*"xyz"[: shape[1] - scored], *["score"] * scored]
    layout = data.meta.get("layout")
    if layout is None:
        return [f"{axis}{joint}" for joint in range(shape[0]) for axis in axes]
    joints = skeleton(layout).joints
    return [f"{joint_name(joint)}_{axis}" for joint in joints for axis in axes]


def is_data_set(header: list[str]) -> bool:
    """Return whether a table contains several labeled samples."""
    names = set(header)
    joints = any(name.endswith("_x") or NUMBERED.fullmatch(name) for name in names)
    return {"sample", "label"} <= names and joints


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        data = open_data_set(Source(source.name, path=path), options)
        return sequences(data, options)


FORMAT = Format(
    name="sample_table",
    title="Data set in one table, with a column for the sample",
    keeps="joints, scores in 2D, ids, labels, splits, image sizes",
    suffixes=(".csv",),
    detect=lambda source: is_data_set(read_header(source.first_line)),
    read=_read,
    data_set=open_data_set,
    write=write,
)
