"""Writing packed stores: sample by sample, whole or not at all.

The arrays go into a new folder inside the store; the store is what its `store.json`
names, and that is put in place last, by one rename. So a killed writer leaves either the
old store or none, never half a store that reads as whole.
"""

import json
import os
import shutil
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ..annotations.check import (
    id_faults,
    id_field,
    samples_of,
    split_faults,
)
from ..annotations.sample_check import Summary, is_numeric, labels_of, sample_faults
from ..errors import DataError
from ..io.atomic import sync_file, sync_folder, whole_file
from ..io.json_data import encode
from ..io.npy import NpyWriter
from .store_format import FORMAT, HEADER, INDEX, VERSION, data_folder, new_folder

ARRAYS = ("keypoint", "keypoint_score")


class StoreWriter:
    """A packed store, written a sample at a time and never held in memory.

        with StoreWriter("mine.packed") as writer:
            for sample in samples:
                writer.add(sample)
            writer.splits = dict(train=[...], val=[...])
            writer.meta = dict(classes=[...])

    The store is in place when the block ends without error. An error leaves an older
    store as it was and takes away what was written; a killed process leaves that behind
    as a folder `data.N` which `store.json` does not name.

    Args:
        path: the folder to write; its parent must exist.
        keep_dtype: keep the keypoints' dtype, which all samples must share then;
            otherwise they become float32.

    Attributes:
        splits: name -> ids, to be set before the end; None for a plain list.
        meta: what people want to know: `classes` and so on; None for nothing.
        rest: everything beside splits, annotations and meta.

    Raises:
        DataError: at the start, `path` is something else than a store; at the
            end, there are no samples or the splits do not fit them.
        OSError: the store cannot be written.
    """

    def __init__(self, path: str, keep_dtype: bool = False) -> None:
        self.path = os.fspath(path)
        self.keep_dtype = keep_dtype
        self.splits: dict[str, Collection[str]] | None = None
        self.meta: dict | None = None
        self.rest: dict = {}
        self._common = Summary(self.path)
        self._id_field: str | None = None
        self._numbers: dict[str, int] = {}  # id -> position
        self._rows = self._characters = 0
        self._files: dict[str, NpyWriter] = {}
        self._folder: str | None = None

    def __enter__(self) -> "StoreWriter":
        self._folder = new_folder(self.path)
        return self

    def add(self, sample: dict) -> None:
        """Check one more sample and append it.

        Args:
            sample: as in an annotation file; left unchanged.

        Raises:
            DataError: it is no valid sample, differs from those before, or holds
                what a store cannot keep.
        """
        samples_of([sample], self.path)
        sample = {**sample, **self._converted(sample)}
        name = self._check(sample)
        arrays = {key: sample[key] for key in ARRAYS if sample.get(key) is not None}
        try:
            text = encode({key: sample[key] for key in sample if key not in arrays})
        except TypeError as error:
            raise DataError(f"{self.path}: sample {name!r}: {error}") from None

        for field, array in arrays.items():
            # (M, T, V, ...) -> (M*T, V, ...)
            self._append(field, array.reshape(-1, *array.shape[2:]), name)
        persons, frames = sample["keypoint"].shape[:2]
        labels = labels_of(sample.get("label", []), multi_class=True)
        entry = np.zeros(1, INDEX)
        entry["row"], entry["persons"], entry["frames"] = self._rows, persons, frames
        entry["label"] = max(labels, default=-1)
        entry["labelled"] = "label" in sample
        entry["several"] = labels is sample.get("label")
        entry["targets"] = len(sample.get("targets", ()))
        entry["text"], entry["characters"] = self._characters, len(text)
        self._append("index", entry, name)
        self._append("fields", np.frombuffer(text, np.uint8), name)
        self._numbers[name] = len(self._numbers)
        self._rows += persons * frames
        self._characters += len(text)

    def __exit__(self, kind, error, trace) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            for file in self._files.values():
                file.file.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                if not os.listdir(self.path):
                    os.rmdir(self.path)

    def _converted(self, sample: dict) -> dict:
        """The arrays of numbers in the dtype to store; others are left for the check."""
        if self.keep_dtype:
            return {}
        with np.errstate(over="ignore"):  # the check finds what became infinite
            return {
                field: sample[field].astype(np.float32, copy=False)
                for field in ARRAYS
                if is_numeric(sample.get(field))
            }

    def _check(self, sample: dict) -> str:
        """The id of a sample that is valid and fits those before it."""
        self._id_field = key = self._id_field or id_field([sample])
        for fault in id_faults([sample], key):
            fault = replace(fault, sample=len(self._numbers))
            raise DataError(f"{self.path}: {fault}")
        name = sample[key]
        if name in self._numbers:
            raise DataError(
                f"{self.path}: {key} {name!r} belongs to two annotations: leave one"
            )
        for fault in sample_faults(sample, name, self._common, True, True):
            raise DataError(f"{self.path}: {fault}")
        return name

    def _append(self, field: str, rows: np.ndarray, name: str) -> None:
        if field not in self._files:
            path = os.path.join(self._folder, f"{field}.npy")
            self._files[field] = NpyWriter(path, rows.dtype, rows.shape[1:])
        file = self._files[field]
        if rows.dtype != file.dtype:
            raise DataError(
                f"{self.path}: sample {name!r}: {field} is {rows.dtype}, but "
                f"{file.dtype} in sample {self._common.sample!r}: pack without "
                "keeping the dtype, and all become float32"
            )
        file.append(rows)

    def _finish(self) -> None:
        """Completes the files and puts the store in place."""
        if not self._numbers:
            samples_of([], self.path)  # says so
        splits = self._checked_splits()
        numbers = [one for split in splits.values() for one in split]
        self._append("splits", np.array(numbers, np.int64), name="")
        rest = self.rest if self.meta is None else {**self.rest, "meta": self.meta}
        try:
            text = encode(rest)
        except TypeError as error:
            raise DataError(f"{self.path}: meta {error}") from None
        with open(os.path.join(self._folder, "meta.json"), "xb") as file:
            file.write(text)
            sync_file(file)
        for file in self._files.values():
            file.finish()
        lengths = {name: len(ids) for name, ids in splits.items()}
        header = dict(
            format=FORMAT,
            version=VERSION,
            data=os.path.basename(self._folder),
            id=self._id_field,
            splits=None if self.splits is None else lengths,
            bytes={
                name: os.path.getsize(os.path.join(self._folder, name))
                for name in sorted(os.listdir(self._folder))
            },
            # For people who look; the arrays say it too.
            samples=len(self._numbers),
            dtype={
                field: self._files[field].dtype.name
                for field in ARRAYS
                if field in self._files
            },
        )
        sync_folder(self._folder)
        previous = data_folder(self.path)
        with whole_file(os.path.join(self.path, HEADER), "x") as file:
            json.dump(header, file, indent=1)
        self._folder = None  # the store's own now
        sync_folder(self.path)
        sync_folder(os.path.dirname(os.path.abspath(self.path)))
        if previous is not None:
            shutil.rmtree(previous, ignore_errors=True)

    def _checked_splits(self) -> dict[str, list[int]]:
        """Split name -> positions of its ids."""
        splits = {} if self.splits is None else self.splits
        odd = [name for name in splits if not isinstance(name, str)]
        if odd:
            raise DataError(f"{self.path}: split name {odd[0]!r} is no text")
        for fault in split_faults(splits, splits, set(self._numbers)):
            raise DataError(f"{self.path}: {fault}")
        return {
            name: sorted(map(self._numbers.get, ids))
            if isinstance(ids, (set, frozenset))
            else [self._numbers[one] for one in ids]
            for name, ids in splits.items()
        }
