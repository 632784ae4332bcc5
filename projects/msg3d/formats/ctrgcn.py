"""Data sets of CTR-GCN and its derivatives (InfoGCN, HD-GCN, BlockGCN, ...) in `.npz` files.

    x_train  float32 [N, T, M V C], zero-padded    y_train  [N, classes], one-hot
    x_test   the same for the test split           y_test

Files that msg3d writes have more arrays, which these code bases ignore: `train_names`,
`train_frames`, `train_persons`, the same for `test`, and `meta` (JSON). With them, reading
returns exactly the samples that were written.
"""

import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ..annotations import Sample
from ..errors import DataError, MSG3DError
from ..io.atomic import whole_file
from ..io.json_data import decode, encode
from ..io.npy import read_npy_array, read_npy_header
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

PARTS = ("train", "test")
# Splits of published files, such as NTU60_CS.npz.
PROTOCOLS = {"cs": "xsub", "csub": "xsub", "cv": "xview", "cset": "xset"}
MAX_LABEL_BYTES = 2**29
MAX_LABEL = 1_000_000


def open_data_set(source: Source, options: ReadOptions) -> DataSet:
    """Open a file without reading its keypoints."""
    assert source.path is not None  # data sets are files on disk
    with _archive(source.path) as archive:
        ours = _read_meta(archive)
        parts = [_Part(archive, part) for part in PARTS]
    widths = sorted({part.shape[2] for part in parts})
    if len(widths) > 1:
        raise DataError(
            f"x_train and x_test have rows of {widths} numbers, expected the same number",
            kind="shape",
            field="x_test",
        )
    channels = ours.get("channels", 3)
    layout = options.layout or ours.get("meta", {}).get("layout")
    if "joints" in ours:
        joints = ours["joints"]
    else:
        layout = layout or guessed_layout(widths[0] // channels)
        joints = len(skeleton(layout).joints)
    if widths[0] % (joints * channels):
        raise DataError(
            f"the rows of x_train have {widths[0]} numbers, which are not a multiple of "
            f"{joints} joints and {channels} channels. Pass the layout of the file "
            "(--layout).",
            kind="layout",
            field="layout",
        )
    splits = ours.get("splits") or {part: _split(source, part) for part in PARTS}
    data = DataSet(
        count=sum(len(part.names) for part in parts),
        read=lambda start: _samples(
            str(source.path),
            parts,
            (joints, channels),
            ours.get("scored", layout in LAYOUTS_2D),
            data,
            start,
        ),
        splits={splits[part.part]: part.names for part in parts},
        meta={**layout_fields(layout), **ours.get("meta", {})},
    )
    return data


class _Part:
    """Labels, names, and sizes of the samples for training or testing."""

    def __init__(self, archive: zipfile.ZipFile, part: str) -> None:
        self.part = part
        with archive.open(f"x_{part}.npy") as file:
            self.shape, fortran, self.dtype = read_npy_header(cast(BinaryIO, file))
        if len(self.shape) != 3 or fortran or self.dtype.kind != "f" or 0 in self.shape:
            raise DataError(
                f"x_{part} has shape {self.shape} and dtype {self.dtype}, expected floats "
                "[N, T, M V C]",
                kind="shape",
                field=f"x_{part}",
            )
        rows = math.prod(self.shape) * self.dtype.itemsize
        if rows > archive.getinfo(f"x_{part}.npy").file_size:
            raise DataError(
                f"x_{part} has less data than shape {self.shape} requires. Copy or create "
                "the file again.",
                kind="truncated",
                field=f"x_{part}",
            )
        labels = _array(archive, f"y_{part}", "fiub")
        if labels.ndim == 2:
            if len(labels) and not (np.count_nonzero(labels, axis=1) == 1).all():
                raise DataError(
                    f"y_{part} has rows without exactly one class, expected one-hot labels",
                    kind="label",
                    field=f"y_{part}",
                )
            labels = labels.argmax(axis=1) if labels.size else np.zeros(0)
        if (
            labels.shape != self.shape[:1]
            or not np.isfinite(labels).all()
            or labels.min() < 0
            or labels.max() > MAX_LABEL
        ):
            raise DataError(
                f"y_{part} has shape {labels.shape}, expected {self.shape[0]} labels",
                kind="label",
                field=f"y_{part}",
            )
        self.labels = labels.astype(np.int64)
        self.names = [f"{part}_{number:06d}" for number in range(len(labels))]
        self.sizes: np.ndarray | None = None
        self.img_shapes: np.ndarray | None = None
        if _has(archive, f"{part}_names"):
            names = _array(archive, f"{part}_names", "U")
            self.names = names.ravel().tolist()
            keys = ("persons", "frames")
            sizes = [_array(archive, f"{part}_{key}", "iu").ravel() for key in keys]
            self._check(names, *sizes)
            self.sizes = np.stack(sizes, axis=1)
            if min(map(len, self.names)) == 0 or self.sizes.min() < 1:
                raise DataError(
                    f"{part}_names, _persons, or _frames has an empty entry",
                    kind="structure",
                    field=f"{part}_names",
                )
        if _has(archive, f"{part}_img_shapes"):
            shapes = _array(archive, f"{part}_img_shapes", "iu")
            self._check(shapes)
            self.img_shapes = shapes.reshape(len(labels), -1)

    def _check(self, *arrays: np.ndarray) -> None:
        if any(array.ndim == 0 or len(array) != self.shape[0] for array in arrays):
            raise DataError(
                f"the arrays of {self.part} do not have {self.shape[0]} entries each",
                kind="structure",
                field=f"{self.part}_names",
            )


def _read_meta(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the content of `meta` in a file that msg3d wrote; empty otherwise."""
    if not _has(archive, "meta"):
        return {}
    ours = decode(str(_array(archive, "meta", "U")).encode("utf-8", "replace"))
    if isinstance(ours, dict):
        splits, joints = ours.get("splits"), ours.get("joints")
        if (
            isinstance(splits, dict)
            and all(isinstance(splits.get(part), str) for part in PARTS)
            and type(joints) is int
            and joints > 0
            and ours.get("channels") in (2, 3, 4)
            and type(ours.get("scored")) is bool
            and isinstance(ours.get("meta"), dict)
        ):
            return ours
    raise DataError(
        "'meta' is not what msg3d writes. Create the file again, or remove the array.",
        kind="structure",
        field="meta",
    )


def _samples(
    path: str,
    parts: list[_Part],
    last_axes: tuple[int, int],
    scored: bool,
    data: DataSet,
    start: int,
) -> Iterator[Sample]:
    """Iterate over the samples for training, then those for testing."""
    with _archive(path) as archive:
        for part in parts:
            count = len(part.names)
            if start >= count:
                start -= count
                continue
            with archive.open(f"x_{part.part}.npy") as file:
                read_npy_header(cast(BinaryIO, file))
                size = part.dtype.itemsize * part.shape[1] * part.shape[2]
                file.seek(size * start, 1)
                for number in range(start, count):
                    content = file.read(size)
                    if len(content) < size:
                        raise DataError(
                            f"x_{part.part} ends in sample {number} of {count}. Copy or create "
                            "the file again.",
                            kind="truncated",
                            field=f"x_{part.part}",
                        )
                    rows = np.frombuffer(content, part.dtype).astype(np.float32)
                    rows = rows.reshape(part.shape[1], -1, *last_axes)
                    yield _sample(part, number, rows.swapaxes(0, 1), scored, data)
            start = 0


def _sample(
    part: _Part, number: int, keypoint: np.ndarray, scored: bool, data: DataSet
) -> Sample:
    if part.sizes is None:
        keypoint = trimmed(keypoint, data)
    else:
        persons, frames = part.sizes[number].tolist()
        keypoint = keypoint[:persons, :frames]
    sample = labeled_sample(part.names[number], part.labels[number], keypoint, scored)
    if part.img_shapes is not None:
        sample["img_shape"] = tuple(map(int, part.img_shapes[number]))
    return sample


def _split(source: Source, part: str) -> str:
    """Return the name of a split; that of MMAction2 for published files."""
    match = re.search(r"_([A-Za-z]+)$", Path(source.name).stem)
    protocol = PROTOCOLS.get(match[1].lower()) if match else None
    if protocol is None:
        return part
    return f"{protocol}_{'train' if part == 'train' else 'val'}"


@contextmanager
def _archive(path: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            # zipfile allocates the claimed size of a member before it reads it.
            size = Path(path).stat().st_size
            if any(info.compress_size > size for info in archive.infolist()):
                raise zipfile.BadZipFile("an array is larger than the file")
            yield archive
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError),
        *(RuntimeError, UnicodeError, ValueError, OverflowError),
    ) as error:
        if isinstance(error, MSG3DError):
            raise
        raise DataError(
            f"the file is not a complete .npz file ({error}). Copy or create it again.",
            kind="corrupt",
        ) from error
    except KeyError as error:
        raise DataError(
            f"an array is missing ({error.args[0]}), expected x_train, y_train, x_test, "
            "and y_test",
            kind="structure",
        ) from error


def _has(archive: zipfile.ZipFile, name: str) -> bool:
    return f"{name}.npy" in archive.namelist()


def _array(archive: zipfile.ZipFile, name: str, kinds: str) -> np.ndarray:
    if archive.getinfo(f"{name}.npy").file_size > MAX_LABEL_BYTES:
        raise DataError(
            f"{name} has more than {MAX_LABEL_BYTES // 2**20} MiB",
            kind="too-large",
            field=name,
        )
    return read_npy_array(archive.read(f"{name}.npy"), kinds)


def write(
    data: DataSet, path: str, train: str | None = None, val: str | None = None
) -> dict[str, int]:
    """Write two splits of a data set, in three passes over its samples.

    Args:
        data: data set with one class per sample.
        path: file to write.
        train, val: names of the splits, see `two_splits`.

    Returns:
        What the format cannot store: description -> count.
    """
    sides = two_sides(data, train, val, stored=("img_shape",))
    persons, frames, joints, channels = sides.shape
    meta = {
        "splits": dict(zip(PARTS, sides.names, strict=True)),
        "joints": joints,
        "channels": channels,
        "scored": sides.scored,
        "meta": data.meta,
    }
    with whole_file(path) as out, zipfile.ZipFile(out, "w") as archive:
        for side, part in enumerate(PARTS):
            rows = sides.rows[side]
            shape = (len(rows), frames, persons * joints * channels)
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            with archive.open(f"x_{part}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, header)
                for keypoint in sides.keypoints(data, side):
                    file.write(keypoint.swapaxes(0, 1).tobytes())  # (T, M, V, C)
            labels = np.zeros((len(rows), sides.classes), np.uint8)
            labels[np.arange(len(rows)), [row.label for row in rows]] = 1
            arrays = {
                f"y_{part}": labels,
                f"{part}_names": np.array([row.name for row in rows], "U"),
                f"{part}_persons": np.array([row.shape[0] for row in rows]),
                f"{part}_frames": np.array([row.shape[1] for row in rows]),
            }
            if all(row.img_shape is not None for row in rows):
                arrays[f"{part}_img_shapes"] = np.array([row.img_shape for row in rows])
            for name, array in arrays.items():
                _write_array(archive, name, array)
        _write_array(archive, "meta", np.array(encode(meta).decode()))
    return sides.lost


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, array, allow_pickle=False)


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        data = open_data_set(Source(source.name, path=path), options)
        return sequences(data, options)


FORMAT = Format(
    name="ctrgcn",
    title="CTR-GCN data set, x_train and y_train",
    keeps="joints, scores, labels, splits; with files of msg3d also ids and image sizes",
    suffixes=(".npz",),
    detect=lambda source: True,
    read=_read,
    data_set=open_data_set,
    write=write,
)
