"""Data sets of ST-GCN, 2s-AGCN, MS-G3D, and Shift-GCN: an array and a pickle of labels.

    train_data_joint.npy    float32 [N, C, T, V, M]    train_label.pkl    (names, labels)
    val_data_joint.npy      the same for testing       val_label.pkl

The name of the array may have any ending after `train_data` and `val_data`. Kinetics has
C = 3 for x, y, and score, with x and y from -0.5 to 0.5 of the image.
"""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..annotations import Sample
from ..errors import DataError
from ..io.atomic import whole_file
from ..io.npy import NpyRows, read_npy_header
from ..io.safe_pickle import load_plain
from ..skeletons import skeleton
from .base import Format, ReadOptions, Source
from .data_set import (
    LAYOUTS_2D,
    DataSet,
    guessed_layout,
    labeled_sample,
    layout_fields,
    sequences,
    trimmed,
    two_sides,
)

NAME = re.compile(r"(train|val|test)_data(.*)\.npy")
PROTOCOLS = ("xsub", "xview", "xset")
SUFFIX = re.compile(r"\.(skeleton|json|avi|mp4)$")
MAX_LABEL = 1_000_000
FIRST = 64  # samples that show whether the origin is the center of the image


def open_data_set(
    source: Source, options: ReadOptions, with_others: bool = True
) -> DataSet:
    """Open the array in `source`, and by default those of other splits next to it."""
    assert source.path is not None  # data sets are files on disk
    path = Path(source.path)
    match = NAME.fullmatch(path.name)
    names = [path.name]
    if match is not None and with_others:
        names = [f"{side}_data{match[2]}.npy" for side in ("train", "val", "test")]
    folder = path.absolute().parent
    arrays = [
        _Array(folder / name, options.labels if name == path.name else None)
        for name in names
        if (folder / name).exists()
    ]
    shapes = {(array.rows.shape[1], *array.rows.shape[3:4]) for array in arrays}
    if len(shapes) > 1:
        raise DataError(
            f"the arrays of the splits have different channels or joints: {shapes}",
            kind="shape",
        )
    joints = arrays[0].rows.shape[3]
    layout = options.layout or guessed_layout(joints)
    if len(skeleton(layout).joints) != joints:
        raise DataError(
            f"the array has {joints} joints (shape {arrays[0].rows.shape}), but layout "
            f"{layout!r} has {len(skeleton(layout).joints)}. Pass the layout of the file "
            "(--layout).",
            kind="layout",
            field="layout",
        )
    protocol = f"{folder.name}_" if folder.name in PROTOCOLS else ""
    scored = arrays[0].rows.shape[1] == 3 and layout in LAYOUTS_2D
    centered = scored and layout == "openpose" and _is_centered(arrays[0].rows)
    data = DataSet(
        count=sum(len(array.names) for array in arrays),
        read=lambda start: _samples(arrays, scored, centered, data, start),
        splits={f"{protocol}{array.side}": array.names for array in arrays},
        meta=layout_fields(layout),
    )
    return data


class _Array:
    """The array of a split, with ids and labels of its samples."""

    def __init__(self, path: Path, labels: str | None) -> None:
        self.rows = NpyRows(str(path), "f")
        if len(self.rows.shape) != 5 or 0 in self.rows.shape:
            raise DataError(
                f"the array has shape {self.rows.shape}, expected [N, C, T, V, M]",
                kind="shape",
                file=str(path),
            )
        match = NAME.fullmatch(path.name)
        self.side = match[1] if match else "train"
        file = Path(labels) if labels else path.with_name(f"{self.side}_label.pkl")
        if not file.exists():
            raise DataError(
                f"the labels of {path.name} are missing, expected {file.name} in the same "
                "folder. Pass their path (--labels).",
                kind="not-found",
                file=str(file),
            )
        content = load_plain(file)
        if (
            not isinstance(content, (tuple, list))
            or len(content) != 2
            or any(
                not isinstance(part, (list, tuple, np.ndarray))
                or (isinstance(part, np.ndarray) and part.ndim != 1)
                or len(part) != len(self.rows)
                for part in content
            )
        ):
            raise DataError(
                f"the labels do not match {path.name}, expected a tuple of {len(self.rows)} "
                f"names and {len(self.rows)} labels",
                kind="label",
                file=str(file),
            )
        names, self.labels = content
        for name, label in zip(names, self.labels, strict=True):
            if (
                not isinstance(name, str)
                or not isinstance(label, int | np.integer)
                or not 0 <= label < MAX_LABEL
            ):
                raise DataError(
                    f"the labels contain {type(name).__name__} and {type(label).__name__}, "
                    "expected names as text and labels as nonnegative integers",
                    kind="label",
                    file=str(file),
                )
        # Names are those of the raw files, such as S001C001P001R001A001.skeleton.
        self.names = [SUFFIX.sub("", name) for name in names]


def _samples(
    arrays: list[_Array], scored: bool, centered: bool, data: DataSet, start: int
) -> Iterator[Sample]:
    for array in arrays:
        for number in range(min(start, len(array.rows)), len(array.rows)):
            row = array.rows.read(number, 1)[0].astype(np.float32)  # (C, T, V, M)
            keypoint = trimmed(row.transpose(3, 1, 2, 0), data)
            sample = labeled_sample(
                array.names[number], array.labels[number], keypoint, scored
            )
            if scored:
                if centered:  # move the origin to the upper left corner
                    present = (sample["keypoint_score"] > 0)[..., None]
                    sample["keypoint"] = (
                        sample["keypoint"] + np.float32(0.5)
                    ) * present
                if np.abs(sample["keypoint"]).max() <= 1:
                    sample["img_shape"] = (1, 1)
            yield sample
        start = max(0, start - len(array.rows))


def _is_centered(rows: NpyRows) -> bool:
    """Return whether positions are fractions of the image around its center."""
    first = rows.read(0, min(FIRST, len(rows)))[:, :2]
    return bool(np.abs(first).max() <= 1 and (first < 0).any())


def write(
    data: DataSet, path: str, train: str | None = None, val: str | None = None
) -> dict[str, int]:
    """Write two splits as four files, in three passes over the samples.

    Args:
        data: data set with one class per sample.
        path: array of the training split, FOLDER/train_data_joint.npy, for example.
        train, val: names of the splits, see `two_splits`.

    Returns:
        What the format cannot store: description -> count.
    """
    files = file_names(path)
    sides = two_sides(data, train, val)
    persons, frames, joints, channels = sides.shape
    for side, (array_file, label_file) in enumerate(files):
        rows = sides.rows[side]
        shape = (len(rows), channels, frames, joints, persons)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        with whole_file(array_file) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for keypoint in sides.keypoints(data, side):
                file.write(keypoint.transpose(3, 1, 2, 0).tobytes())
        with whole_file(label_file) as file:
            labels = ([row.name for row in rows], [row.label for row in rows])
            pickle.dump(labels, file, protocol=4)
    lost = dict(sides.lost)
    layout = data.meta.get("layout")
    if layout is not None and layout != guess(joints):
        lost[f"layout (read the file with --layout {layout})"] = 1
    if channels == 3 and sides.scored != (layout in LAYOUTS_2D):
        lost["whether the third channel is z or a score"] = 1
    for key in data.meta.keys() - {"layout", "joints", "inward", "center"}:
        lost[f"{key} of the data set"] = 1
    return lost


def file_names(path: str) -> list[tuple[Path, Path]]:
    """Return the array and the labels of the training and of the test split.

    Raises:
        DataError: the name of the array does not begin with 'train_data' (kind
            `file-name`).
    """
    match = NAME.fullmatch(Path(path).name)
    if match is None or match[1] != "train":
        raise DataError(
            f"the name of the output is {Path(path).name!r}, expected a name such as "
            "'train_data_joint.npy'. The test split is written next to it.",
            kind="file-name",
            file=path,
        )
    folder = Path(path).parent
    return [
        (folder / f"{side}_data{match[2]}.npy", folder / f"{side}_label.pkl")
        for side in ("train", "val")
    ]


def guess(joints: int) -> str | None:
    """Return the layout that is guessed for an array, or None."""
    try:
        return guessed_layout(joints)
    except DataError:
        return None


def is_data_set(source: Source) -> bool:
    """Return whether the array has five axes. A corrupt file is read as a sequence."""
    if source.path is None or source.is_folder:
        return False
    try:
        with Path(source.path).open("rb") as file:
            shape, _, _ = read_npy_header(file)
    except DataError:
        return False
    return len(shape) == 5


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    # A folder contains the arrays of the other splits as files of their own.
    return sequences(open_data_set(source, options, with_others=False), options)


FORMAT = Format(
    name="stgcn",
    title="ST-GCN or 2s-AGCN data set, [N, C, T, V, M] with labels",
    keeps="joints, scores in 2D, ids, labels, splits",
    suffixes=(".npy",),
    detect=is_data_set,
    read=_read,
    data_set=open_data_set,
    write=write,
)
