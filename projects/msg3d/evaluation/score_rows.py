"""Rows and labels of a score file, of whatever kind they are, as arrays of numbers."""

from collections.abc import Sequence

import numpy as np

from ..errors import DataError


def matrix_of(path: str, rows: Sequence) -> np.ndarray:
    """The rows of N samples as float64 [N, C].

    Raises:
        DataError: one is no row of finite numbers, or they differ in length.
    """
    arrays = []
    for number, row in enumerate(rows):
        try:
            # complex numbers and text would be taken for others
            array = _flat(row)
            if array.dtype.kind not in "fiub":
                raise TypeError
            arrays.append(array.astype(np.float64))
        except (TypeError, ValueError):
            raise DataError(
                f"score file {path}: row {number} is a {type(row).__name__} that is no "
                "row of numbers, expected one a class: dump the scores of a test"
            ) from None
    rows, shapes = arrays, {row.shape for row in arrays}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1 or (0,) in shapes:
        raise DataError(
            f"score file {path}: rows have shapes {sorted(shapes)[:3]}, expected one "
            "number a class, of as many classes each"
        )
    matrix = np.stack(rows)
    if not np.isfinite(matrix).all():
        first = int(np.argmin(np.isfinite(matrix).all(1)))
        raise DataError(f"score file {path}: row {first} is NaN or infinite")
    return matrix


def is_filled(data) -> bool:
    """Whether this is no empty list or dictionary."""
    return not isinstance(data, (list, dict)) or bool(data)


def _flat(row) -> np.ndarray:
    """A row as an array; TypeError for lists within lists, which may be endless: one that
    is there many times in one that is there many times."""
    kinds = (list, tuple, dict, set, frozenset)
    if isinstance(row, (list, tuple)) and any(isinstance(one, kinds) for one in row):
        raise TypeError
    try:
        return np.asarray(row)
    except ValueError as error:
        raise TypeError from error


def field_of(path, number, sample, name):
    """A field of a sample of a dump; DataError if there is none."""
    if not isinstance(sample, dict) or name not in sample:
        raise DataError(f"score file {path}: sample {number} has no {name}")
    return sample[name]


def labels_in(path, data) -> np.ndarray | None:
    """The labels of a dump, int [N]; None where it has none.

    Raises:
        DataError: not one whole number each.
    """
    if not any("gt_label" in one for one in data):
        return None
    try:
        labels = [
            _flat(field_of(path, number, one, "gt_label")).reshape(-1)
            for number, one in enumerate(data)
        ]
        joined = np.concatenate(labels)
    except TypeError:
        raise DataError(
            f"score file {path}: a gt_label is no number, expected that of a class"
        ) from None
    if any(len(one) != 1 for one in labels):
        raise DataError(
            f"score file {path}: samples have several labels, expected one each"
        )
    labels = joined
    # Those of torch come as float.
    if labels.dtype.kind not in "fiub" or (labels != np.floor(labels)).any():
        raise DataError(
            f"score file {path}: gt_label is no whole number in every sample, expected "
            "the number of a class"
        )
    return labels.astype(int)
