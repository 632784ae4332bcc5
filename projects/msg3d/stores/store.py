"""Packed stores: annotations that are read from disk sample by sample.

A store is a folder:

    NAME.packed/
        store.json              version, dtype, splits, sizes, name of the data folder
        data.1/keypoint.npy     [rows, V, C], one row per person and frame
        data.1/keypoint_score.npy   [rows, V], if samples have scores
        data.1/index.npy        rows, persons, frames, label, and text of each sample
        data.1/fields.npy       all other fields of the samples, as JSON text
        data.1/splits.npy       positions of the samples of each split, concatenated
        data.1/meta.json        everything besides splits and annotations

All arrays are plain .npy files, which `numpy.load(file, mmap_mode="r")` can map. Nothing
in a store is unpickled or executed.

The index is memory-mapped. Samples are read by position (`os.preadv`) into new arrays,
through the page cache, which all workers and ranks of a machine share. The copy costs
nothing extra, since transforms modify training samples. Memory-mapping the samples would
read uncached data page by page, count the page cache as memory of the process, and crash
the process (SIGBUS) if a file is truncated.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..annotations.check import Annotations
from ..annotations.samples import Summary
from ..errors import DataError
from ..io import StrPath
from ..io.json_data import decode
from ..io.npy import NpyRows
from ..io.progress import progress
from .store_format import INDEX, check_arrays, corrupt_error, read_header


def load_store(path: StrPath) -> "Store":
    """Open a packed store without reading any sample.

    Args:
        path: the folder.

    Raises:
        DataError: the path is not a store (`not-found`, `wrong-path`,
            `wrong-file-type`); the store has an unsupported version (`version`) or
            cannot be read (`io`); or a file in it is missing (`not-found`), `truncated`,
            or `corrupt`.
    """
    return Store(path)


class Store:
    """Samples of a packed store, read on access.

    `store[i]` is sample i as a dictionary with new arrays, so changes do not affect the
    store. Unpickling a store (in a spawned worker) reopens it.

    Attributes:
        path: the folder.
        splits: name -> number of ids; None if the annotations were a plain list.
        id_field: `frame_dir` or `filename`.
        index: memory-mapped array [samples] of dtype `INDEX`.

    Raises:
        DataError: see `load_store`.
    """

    def __init__(self, path: StrPath) -> None:
        self.path = os.fspath(path)
        header = read_header(self.path)
        # Errors show this path unchanged.
        self._folder = os.path.join(self.path, header["data"])  # noqa: PTH118
        self.splits: dict[str, int] | None = header["splits"]
        self.id_field: str = header["id"]
        self._sizes: dict[str, int] = header["bytes"]
        try:
            self._check_files()
            rows = NpyRows(self._file("index.npy"), "V")
            if rows.dtype != INDEX or len(rows.shape) != 1 or not len(rows):
                raise corrupt_error(
                    f"has shape {rows.shape} and type {rows.dtype}", rows.path
                )
            self.index = np.memmap(rows.path, INDEX, "r", rows.offset, rows.shape)
            self._fields = NpyRows(self._file("fields.npy"), "u")
            self._keypoint = NpyRows(self._file("keypoint.npy"), "fiu")
            self._splits = NpyRows(self._file("splits.npy"), "iu")
            self._score = None
            if "keypoint_score.npy" in self._sizes:
                self._score = NpyRows(self._file("keypoint_score.npy"), "fiu")
            check_arrays(
                self._folder,
                header,
                self.index,
                self._fields,
                self._splits,
                self._keypoint,
                self._score,
            )
        except OSError as error:
            raise DataError(
                f"cannot be read: {error.strerror}",
                kind="io",
                file=error.filename or self.path,
            ) from error

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[[str], "Store"], tuple[str]]:
        return load_store, (str(Path(self.path).absolute()),)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return sample `number` as packed, with `keypoint` [M, T, V, C].

        Raises:
            IndexError: `number` is out of range.
            DataError: the file was truncated after it was opened (`truncated`).
        """
        entry = self.index[number]
        row, persons, frames = (int(entry[key]) for key in ("row", "persons", "frames"))
        sample = self.fields(number)
        for field, rows in (
            ("keypoint", self._keypoint),
            ("keypoint_score", self._score),
        ):
            if rows is not None:
                array = rows.read(row, persons * frames)
                sample[field] = array.reshape(persons, frames, *array.shape[1:])
        return sample

    def fields(self, number: int) -> dict[str, Any]:
        """Return the fields of sample `number` other than keypoints and scores."""
        *_, text, characters = self.index[number].item()
        fields = self._decoded(
            self._fields.read(text, characters).tobytes(), "fields.npy", number
        )
        if not isinstance(fields.get(self.id_field), str):
            raise corrupt_error(
                f"has no {self.id_field}", self._file("fields.npy"), sample=number
            )
        return fields

    def _decoded(
        self, text: bytes, name: str, sample: int | None = None
    ) -> dict[str, Any]:
        """Decode an object in the file `name`."""
        file = self._file(name)
        try:
            value = decode(text)
        except DataError as error:
            raise corrupt_error(error.message, file, sample=sample) from error
        if not isinstance(value, dict):
            why = f"contains a {type(value).__name__}, expected an object"
            raise corrupt_error(why, file, sample=sample)
        return value

    def split(self, name: str | None) -> np.ndarray:
        """Return the positions of the samples of a split, sorted as in PoseDataset.

        Args:
            name: the split; None for all samples of a store without splits.

        Raises:
            DataError: the split does not exist, or none is specified (`split`).
        """
        if self.splits is None:
            if name is not None:
                raise DataError(
                    f"has no splits, so no split {name!r}: set split=None, or pack "
                    "dict(split=..., annotations=...)",
                    kind="split",
                    file=self.path,
                    field="split",
                )
            return np.arange(len(self))
        if name not in self.splits:
            what = "split is None" if name is None else f"has no split {name!r}"
            raise DataError(
                f"{what}: choose one of {list(self.splits)} (--split, or `split` of a config)",
                kind="split",
                file=self.path,
                field="split",
            )
        return np.unique(self._split_positions(self.splits)[name])

    def summary(self, numbers: np.ndarray) -> Summary:
        """Return the Summary of samples, as `check_annotations` returns it."""
        label, labelled, targets, persons = (
            self.index[key][numbers]
            for key in ("label", "labelled", "targets", "persons")
        )
        _, joints, channels = self._keypoint.shape

        def first(mask: np.ndarray) -> str:
            """Return the id of the first selected sample, or ""."""
            if not mask.any():
                return ""
            return self.fields(numbers[mask.argmax()])[self.id_field]

        return Summary(
            self.path,
            samples=len(numbers),
            sample=self.fields(numbers[0])[self.id_field],
            joints=joints,
            channels=channels,
            scored=self._score is not None,
            persons=int(persons.max()),
            persons_sample=first(persons == persons.max()),
            max_label=int(label.max()),
            max_label_sample=first((label == label.max()) & (label >= 0)),
            without_label=first(~labelled),
            targets=int(targets.max()) or None,
            targets_sample=first(targets > 0),
            without_targets=first(targets == 0),
        )

    def rest(self) -> dict[str, Any]:
        """Return everything besides splits and annotations, such as `meta`."""
        return self._decoded(Path(self._file("meta.json")).read_bytes(), "meta.json")

    def unpack(self) -> Annotations:
        """Load everything into memory, in the form of `load_annotations`."""
        numbers = progress(range(len(self)), "unpacking", unit="sample")
        samples = [self[number] for number in numbers]
        if self.splits is None:
            return samples
        ids = [sample[self.id_field] for sample in samples]
        split = {
            name: [ids[number] for number in numbers]
            for name, numbers in self._split_positions(self.splits).items()
        }
        return dict(split=split, annotations=samples, **self.rest())

    def _split_positions(self, lengths: dict[str, int]) -> dict[str, np.ndarray]:
        """Return split name -> positions, in the order of the split."""
        numbers = self._splits.read(0, len(self._splits))
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise corrupt_error(
                "contains samples that do not exist", self._file("splits.npy")
            )
        ends = np.cumsum(list(lengths.values()), dtype=np.int64)
        # Without splits, np.split returns one empty part.
        return dict(zip(lengths, np.split(numbers, ends[:-1]), strict=False))

    def _file(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _check_files(self) -> None:
        for name, expected in self._sizes.items():
            file = self._file(name)
            if not Path(file).is_file():
                raise corrupt_error("is missing", file, "not-found")
            size = Path(file).stat().st_size
            if size != expected:
                kind = "truncated" if size < expected else "corrupt"
                raise corrupt_error(
                    f"has {size} bytes, expected {expected}", file, kind
                )
