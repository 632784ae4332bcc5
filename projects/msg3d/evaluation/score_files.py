"""Read files of scores: the outputs of a network for each sample.

The supported forms are

* MMAction2's dumps (`msg3d test ... --dump scores.pkl`): a list of dictionaries with
  `pred_score`, `gt_label`, and `frame_dir`, the sample's id, if PackActionInputs keeps
  it (in our configs it does);
* PYSKL's (`--out`): a list of arrays, in the order of the data set, without ids;
* the original ones of MS-G3D and 2s-AGCN (`epoch1_test_score.pkl`): id -> logits;
* those that `msg3d fuse` writes: like MMAction2's, or without any pickle, as
  `.npz` (`score_npz.py`).

Nothing that a file names is executed.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
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
from ..stores.store import load_store
from .score_npz import read_score_npz
from .scores import Scores

# One row of scores per sample, unchecked.
Rows = Sequence[Any] | np.ndarray


def read_scores(path: StrPath, known: dict[str, int] | None = None) -> Scores:
    """Read the scores of a file in any of the forms above.

    Args:
        path: the pickle, or the `.npz`.
        known: id -> label of the data set's samples, in its order (`labels_of`): for
            files without ids, whose rows are then assumed to be in this order, and for
            files without labels.

    Raises:
        DataError: not such a file, not one row of finite numbers per sample, a
            duplicate id, or a label that contradicts `known` or is not one of the
            classes.
    """
    path = os.fspath(path)
    ids: list[str] | None
    rows: Rows
    with _opened(path) as file:
        if path.endswith(".npz"):
            form = "npz of ids, scores, labels"
            ids, rows, labels = read_score_npz(file)
        else:
            form, ids, rows, labels = _of_pickle(file)
        scores = Scores(path, form, _matrix(rows), ids, labels)
        scores = _complete(scores, known)
        _check_labels(scores)
    return scores


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Open a file, and add its path to the errors of the block."""
    try:
        with Path(path).open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DataError("does not exist", kind="not-found", file=path) from error
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}", kind="io", file=path
        ) from error
    except DataError as error:
        raise error.at(file=path) from error.__cause__


def _of_pickle(file: BinaryIO) -> tuple[str, list[str] | None, Rows, Any]:
    """Form, ids, rows, and labels of a pickle."""
    data = read_plain(file, SCORES, ARRAYS)
    if isinstance(data, dict) and "annotations" in data:
        raise DataError(
            "is an annotation file, which contains no scores: name it with --ann-file, "
            "and the dump of a test (`msg3d test ... --dump`) here",
            kind="wrong-file-type",
        )
    if isinstance(data, dict) and data:
        return "id -> logits (the original)", list(data), list(data.values()), None
    if isinstance(data, list) and data and isinstance(data[0], dict):
        rows = [_field(data, number, "pred_score") for number in range(len(data))]
        labels = _labels(data)
        ids = [sample.get("frame_dir") for sample in data]
        named = any(name is not None for name in ids)
        return "MMAction2 dump", ids if named else None, rows, labels
    if isinstance(data, list) and data:
        return "list of arrays (PYSKL)", None, data, None
    empty = isinstance(data, (list, dict))
    raise mismatch(file, SCORES) or DataError(
        f"holds {'an empty' if empty else 'a'} {type(data).__name__}: expected the list "
        "of a dump (`msg3d test ... --dump`) or a dictionary id -> scores",
        kind="empty" if empty else "structure",
    )


def labels_of(path: StrPath, split: str | None = None) -> dict[str, int]:
    """Return id -> label of a data set's samples, in the order in which they are tested.

    Args:
        path: an annotation file, a packed store, or the original `val_label.pkl`
            (names, labels).
        split: of the annotation file; None for all its samples.

    Raises:
        DataError: the file is none of these, or has no such split.
    """
    path = os.fspath(path)
    # Unlike Path.is_dir, os.path.isdir takes any text.
    if os.path.isdir(path):  # noqa: PTH112
        return _labels_of_store(path, split)
    with _opened(path) as file:
        return _labels_of_data(read_plain(file, SCORES), split, path)


def _labels_of_data(data: Any, split: str | None, path: str) -> dict[str, int]:
    pair = isinstance(data, (tuple, list)) and len(data) == 2
    try:
        if pair and all(isinstance(part, (list, tuple, np.ndarray)) for part in data):
            names, labels = data
            if len(names) == len(labels):
                if not all(isinstance(name, str) for name in names):
                    raise TypeError("a name is not text")
                return {
                    str(name): int(label)
                    for name, label in zip(names, labels, strict=True)
                }
        if not isinstance(data, (dict, list)):
            raise TypeError(f"it holds a {type(data).__name__}")
        # Checks ids, labels, and the split; keypoints are not looked at.
        check_annotations(data, split, path, keypoints=False)
        samples: list[Sample] = data["annotations"] if isinstance(data, dict) else data
        wanted: set[str] | None = None
        if isinstance(data, dict) and split is not None:
            wanted = set(data["split"][split])
        key = id_field(samples)
        return {
            sample[key]: int(sample["label"])
            for sample in samples
            if wanted is None or sample[key] in wanted
        }
    except DataError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"gives no labels (split {split!r}: {why}): name an annotation file with "
            "--split, or the original val_label.pkl",
            kind="structure",
        ) from error


def _labels_of_store(path: str, split: str | None) -> dict[str, int]:
    store = load_store(path)
    numbers = range(len(store)) if split is None else store.split(split).tolist()
    return {
        store.fields(number)[store.id_field]: int(store.index["label"][number])
        for number in numbers
    }


def _matrix(rows: Rows) -> NDArray[np.float64]:
    """The rows of N samples as float64 [N, C]."""
    arrays = []
    for number, row in enumerate(rows):
        try:
            array = _flat(row)
            if array.dtype.kind not in "fiub":  # complex numbers and text
                raise TypeError
            arrays.append(array.astype(np.float64))
        except (TypeError, ValueError):
            raise DataError(
                f"its row is a {type(row).__name__}, expected one number per class: dump "
                "the scores of a test",
                kind="score",
                sample=number,
            ) from None
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1 or (0,) in shapes:
        raise DataError(
            f"has rows of shapes {sorted(shapes)[:3]}, expected one number per class, "
            "for the same number of classes each",
            kind="shape",
        )
    matrix = np.stack(arrays)
    if not np.isfinite(matrix).all():
        first = int(np.argmin(np.isfinite(matrix).all(1)))
        raise DataError("its row is NaN or infinite", kind="not-finite", sample=first)
    return matrix


def _flat(row: Any) -> np.ndarray:
    """A row as an array.

    Raises:
        TypeError: lists within lists, which may be endless: one that occurs many times
            in one that occurs many times.
    """
    kinds = (list, tuple, dict, set, frozenset)
    if isinstance(row, (list, tuple)) and any(isinstance(item, kinds) for item in row):
        raise TypeError
    try:
        return np.asarray(row)
    except ValueError as error:
        raise TypeError from error


def _field(data: list[Any], number: int, name: str) -> Any:
    """A field of a sample of a dump."""
    if not isinstance(data[number], dict) or name not in data[number]:
        raise DataError(f"has no {name}", kind="structure", sample=number, field=name)
    return data[number][name]


def _labels(data: list[Any]) -> np.ndarray | None:
    """The labels of a dump, int [N]; None if it has none."""
    if not any("gt_label" in sample for sample in data):
        return None
    try:
        labels = [
            _flat(_field(data, number, "gt_label")).reshape(-1)
            for number in range(len(data))
        ]
        joined = np.concatenate(labels)
    except TypeError:
        raise DataError(
            "a gt_label is not a number, expected the number of a class",
            kind="label",
            field="gt_label",
        ) from None
    if any(len(label) != 1 for label in labels):
        raise DataError(
            "samples have several labels, expected one each",
            kind="label",
            field="gt_label",
        )
    # Those of torch come as float.
    if joined.dtype.kind not in "fiub" or (joined != np.floor(joined)).any():
        raise DataError(
            "gt_label is not an integer in every sample, expected the number of a class",
            kind="label",
            field="gt_label",
        )
    return joined.astype(int)


def _complete(scores: Scores, known: dict[str, int] | None) -> Scores:
    """Add ids and labels from `known` if the file has none."""
    if scores.ids is None and known is not None:
        if len(known) != len(scores.values):
            raise DataError(
                f"has {len(scores.values)} rows and no ids, but the annotations have "
                f"{len(known)} samples: name the split that was tested",
                kind="samples-differ",
            )
        scores = replace(scores, ids=list(known))
    if scores.ids is None:
        return scores
    if any(not isinstance(name, str) for name in scores.ids):
        raise DataError("an id is not text", kind="structure", field="frame_dir")
    if len(set(scores.ids)) < len(scores.ids):
        twice = next(name for name in scores.ids if scores.ids.count(name) > 1)
        raise DataError(
            f"occurs {scores.ids.count(twice)} times: keep one (a distributed test "
            "without MMEngine's sampler repeats samples)",
            kind="duplicate",
            sample=twice,
        )
    if known is None:
        return scores
    unknown = [name for name in scores.ids if name not in known]
    if unknown:
        raise DataError(
            f"has no label in the annotations ({len(unknown)} of {len(scores.ids)} "
            "samples have none)",
            kind="samples-differ",
            sample=unknown[0],
        )
    labels = np.array([known[name] for name in scores.ids])
    if scores.labels is not None and (scores.labels != labels).any():
        first = int(np.argmax(scores.labels != labels))
        raise DataError(
            f"has label {scores.labels[first]}, but {labels[first]} in the annotations",
            kind="samples-differ",
            sample=scores.ids[first],
            field="gt_label",
        )
    return replace(scores, labels=labels)


def _check_labels(scores: Scores) -> None:
    classes = scores.values.shape[1]
    if scores.labels is None:
        return
    odd = (scores.labels < 0) | (scores.labels >= classes)
    if odd.any():
        first = int(np.argmax(odd))
        raise DataError(
            f"has label {scores.labels[first]}, expected 0 to {classes - 1} since the "
            f"rows have {classes} classes: is it of another task?",
            kind="label",
            sample=first if scores.ids is None else scores.ids[first],
            field="gt_label",
        )
