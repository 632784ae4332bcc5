"""Packed stores: annotations of any size, read a sample at a time.

A store is a folder:

    NAME.packed/
        store.json              version, dtype, splits, sizes; names the data folder
        data.1/keypoint.npy     [rows, V, C], a row for each person and frame
        data.1/keypoint_score.npy   [rows, V], if samples carry scores
        data.1/index.npy        for each sample: rows, persons, frames, label, text
        data.1/fields.npy       all other fields of the samples, as JSON text
        data.1/splits.npy       positions of the splits' samples, one after the other
        data.1/meta.json        everything beside splits and annotations

All arrays are plain .npy: `numpy.load(file, mmap_mode="r")` maps them for whatever
somebody wants to compute. Nothing in a store is unpickled or executed.

The index is mapped. Samples are read by position (`os.preadv`) out of the system's page
cache, which all workers and ranks of a machine share, into arrays of their own: a
training sample is copied anyway, since transforms write into it, and a mapping would
read what is not cached page by page, count what the page cache holds as the
process's own memory, and end the process (SIGBUS) where a file is cut off.
"""

import os
from collections.abc import Callable

import numpy as np

from ..annotations.check import Annotations
from ..annotations.sample_check import Summary
from ..errors import DataError
from ..io.json_data import decode
from ..io.npy import NpyRows
from .store_check import check_arrays, check_header
from .store_format import INDEX, read_header

Progress = Callable[[int, int], None]


def load_store(path: str) -> "Store":
    """Open a packed store; no sample is read yet.

    Args:
        path: the folder.

    Raises:
        DataError: there is none, it was not written to its end, or a file of it
            is missing, cut off or damaged.
    """
    return Store(path)


class Store:
    """The samples of a packed store, each read when it is asked for.

    `store[i]` is sample i as a dictionary whose arrays are its own: nothing can write
    into the store. Pickled (for a spawned worker), it is opened again.

    Attributes:
        path: the folder.
        splits: name -> number of ids; None for annotations that were a plain list.
        id_field: `frame_dir` or `filename`.
        index: [samples] of `INDEX`, mapped.

    Raises:
        DataError: see `load_store`.
    """

    def __init__(self, path: str) -> None:
        self.path = os.fspath(path)
        header = read_header(self.path)
        try:
            check_header(header)
            self._folder = os.path.join(self.path, header["data"])
            self.splits: dict[str, int] | None = header["splits"]
            self.id_field: str = header["id"]
            self._sizes: dict[str, int] = header["bytes"]
            self._check_files()
            rows = NpyRows(self._file("index.npy"), "V")
            if rows.dtype != INDEX or len(rows.shape) != 1 or not len(rows):
                raise ValueError(f"index.npy is {rows.shape} of type {rows.dtype}")
            self.index = np.memmap(rows.file.name, INDEX, "r", rows.offset, rows.shape)
            self._fields = NpyRows(self._file("fields.npy"), "u")
            self._keypoint = NpyRows(self._file("keypoint.npy"), "fiu")
            self._splits = NpyRows(self._file("splits.npy"), "iu")
            self._score = None
            if "keypoint_score.npy" in self._sizes:
                self._score = NpyRows(self._file("keypoint_score.npy"), "fiu")
            check_arrays(
                header,
                self.index,
                self._fields,
                self._splits,
                self._keypoint,
                self._score,
            )
        except OSError as error:
            raise DataError(
                f"packed store {self.path} cannot be read: {error.strerror} "
                f"({error.filename})"
            ) from error
        except ValueError as error:
            raise DataError(
                f"packed store {self.path} is damaged ({error}): copy or pack it again"
            ) from error

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self):
        return load_store, (os.path.abspath(self.path),)

    def __getitem__(self, number: int) -> dict:
        """Sample `number` as it was packed, `keypoint` [M, T, V, C] in the store's dtype.

        Raises:
            IndexError: there is no such sample.
            DataError: the file is shorter than it was when it was opened.
        """
        entry = self.index[number]
        row, persons, frames = (int(entry[key]) for key in ("row", "persons", "frames"))
        sample = self.fields(number)
        for field, rows in (
            ("keypoint", self._keypoint),
            ("keypoint_score", self._score),
        ):
            if rows is not None:
                read = rows.read(row, persons * frames)
                sample[field] = read.reshape(persons, frames, *read.shape[1:])
        return sample

    def fields(self, number: int) -> dict:
        """What sample `number` holds besides keypoints and their scores."""
        *_, text, characters = self.index[number].item()
        try:
            found = decode(self._fields.read(text, characters).tobytes())
            if not isinstance(found, dict) or not isinstance(
                found.get(self.id_field), str
            ):
                raise ValueError(f"no object with {self.id_field}")
        except ValueError as error:
            raise DataError(
                f"packed store {self.path} is damaged (fields of sample {number}: "
                f"{error}): copy or pack it again"
            ) from error
        return found

    def split(self, name: str | None) -> np.ndarray:
        """Positions of the samples of a split in ascending order, as PoseDataset takes
        them; with None, of a store without splits, all.

        Raises:
            DataError: no such split, or none is chosen and there are some.
        """
        if self.splits is None:
            if name is not None:
                raise DataError(
                    f"{self.path}: was a plain list, which has no split {name!r}: set "
                    "split=None, or pack dict(split=..., annotations=...)"
                )
            return np.arange(len(self))
        if name not in self.splits:
            what = "holds splits, and none is chosen" if name is None else ""
            raise DataError(
                f"{self.path}: {what or f'has no split {name!r}'}: set `split` to one "
                f"of {list(self.splits)}"
            )
        return np.unique(self._named()[name])

    def summary(self, numbers: np.ndarray) -> Summary:
        """What `check_annotations` would say of these samples, all checked when packed."""
        label, labelled, targets, persons = (
            self.index[key][numbers]
            for key in ("label", "labelled", "targets", "persons")
        )
        _, joints, channels = self._keypoint.shape

        def first(chosen: np.ndarray) -> str:
            """The id of the first of them, "" if there is none."""
            if not chosen.any():
                return ""
            return self.fields(numbers[chosen.argmax()])[self.id_field]

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

    def rest(self) -> dict:
        """Everything beside splits and annotations: `meta` and whatever else."""
        try:
            with open(self._file("meta.json"), "rb") as file:
                found = decode(file.read())
            if not isinstance(found, dict):
                raise ValueError(f"it holds a {type(found).__name__}")
        except ValueError as error:
            raise DataError(
                f"packed store {self.path} is damaged (meta.json: {error}): copy or "
                "pack it again"
            ) from error
        return found

    def unpack(self, progress: Progress | None = None) -> Annotations:
        """All of it in memory, as `load_annotations` gives it; splits are lists.

        Args:
            progress: called with (samples read, all samples).
        """
        samples = []
        for number in range(len(self)):
            samples.append(self[number])
            if progress is not None:
                progress(len(samples), len(self))
        if self.splits is None:
            return samples
        ids = [sample[self.id_field] for sample in samples]
        split = {
            name: [ids[one] for one in numbers]
            for name, numbers in self._named().items()
        }
        return dict(split=split, annotations=samples, **self.rest())

    def _named(self) -> dict[str, np.ndarray]:
        """Split name -> positions in the split's own order."""
        numbers = self._splits.read(0, len(self._splits))
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise DataError(
                f"packed store {self.path} is damaged (splits.npy names samples that are "
                "not there): copy or pack it again"
            )
        ends = np.cumsum(list(self.splits.values()), dtype=np.int64)
        return dict(zip(self.splits, np.split(numbers, ends[:-1])))

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _check_files(self) -> None:
        for name, expected in self._sizes.items():
            if not os.path.isfile(self._file(name)):
                raise ValueError(f"{self._file(name)} is missing")
            found = os.path.getsize(self._file(name))
            if found != expected:
                raise ValueError(
                    f"{self._file(name)} has {found} bytes, expected {expected}"
                )
