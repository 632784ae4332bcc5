"""Readers for score files, which contain the output of a network for each sample.

Supported formats:

* MMAction2's dumps (`msg3d test ... --dump scores.pkl`): a list of dictionaries with
  `pred_score`, `gt_label`, and, if PackActionInputs keeps it (as in our configs),
  `frame_dir`, the id of the sample.
* PYSKL (`--out`): a list of arrays without ids, in the order of the data set.
* Original MS-G3D and 2s-AGCN code (`epoch1_test_score.pkl`): a dictionary id -> logits.
* Output of `msg3d fuse`: the format of MMAction2's dumps, or `.npz` (`score_npz.py`).

Code in a pickle is never executed.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..annotations.check import check_annotations, id_field
from ..checkpoints.tensor_pickle import ARRAYS
from ..errors import DataError
from ..io import StrPath
from ..io.file_type import SCORES, mismatch
from ..io.safe_pickle import read_plain
from ..stores.packing import open_any
from ..stores.store import Store, load_store
from .score_npz import read_score_npz
from .scores import Scores

# One row of scores per sample, before validation.
Rows = Sequence[Any] | np.ndarray


def read_scores(path: StrPath, known: dict[str, int] | None = None) -> Scores:
    """Read a score file in any format that this module supports.

    Args:
        path: path of the pickle or `.npz` file.
        known: id -> label for the samples of the data set, in the order of testing, as
            returned by `labels_of`. Used for files without labels, and for files without
            ids, whose rows are assumed to be in the same order.

    Raises:
        DataError: the file is not a score file, its rows are not finite numbers of equal
            length, an id is duplicated, or a label contradicts `known` or is out of
            range.
    """
    path = os.fspath(path)
    ids: list[str] | None
    rows: Rows
    with _open(path) as file:
        if path.endswith(".npz"):
            form = ".npz with ids, scores, and labels"
            ids, rows, labels = read_score_npz(file)
        else:
            form, ids, rows, labels = _read_pickle(file)
        scores = Scores(path, form, _to_matrix(rows), ids, labels)
        scores = _add_known(scores, known)
        _check_labels(scores)
    return scores


@contextmanager
def _open(path: str) -> Iterator[BinaryIO]:
    """Open a file, and add its path to errors raised in the block."""
    try:
        # Path("") is the current folder, but open("") is an error.
        with open(path, "rb") as file:  # noqa: PTH123
            yield file
    except FileNotFoundError as error:
        raise DataError(
            "the file does not exist", kind="not-found", file=path
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot read the file: {error.strerror or error}", kind="io", file=path
        ) from error
    except DataError as error:
        raise error.at(file=path) from error.__cause__


def _read_pickle(file: BinaryIO) -> tuple[str, list[str] | None, Rows, Any]:
    """Return the format, ids, rows, and labels of a pickle."""
    data = read_plain(file, SCORES, ARRAYS)
    if isinstance(data, dict) and "annotations" in data:
        raise DataError(
            "this is an annotation file, expected a score file from `msg3d test ... "
            "--dump`. Pass annotation files with --ann-file.",
            kind="wrong-file-type",
        )
    if isinstance(data, dict) and data:
        form = "original MS-G3D format (id -> logits)"
        return form, list(data), list(data.values()), None
    if isinstance(data, list) and data and isinstance(data[0], dict):
        rows = [_field(data, number, "pred_score") for number in range(len(data))]
        labels = _labels(data)
        ids = [sample.get("frame_dir") for sample in data]
        has_ids = any(name is not None for name in ids)
        return "MMAction2 dump", ids if has_ids else None, rows, labels
    if isinstance(data, list) and data:
        return "PYSKL format (list of arrays)", None, data, None
    empty = isinstance(data, (list, dict))
    raise mismatch(file, SCORES) or DataError(
        f"the file contains {'an empty' if empty else 'a'} {type(data).__name__}, expected "
        "a list from `msg3d test ... --dump`, or a dictionary id -> scores",
        kind="empty" if empty else "structure",
    )


def labels_of(path: StrPath, split: str | None = None) -> dict[str, int]:
    """Return id -> label for the samples of a data set, in the order of testing.

    Args:
        path: annotation file, packed store, or `val_label.pkl` (names, labels) of the
            original MS-G3D code.
        split: split of the annotation file; None for all samples.

    Raises:
        DataError: the file has another format, or does not contain the split.
    """
    path = os.fspath(path)
    # Unlike Path.is_dir, os.path.isdir accepts any string.
    if os.path.isdir(path):  # noqa: PTH112
        return _labels_of_store(path, split)
    with _open(path) as file:
        return _labels_of_data(read_plain(file, SCORES), split, path)


def class_names_of(path: StrPath) -> list[str] | None:
    """Return the class names in an annotation file or packed store; None if unknown.

    Raises:
        DataError: the file has another format.
    """
    data = open_any(path)
    if isinstance(data, Store):
        data = data.rest()
    meta = data.get("meta") if isinstance(data, dict) else None
    return meta.get("classes") if isinstance(meta, dict) else None


def _labels_of_data(data: Any, split: str | None, path: str) -> dict[str, int]:
    pair = isinstance(data, (tuple, list)) and len(data) == 2
    try:
        if pair and all(isinstance(part, (list, tuple, np.ndarray)) for part in data):
            names, labels = data
            if len(names) == len(labels):
                if not all(isinstance(name, str) for name in names):
                    raise TypeError("a name is not a string")
                return {
                    str(name): int(label)
                    for name, label in zip(names, labels, strict=True)
                }
        if not isinstance(data, (dict, list)):
            raise TypeError(f"the file contains a {type(data).__name__}")
        check_annotations(data, split, path, keypoints=False)
        samples: list[Sample] = data["annotations"] if isinstance(data, dict) else data
        names_of_split: set[str] | None = None
        if isinstance(data, dict) and split is not None:
            names_of_split = set(data["split"][split])
        key = id_field(samples)
        return {
            sample[key]: int(sample["label"])
            for sample in samples
            if names_of_split is None or sample[key] in names_of_split
        }
    except DataError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise DataError(
            f"cannot read the labels of split {split!r} ({reason}). Pass an annotation "
            "file with --split, or val_label.pkl of the original MS-G3D code.",
            kind="structure",
        ) from error


def _labels_of_store(path: str, split: str | None) -> dict[str, int]:
    store = load_store(path)
    numbers = range(len(store)) if split is None else store.split(split).tolist()
    return {
        store.fields(number)[store.id_field]: int(store.index["label"][number])
        for number in numbers
    }


def _to_matrix(rows: Rows) -> NDArray[np.float64]:
    """Convert the rows of N samples to float64 [N, C]."""
    arrays = []
    for number, row in enumerate(rows):
        try:
            array = _to_array(row)
            if array.dtype.kind not in "fiub":  # complex numbers and strings
                raise TypeError
            arrays.append(array.astype(np.float64))
        except (TypeError, ValueError):
            raise DataError(
                f"the row is of type {type(row).__name__}, expected one number per class. "
                "Create the file with `msg3d test ... --dump`.",
                kind="score",
                sample=number,
            ) from None
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1 or (0,) in shapes:
        raise DataError(
            f"the rows have shapes {', '.join(map(str, sorted(shapes)[:3]))}, expected one "
            "number per class and the same number of classes in all rows",
            kind="shape",
        )
    matrix = np.stack(arrays)
    if not np.isfinite(matrix).all():
        first = int(np.argmin(np.isfinite(matrix).all(1)))
        raise DataError(
            "the scores contain NaN or infinity", kind="not-finite", sample=first
        )
    return matrix


def _to_array(row: Any) -> np.ndarray:
    """Convert a row of scores or labels to an array.

    Raises:
        TypeError: the row contains nested lists. A small pickle with repeated references
            can expand to nested lists of unlimited size.
    """
    kinds = (list, tuple, dict, set, frozenset)
    if isinstance(row, (list, tuple)) and any(isinstance(item, kinds) for item in row):
        raise TypeError
    try:
        return np.asarray(row)
    except ValueError as error:
        raise TypeError from error


def _field(data: list[Any], number: int, name: str) -> Any:
    """Return a field of a sample of a dump."""
    if not isinstance(data[number], dict) or name not in data[number]:
        raise DataError(
            f"{name!r} is missing", kind="structure", sample=number, field=name
        )
    return data[number][name]


def _labels(data: list[Any]) -> np.ndarray | None:
    """Return the labels of a dump, int [N]; None if the dump has no labels."""
    if not any("gt_label" in sample for sample in data):
        return None
    try:
        labels = [
            _to_array(_field(data, number, "gt_label")).reshape(-1)
            for number in range(len(data))
        ]
        joined = np.concatenate(labels)
    except TypeError:
        raise DataError(
            "'gt_label' is not a number in every sample, expected the index of a class",
            kind="label",
            field="gt_label",
        ) from None
    if any(len(label) != 1 for label in labels):
        raise DataError(
            "'gt_label' does not have one element in every sample, expected the index of "
            "a class",
            kind="label",
            field="gt_label",
        )
    # Labels in PyTorch tensors are read as float.
    if joined.dtype.kind not in "fiub" or (joined != np.floor(joined)).any():
        raise DataError(
            "'gt_label' is not an integer in every sample, expected the index of a class",
            kind="label",
            field="gt_label",
        )
    return joined.astype(int)


def _add_known(scores: Scores, known: dict[str, int] | None) -> Scores:
    """Add ids and labels from `known` if the file has none, and check them otherwise."""
    if scores.ids is None and known is not None:
        if len(known) != len(scores.values):
            raise DataError(
                f"the file has {len(scores.values)} rows without ids, but the annotations "
                f"have {len(known)} samples. Pass the tested split with --split.",
                kind="samples-differ",
            )
        scores = replace(scores, ids=list(known))
    if scores.ids is None:
        return scores
    if any(not isinstance(name, str) for name in scores.ids):
        raise DataError(
            "the ids of some samples are not strings, expected a string for each sample",
            kind="structure",
            field="frame_dir",
        )
    if len(set(scores.ids)) < len(scores.ids):
        duplicate = next(name for name in scores.ids if scores.ids.count(name) > 1)
        raise DataError(
            f"the sample occurs {scores.ids.count(duplicate)} times, expected once. Remove "
            "the duplicates, and use MMEngine's sampler in distributed tests.",
            kind="duplicate",
            sample=duplicate,
        )
    if known is None:
        return scores
    unknown = [name for name in scores.ids if name not in known]
    if unknown:
        raise DataError(
            f"the annotations do not contain the sample ({len(unknown)} of "
            f"{len(scores.ids)} samples are missing). Pass the tested annotations.",
            kind="samples-differ",
            sample=unknown[0],
        )
    labels = np.array([known[name] for name in scores.ids])
    if scores.labels is not None and (scores.labels != labels).any():
        first = int(np.argmax(scores.labels != labels))
        raise DataError(
            f"the label is {scores.labels[first]}, expected {labels[first]} as in the "
            "annotations. Pass the annotations of the test.",
            kind="samples-differ",
            sample=scores.ids[first],
            field="gt_label",
        )
    return replace(scores, labels=labels)


def _check_labels(scores: Scores) -> None:
    classes = scores.values.shape[1]
    if scores.labels is None:
        return
    invalid = (scores.labels < 0) | (scores.labels >= classes)
    if invalid.any():
        first = int(np.argmax(invalid))
        raise DataError(
            f"the label is {scores.labels[first]}, expected 0 to {classes - 1} because the "
            f"file has {classes} classes. Check that labels and scores belong to the same "
            "task.",
            kind="label",
            sample=first if scores.ids is None else scores.ids[first],
            field="gt_label",
        )
