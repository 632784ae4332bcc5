"""Files of scores: what a model said of each sample.

Read are

* MMAction2's dumps (`mim test ... --dump scores.pkl`): a list of dictionaries with
  `pred_score`, `gt_label` and, where PackActionInputs was told to keep it (our
  configs do), `frame_dir`, the sample's id;
* PYSKL's (`--out`): a list of arrays, in the order of the data set, without ids;
* the original ones of MS-G3D and 2s-AGCN (`epoch1_test_score.pkl`): id -> logits;
* those that `tools/fuse_scores.py` writes, which are like MMAction2's.

Nothing that a file names is executed.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..datasets.annotation_check import id_field, samples_of
from ..datasets.safe_pickle import load_plain
from .tensor_pickle import TORCH


class ScoreError(ValueError):
    """Scores cannot be used; the text says which, where and how to mend it."""


@dataclass(frozen=True)
class Scores:
    """The scores of N samples for C classes.

    Attributes:
        source: the file, for messages.
        form: which of the forms it has.
        values: [N, C], float64.
        ids: of the samples, None where the file has none.
        labels: [N], None where the file has none.
    """

    source: str
    form: str
    values: np.ndarray
    ids: list[str] | None = None
    labels: np.ndarray | None = None

    @property
    def probabilities(self) -> bool:
        """Whether the rows are probabilities; logits otherwise."""
        sums = self.values.sum(1)
        return bool((self.values >= 0).all() and np.allclose(sums, 1, atol=1e-3))

    def as_probabilities(self) -> "Scores":
        """Logits through softmax; probabilities as they are."""
        if self.probabilities:
            return self
        powers = np.exp(self.values - self.values.max(1, keepdims=True))
        return replace(self, values=powers / powers.sum(1, keepdims=True))


def read_scores(path: str, known: dict[str, int] | None = None) -> Scores:
    """The scores of a file, in any of the forms above.

    Args:
        path: the pickle.
        known: id -> label of the data set's samples, in its order (`labels_of`): for
            files without ids, which are then taken to be in this order, and for
            files without labels.

    Raises:
        ScoreError: not such a file, not one row of finite numbers a sample, an id
            twice, or a label that `known` contradicts or that is none of the classes.
    """
    path = os.fspath(path)
    data = _load(path)
    if isinstance(data, dict) and "annotations" in data:
        raise ScoreError(
            f"score file {path} is an annotation file, which holds no scores: name it "
            "with --ann-file, and the dump of a test (`mim test ... --dump`) here"
        )
    if isinstance(data, dict) and data:
        form, ids, labels = "id -> logits (the original)", list(data), None
        rows = list(data.values())
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        form = "MMAction2 dump"
        rows = [
            _field(path, number, one, "pred_score") for number, one in enumerate(data)
        ]
        labels = _labels_in(path, data)
        ids = [one.get("frame_dir") for one in data]
        ids = None if all(one is None for one in ids) else ids
    elif isinstance(data, list) and data:
        form, rows, ids, labels = "list of arrays (PYSKL)", data, None, None
    else:
        raise ScoreError(
            f"score file {path} holds {'an empty' if data in ([], {}) else 'a'} "
            f"{type(data).__name__}: expected the list of a "
            "dump (`mim test ... --dump`) or a dictionary id -> scores"
        )
    scores = Scores(path, form, _matrix(path, rows), ids, labels)
    scores = _complete(scores, known)
    _check_labels(scores)
    return scores


def labels_of(path: str, split: str | None = None) -> dict[str, int]:
    """id -> label of a data set's samples, in the order in which they are tested.

    Args:
        path: an annotation file, or the original `val_label.pkl` (names, labels).
        split: of the annotation file; None for all its samples.

    Raises:
        ScoreError: neither of the two, or no such split.
    """
    data = _load(os.fspath(path))
    pair = isinstance(data, (tuple, list)) and len(data) == 2
    try:
        if pair and all(isinstance(one, (list, tuple, np.ndarray)) for one in data):
            names, labels = data
            if len(names) == len(labels):
                return {str(name): int(label) for name, label in zip(names, labels)}
        samples = samples_of(data, os.fspath(path))
        wanted = None if split is None else set(data["split"][split])
        key = id_field(samples)
        return {
            one[key]: int(one["label"])
            for one in samples
            if wanted is None or one[key] in wanted
        }
    except (ValueError, TypeError, KeyError) as error:
        raise ScoreError(
            f"{path} gives no labels (split {split!r}: {error}): name an annotation "
            "file with --split one of its splits, or the original val_label.pkl"
        ) from error


def _complete(scores: Scores, known: dict[str, int] | None) -> Scores:
    """With ids and labels from `known` where the file has none."""
    if scores.ids is None and known is not None:
        if len(known) != len(scores.values):
            raise ScoreError(
                f"score file {scores.source} has {len(scores.values)} rows and no ids, "
                f"the annotations {len(known)} samples: name the split it was made of"
            )
        scores = replace(scores, ids=list(known))
    if scores.ids is None:
        return scores
    if any(not isinstance(one, str) for one in scores.ids):
        raise ScoreError(f"score file {scores.source}: an id is not text")
    if len(set(scores.ids)) < len(scores.ids):
        twice = next(one for one in scores.ids if scores.ids.count(one) > 1)
        raise ScoreError(
            f"score file {scores.source}: {twice!r} is there "
            f"{scores.ids.count(twice)} times: leave one (a distributed test without "
            "MMEngine's sampler repeats samples)"
        )
    if known is None:
        return scores
    unknown = [one for one in scores.ids if one not in known]
    if unknown:
        raise ScoreError(
            f"score file {scores.source}: {unknown[0]!r} has no label in the "
            f"annotations ({len(unknown)} of {len(scores.ids)} samples)"
        )
    labels = np.array([known[one] for one in scores.ids])
    if scores.labels is not None and (scores.labels != labels).any():
        first = int(np.argmax(scores.labels != labels))
        raise ScoreError(
            f"score file {scores.source}: {scores.ids[first]!r} has label "
            f"{scores.labels[first]}, the annotations say {labels[first]}"
        )
    return replace(scores, labels=labels)


def _matrix(path: str, rows: Sequence) -> np.ndarray:
    arrays = []
    for number, row in enumerate(rows):
        try:
            # complex numbers and text would be taken for others
            array = np.asarray(row)
            if array.dtype.kind not in "fiub":
                raise TypeError
            arrays.append(array.astype(np.float64))
        except (TypeError, ValueError):
            raise ScoreError(
                f"score file {path}: row {number} is a {type(row).__name__} that is no "
                "row of numbers, expected one a class: dump the scores of a test"
            ) from None
    rows, shapes = arrays, {row.shape for row in arrays}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1 or (0,) in shapes:
        raise ScoreError(
            f"score file {path}: rows have shapes {sorted(shapes)[:3]}, expected one "
            "number a class, of as many classes each"
        )
    matrix = np.stack(rows)
    if not np.isfinite(matrix).all():
        first = int(np.argmin(np.isfinite(matrix).all(1)))
        raise ScoreError(f"score file {path}: row {first} is NaN or infinite")
    return matrix


def _field(path, number, sample, name):
    if not isinstance(sample, dict) or name not in sample:
        raise ScoreError(f"score file {path}: sample {number} has no {name}")
    return sample[name]


def _labels_in(path, data) -> np.ndarray | None:
    if not any("gt_label" in one for one in data):
        return None
    labels = [
        np.asarray(_field(path, number, one, "gt_label")).reshape(-1)
        for number, one in enumerate(data)
    ]
    if any(len(one) != 1 for one in labels):
        raise ScoreError(
            f"score file {path}: samples have several labels, expected one each"
        )
    labels = np.concatenate(labels)
    # Those of torch come as float.
    if labels.dtype.kind not in "fiub" or (labels != np.floor(labels)).any():
        raise ScoreError(
            f"score file {path}: gt_label is no whole number in every sample, expected "
            "the number of a class"
        )
    return labels.astype(int)


def _check_labels(scores: Scores) -> None:
    classes = scores.values.shape[1]
    if scores.labels is None:
        return
    odd = (scores.labels < 0) | (scores.labels >= classes)
    if odd.any():
        first = int(np.argmax(odd))
        name = first if scores.ids is None else scores.ids[first]
        raise ScoreError(
            f"score file {scores.source}: sample {name!r} has label "
            f"{scores.labels[first]}, expected 0 to {classes - 1} as the rows have "
            f"{classes} classes: is it of another task?"
        )


def _load(path: str):
    if not os.path.isfile(path):
        raise ScoreError(f"score file {path} does not exist")
    try:
        return load_plain(path, TORCH)
    # A damaged pickle raises whatever the operation it lands on raises.
    except Exception as error:
        raise ScoreError(
            f"score file {path} cannot be read ({error or type(error).__name__}): "
            "dump it again"
        ) from error
