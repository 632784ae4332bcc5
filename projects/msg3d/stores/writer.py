"""Write packed stores sample by sample and atomically.

The arrays are written to a new data folder inside the store. The header `store.json`, which
specifies this folder, is replaced last, by an atomic rename. Therefore, a killed writer
leaves the old store or no store, but never an incomplete store.
"""

import json
import os
import shutil
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..annotations.check import (
    id_faults,
    id_field,
    raise_first,
    samples_of,
    split_faults,
)
from ..annotations.files import as_float32
from ..annotations.sample_check import labels_of, sample_faults
from ..annotations.samples import Summary
from ..errors import DataError, MSG3DError
from ..io import StrPath
from ..io.atomic import sync_file, sync_folder, write_json
from ..io.json_data import decode, encode
from ..io.npy import NpyWriter, read_npy_header
from .store_format import (
    FORMAT,
    HEADER,
    INDEX,
    VERSION,
    check_replaceable,
    data_folder,
    new_folder,
)

ARRAYS = ("keypoint", "keypoint_score")
PROGRESS = "unfinished.json"
SAVE_EVERY = 1000  # samples


class StoreWriter:
    """Writer for packed stores that does not keep the samples in memory.

    For example:

        with StoreWriter("mine.packed") as writer:
            for sample in samples:
                writer.add(sample)
            writer.splits = dict(train=[...], val=[...])
            writer.meta = dict(classes=[...])

    The store is complete when the `with` block ends without an error. After an error, an
    existing store remains unchanged, and partial files are removed. A killed process
    leaves an unused folder `data.N`.

    With `resume`, an interrupted or killed writer leaves a folder that the next writer
    with the same `resume` continues, after its first `samples` samples:

        with StoreWriter("mine.packed", resume="NTU60_CS.npz") as writer:
            for sample in samples[writer.samples:]:
                writer.add(sample)

    Args:
        path: folder to write. Its parent must exist.
        keep_dtype: keep the dtype of the keypoints, which must be the same in all
            samples. By default, keypoints are converted to float32.
        resume: description of the source of the samples, which must contain everything
            that they depend on. By default, each writer starts from the first sample.

    Attributes:
        splits: ids in each split, or None for annotations without splits. Set it before
            the block ends.
        meta: class names and other information, or None. Set it before the block ends.
        rest: data to store besides splits, annotations, and `meta`.

    Raises:
        DataError: at the start of the block, `path` exists and is not a store (kind
            `exists`). At its end, there are no samples, or the splits are invalid (a
            kind of `annotations.faults.KINDS`).
        OSError: the store cannot be written.
    """

    def __init__(
        self, path: StrPath, keep_dtype: bool = False, resume: str | None = None
    ) -> None:
        self.path = os.fspath(path)
        self.keep_dtype, self.resume = keep_dtype, resume
        self.splits: dict[str, Collection[str]] | None = None
        self.meta: dict[str, Any] | None = None
        self.rest: dict[str, Any] = {}
        self._common = Summary(self.path)
        self._id_field: str | None = None
        self._numbers: dict[str, int] = {}  # id -> position
        self._rows = self._characters = 0
        self._files: dict[str, NpyWriter] = {}
        self._folder: Path | None = None  # within the `with` block

    def __enter__(self) -> "StoreWriter":
        self._folder = self._unfinished() or new_folder(self.path)
        return self

    @property
    def samples(self) -> int:
        """Number of samples that have been added."""
        return len(self._numbers)

    def add(self, sample: dict[str, Any]) -> None:
        """Check a sample and append it.

        Args:
            sample: dictionary as in an annotation file; not modified.

        Raises:
            DataError: the sample is invalid or inconsistent with earlier samples (a kind
                of `annotations.faults.KINDS`), has another dtype although `keep_dtype` is
                True (kind `dtype`), or contains data that JSON does not support.
        """
        samples_of([sample], self.path)
        sample = sample if self.keep_dtype else as_float32(sample)
        name = self._check(sample)
        arrays = {key: sample[key] for key in ARRAYS if sample.get(key) is not None}
        try:
            text = encode({key: sample[key] for key in sample if key not in arrays})
        except DataError as error:
            raise error.at(file=self.path, sample=name) from None

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
        if self.resume is not None and len(self._numbers) % SAVE_EVERY == 0:
            self._save_progress()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        resumable = self.resume is not None and not isinstance(error, MSG3DError)
        try:
            # Progress is saved only between samples, never after an interruption inside one.
            if kind is None:
                self._finish()
        finally:
            for file in self._files.values():
                file.file.close()
            if self._folder is not None and not (kind is not None and resumable):
                shutil.rmtree(self._folder, ignore_errors=True)
                if not any(Path(self.path).iterdir()):
                    Path(self.path).rmdir()

    def _check(self, sample: dict[str, Any]) -> str:
        """Check a sample and its consistency with earlier samples, and return its id."""
        self._id_field = key = self._id_field or id_field([sample])
        number = len(self._numbers)
        faults = (replace(fault, sample=number) for fault in id_faults([sample], key))
        raise_first(faults, self.path)
        name = sample[key]
        if name in self._numbers:
            raise DataError(
                f"two annotations have the {key!r} {name!r}, expected unique ids. Keep one "
                "of them.",
                kind="id-twice",
                file=self.path,
                field=key,
            )
        raise_first(sample_faults(sample, name, self._common, True, True), self.path)
        return name

    def _append(self, field: str, rows: np.ndarray, name: str) -> None:
        if field not in self._files:
            assert self._folder is not None
            path = self._folder / f"{field}.npy"
            self._files[field] = NpyWriter(path, rows.dtype, rows.shape[1:])
        file = self._files[field]
        if rows.dtype != file.dtype:
            raise DataError(
                f"{field!r} has dtype {rows.dtype}, expected {file.dtype} as in sample "
                f"{self._common.sample!r}. Omit keep_dtype (--keep-dtype) to convert all "
                "samples to float32.",
                kind="dtype",
                file=self.path,
                sample=name,
                field=field,
            )
        file.append(rows)

    def _unfinished(self) -> Path | None:
        """Continue an unfinished folder of a writer with the same `resume`."""
        check_replaceable(self.path)
        if self.resume is None or not Path(self.path).exists():
            return None
        for folder in sorted(Path(self.path).glob("data.*")):
            try:
                progress = json.loads((folder / PROGRESS).read_bytes())
            except (OSError, ValueError):
                continue
            if progress["resume"] != [self.resume, self.keep_dtype]:
                continue
            self._common = Summary(**progress["common"])
            self._id_field = progress["id"]
            self._rows, self._characters = progress["rows"], progress["characters"]
            for name, rows in progress["files"].items():
                path = folder / f"{name}.npy"
                with path.open("rb") as file:
                    shape, _, dtype = read_npy_header(file)
                self._files[name] = NpyWriter(path, dtype, shape[1:], rows)
            fields = (folder / "fields.npy").open("rb")
            with fields, (folder / "index.npy").open("rb") as file:
                read_npy_header(fields)
                read_npy_header(file)
                for entry in np.fromfile(file, INDEX):
                    sample = decode(fields.read(int(entry["characters"])))
                    self._numbers[sample[self._id_field]] = len(self._numbers)
            return folder
        return None

    def _save_progress(self) -> None:
        """Write what `_unfinished` needs, after the arrays are on disk."""
        assert self._folder is not None
        for array in self._files.values():
            sync_file(array.file)
        progress = {
            "resume": [self.resume, self.keep_dtype],
            "common": asdict(self._common),
            "id": self._id_field,
            "rows": self._rows,
            "characters": self._characters,
            "files": {name: array.rows for name, array in self._files.items()},
        }
        write_json(progress, self._folder / PROGRESS)

    def _finish(self) -> None:
        """Complete the files, and write the header that refers to them."""
        if not self._numbers:
            samples_of([], self.path)  # raises
        splits = self._checked_splits()
        numbers = [number for split in splits.values() for number in split]
        self._append("splits", np.array(numbers, np.int64), name="")
        rest = self.rest if self.meta is None else {**self.rest, "meta": self.meta}
        try:
            text = encode(rest)
        except DataError as error:
            raise error.at(file=self.path, field="meta") from None
        assert self._folder is not None
        with (self._folder / "meta.json").open("xb") as file:
            file.write(text)
            sync_file(file)
        for array in self._files.values():
            array.finish()
        (self._folder / PROGRESS).unlink(missing_ok=True)
        lengths = {name: len(ids) for name, ids in splits.items()}
        header = {
            "format": FORMAT,
            "version": VERSION,
            "data": self._folder.name,
            "id": self._id_field,
            "splits": None if self.splits is None else lengths,
            "bytes": {
                path.name: path.stat().st_size
                for path in sorted(self._folder.iterdir())
            },
            # For human readers only; the arrays contain both.
            "samples": len(self._numbers),
            "dtype": {
                field: self._files[field].dtype.name
                for field in ARRAYS
                if field in self._files
            },
        }
        sync_folder(self._folder)
        previous = data_folder(self.path)
        unfinished = [
            folder
            for folder in Path(self.path).glob("data.*")
            if (folder / PROGRESS).exists()
        ]
        write_json(header, Path(self.path, HEADER))
        self._folder = None  # now part of the store
        sync_folder(self.path)
        sync_folder(Path(self.path).absolute().parent)
        for folder in filter(None, (previous, *unfinished)):
            shutil.rmtree(folder, ignore_errors=True)

    def _checked_splits(self) -> dict[str, list[int]]:
        """Check the splits, and return the positions of the samples in each split."""
        splits = {} if self.splits is None else self.splits
        invalid = [name for name in splits if not isinstance(name, str)]
        if invalid:
            raise DataError(
                f"the name of a split is {invalid[0]!r}, expected text",
                kind="split",
                file=self.path,
                field="split",
            )
        raise_first(split_faults(splits, splits, set(self._numbers)), self.path)
        return {
            name: sorted(self._numbers[sample] for sample in ids)
            if isinstance(ids, (set, frozenset))
            else [self._numbers[sample] for sample in ids]
            for name, ids in splits.items()
        }
