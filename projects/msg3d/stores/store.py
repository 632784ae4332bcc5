"""Reader for packed stores, from which samples are read on access.

A packed store is a folder:

    NAME.packed/
        store.json              version, dtype, splits, sizes, name of the data folder
        data.1/keypoint.npy     [rows, V, C], one row per person and frame
        data.1/keypoint_score.npy   [rows, V], if samples have scores
        data.1/index.npy        one entry per sample (see `store_format.INDEX`)
        data.1/fields.npy       all other fields of the samples, as JSON text
        data.1/splits.npy       positions of the samples in each split, concatenated
        data.1/meta.json        all data of the file besides splits and annotations

All arrays are plain .npy files, which `numpy.load(file, mmap_mode="r")` can map. Nothing
in a store is unpickled or executed.

The index is memory-mapped. Samples are read by position (`os.preadv`) into new arrays,
through the page cache, which all workers and ranks of a machine share. A copy is required
anyway, since transforms modify training samples. Memory-mapping the samples would read
uncached data page by page, count the page cache as memory of the process, and crash the
process (SIGBUS) if a file is truncated.
"""

import os
from collections.abc import Callable, Sequence
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
        path: folder of the store.

    Raises:
        DataError: the path is not a store (kind `not-found`, `wrong-path`, or
            `wrong-file-type`). The store has an unsupported version (kind `version`), or
            cannot be read (kind `io`). A file in the store is missing (kind
            `not-found`), truncated (kind `truncated`), or corrupt (kind `corrupt`).
    """
    return Store(path)


class Store:
    """Samples in a packed store, read on access.

    `store[i]` is sample i as a dictionary with new arrays, so changes do not affect the
    store. Unpickling a Store, as in a spawned worker, reopens the folder.

    Args:
        path: folder of the store.

    Attributes:
        path: folder of the store.
        splits: number of ids in each split; None if the annotations have no splits.
        id_field: field that contains the sample ids, `frame_dir` or `filename`.
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
                    f"the index has shape {rows.shape} and dtype {rows.dtype}, expected "
                    "one entry per sample",
                    rows.path,
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
                f"the file cannot be read ({error.strerror})",
                kind="io",
                file=error.filename or self.path,
            ) from error

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[[str], "Store"], tuple[str]]:
        return load_store, (str(Path(self.path).absolute()),)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return a sample with all of its fields, including `keypoint` [M, T, V, C].

        Args:
            number: position of the sample in the store.

        Raises:
            IndexError: `number` is out of range.
            DataError: a file was truncated after the store was opened (kind
                `truncated`), or is corrupt (kind `corrupt`).
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
        """Return the fields of a sample other than keypoints and scores.

        Args:
            number: position of the sample in the store.
        """
        *_, text, characters = self.index[number].item()
        fields = self._decoded(
            self._fields.read(text, characters).tobytes(), "fields.npy", number
        )
        if not isinstance(fields.get(self.id_field), str):
            raise corrupt_error(
                f"{self.id_field!r} is missing", self._file("fields.npy"), sample=number
            )
        return fields

    def _decoded(
        self, text: bytes, name: str, sample: int | None = None
    ) -> dict[str, Any]:
        """Return the JSON object in a text from the file `name`."""
        file = self._file(name)
        try:
            value = decode(text)
        except DataError as error:
            message = error.message.removesuffix(".")
            raise corrupt_error(message, file, sample=sample) from error
        if not isinstance(value, dict):
            why = f"the JSON is of type {type(value).__name__}, expected an object"
            raise corrupt_error(why, file, sample=sample)
        return value

    def split(self, name: str | None) -> np.ndarray:
        """Return the sorted positions of the samples in a split, int [samples].

        Args:
            name: name of the split; None for all samples of a store without splits.

        Raises:
            DataError: the split does not exist, or `name` is None although the store has
                splits (kind `split`).
        """
        if self.splits is None:
            if name is not None:
                raise DataError(
                    f"the store has no splits, but split is {name!r}. Set split=None, or "
                    "pack annotations with splits.",
                    kind="split",
                    file=self.path,
                    field="split",
                )
            return np.arange(len(self))
        if name not in self.splits:
            fact = f"the store has no split {name!r}"
            fact = "the store has splits, but split is None" if name is None else fact
            raise DataError(
                f"{fact}, expected one of {', '.join(map(repr, self.splits))}. Set "
                "--split, or `split` in the config.",
                kind="split",
                file=self.path,
                field="split",
            )
        # `np.unique` uses hashes, which takes ten times as long for a million ids.
        numbers = np.sort(self._split_positions(self.splits)[name])
        return numbers[np.diff(numbers, prepend=-1) > 0]

    def summary(self, numbers: np.ndarray) -> Summary:
        """Return the same Summary of samples as `check_annotations`.

        Args:
            numbers: positions of the samples, int [samples].
        """
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
        """Return the packed data besides splits and annotations, such as `meta`."""
        return self._decoded(Path(self._file("meta.json")).read_bytes(), "meta.json")

    def unpack(self) -> Annotations:
        """Load the entire store into memory, in the form of `load_annotations`."""
        numbers = progress(range(len(self)), "unpacking", unit="sample")
        samples = [self[number] for number in numbers]
        if self.splits is None:
            return samples
        ids = [sample[self.id_field] for sample in samples]
        return dict(split=self.split_ids(ids), annotations=samples, **self.rest())

    def split_ids(
        self, ids: Sequence[str] | None = None
    ) -> dict[str, list[str]] | None:
        """Return the ids in each split; None without splits.

        Args:
            ids: ids of all samples. By default, they are read.
        """
        if self.splits is None:
            return None
        if ids is None:
            ids = [self.fields(number)[self.id_field] for number in range(len(self))]
        return {
            name: [ids[number] for number in numbers]
            for name, numbers in self._split_positions(self.splits).items()
        }

    def _split_positions(self, lengths: dict[str, int]) -> dict[str, np.ndarray]:
        """Return the positions of the samples in each split, in the order of the ids.

        Args:
            lengths: number of ids in each split.
        """
        numbers = self._splits.read(0, len(self._splits))
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise corrupt_error(
                "the splits contain unknown samples", self._file("splits.npy")
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
                raise corrupt_error("the file is missing", file, "not-found")
            size = Path(file).stat().st_size
            if size != expected:
                kind = "truncated" if size < expected else "corrupt"
                raise corrupt_error(
                    f"the file has {size} bytes, expected {expected}", file, kind
                )
