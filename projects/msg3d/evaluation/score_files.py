"""Files of scores: what a model said of each sample.

Read are

* MMAction2's dumps (`mim test ... --dump scores.pkl`): a list of dictionaries with
  `pred_score`, `gt_label` and, where PackActionInputs was told to keep it (our
  configs do), `frame_dir`, the sample's id;
* PYSKL's (`--out`): a list of arrays, in the order of the data set, without ids;
* the original ones of MS-G3D and 2s-AGCN (`epoch1_test_score.pkl`): id -> logits;
* those that `tools/fuse_scores.py` writes: like MMAction2's, or without any pickle, as
  `.npz` (`score_npz.py`).

Nothing that a file names is executed.
"""

import os
from dataclasses import replace

import numpy as np

from ..annotations.check import check_annotations, id_field
from ..errors import DataError
from ..io.file_type import SCORES, SCORES_NPZ, mismatch
from ..io.safe_pickle import RefusedGlobal, load_plain
from ..io.tensor_pickle import ARRAYS
from ..stores.store import load_store
from .score_npz import read_score_npz
from .score_rows import field_of, is_filled, labels_in, matrix_of
from .scores import (
    Scores,
)

__all__ = ["DataError", "Scores", "labels_of", "read_scores"]


def read_scores(path: str, known: dict[str, int] | None = None) -> Scores:
    """The scores of a file, in any of the forms above.

    Args:
        path: the pickle, or the `.npz`.
        known: id -> label of the data set's samples, in its order (`labels_of`): for
            files without ids, which are then taken to be in this order, and for
            files without labels.

    Raises:
        DataError: not such a file, not one row of finite numbers a sample, an id
            twice, or a label that `known` contradicts or that is none of the classes.
    """
    path = os.fspath(path)
    if path.endswith(".npz"):
        return _of_npz(path, known)
    data = _load(path)
    if isinstance(data, dict) and "annotations" in data:
        raise DataError(
            f"score file {path} is an annotation file, which holds no scores: name it "
            "with --ann-file, and the dump of a test (`mim test ... --dump`) here"
        )
    if isinstance(data, dict) and data:
        form, ids, labels = "id -> logits (the original)", list(data), None
        rows = list(data.values())
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        form = "MMAction2 dump"
        rows = [
            field_of(path, number, one, "pred_score") for number, one in enumerate(data)
        ]
        labels = labels_in(path, data)
        ids = [one.get("frame_dir") for one in data]
        ids = None if all(one is None for one in ids) else ids
    elif isinstance(data, list) and data:
        form, rows, ids, labels = "list of arrays (PYSKL)", data, None, None
    else:
        held = f"{'a' if is_filled(data) else 'an empty'} {type(data).__name__}"
        said = mismatch(path, SCORES) or (
            f"holds {held}: expected the list of a dump (`mim test ... --dump`) or a "
            "dictionary id -> scores"
        )
        raise DataError(f"score file {path} {said}")
    return _checked(Scores(path, form, matrix_of(path, rows), ids, labels), known)


def _of_npz(path: str, known: dict[str, int] | None) -> Scores:
    _refuse_missing(path)
    try:
        ids, values, labels = read_score_npz(path)
    except (ValueError, OSError) as error:
        said = mismatch(path, SCORES_NPZ) or f"{error}: write it again"
        raise DataError(f"score file {path} {said}") from error
    rows = matrix_of(path, values)
    return _checked(
        Scores(path, "npz of ids, scores, labels", rows, ids, labels), known
    )


def _checked(scores: Scores, known: dict[str, int] | None) -> Scores:
    scores = _complete(scores, known)
    _check_labels(scores)
    return scores


def labels_of(path: str, split: str | None = None) -> dict[str, int]:
    """id -> label of a data set's samples, in the order in which they are tested.

    Args:
        path: an annotation file, a packed store, or the original `val_label.pkl`
            (names, labels).
        split: of the annotation file; None for all its samples.

    Raises:
        DataError: neither of the two, or no such split.
    """
    if os.path.isdir(path):
        return _labels_of_store(os.fspath(path), split)
    data = _load(os.fspath(path))
    pair = isinstance(data, (tuple, list)) and len(data) == 2
    try:
        if pair and all(isinstance(one, (list, tuple, np.ndarray)) for one in data):
            names, labels = data
            if len(names) == len(labels):
                if not all(isinstance(name, str) for name in names):
                    raise ValueError("a name is no text")
                return {str(name): int(label) for name, label in zip(names, labels)}
        if not isinstance(data, (dict, list)):
            raise ValueError(f"it holds a {type(data).__name__}")
        # Ids, labels and the split as they have to be; keypoints are not looked at.
        check_annotations(data, split, os.fspath(path), keypoints=False)
        samples = data["annotations"] if isinstance(data, dict) else data
        wanted = None if split is None else set(data["split"][split])
        key = id_field(samples)
        return {
            one[key]: int(one["label"])
            for one in samples
            if wanted is None or one[key] in wanted
        }
    except (ValueError, TypeError, KeyError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"{path} gives no labels (split {split!r}: {why}): name an annotation "
            "file with --split one of its splits, or the original val_label.pkl"
        ) from error


def _labels_of_store(path: str, split: str | None) -> dict[str, int]:
    store = load_store(path)
    if split is None:
        numbers = range(len(store))
    else:
        numbers = store.split(split).tolist()
    return {
        store.fields(one)[store.id_field]: int(store.index["label"][one])
        for one in numbers
    }


def _complete(scores: Scores, known: dict[str, int] | None) -> Scores:
    """With ids and labels from `known` where the file has none."""
    if scores.ids is None and known is not None:
        if len(known) != len(scores.values):
            raise DataError(
                f"score file {scores.source} has {len(scores.values)} rows and no ids, "
                f"the annotations {len(known)} samples: name the split it was made of"
            )
        scores = replace(scores, ids=list(known))
    if scores.ids is None:
        return scores
    if any(not isinstance(one, str) for one in scores.ids):
        raise DataError(f"score file {scores.source}: an id is not text")
    if len(set(scores.ids)) < len(scores.ids):
        twice = next(one for one in scores.ids if scores.ids.count(one) > 1)
        raise DataError(
            f"score file {scores.source}: {twice!r} is there "
            f"{scores.ids.count(twice)} times: leave one (a distributed test without "
            "MMEngine's sampler repeats samples)"
        )
    if known is None:
        return scores
    unknown = [one for one in scores.ids if one not in known]
    if unknown:
        raise DataError(
            f"score file {scores.source}: {unknown[0]!r} has no label in the "
            f"annotations ({len(unknown)} of {len(scores.ids)} samples)"
        )
    labels = np.array([known[one] for one in scores.ids])
    if scores.labels is not None and (scores.labels != labels).any():
        first = int(np.argmax(scores.labels != labels))
        raise DataError(
            f"score file {scores.source}: {scores.ids[first]!r} has label "
            f"{scores.labels[first]}, the annotations say {labels[first]}"
        )
    return replace(scores, labels=labels)


def _check_labels(scores: Scores) -> None:
    classes = scores.values.shape[1]
    if scores.labels is None:
        return
    odd = (scores.labels < 0) | (scores.labels >= classes)
    if odd.any():
        first = int(np.argmax(odd))
        name = first if scores.ids is None else scores.ids[first]
        raise DataError(
            f"score file {scores.source}: sample {name!r} has label "
            f"{scores.labels[first]}, expected 0 to {classes - 1} as the rows have "
            f"{classes} classes: is it of another task?"
        )


def _refuse_missing(path: str) -> None:
    if not os.path.isfile(path):
        raise DataError(f"score file {path} does not exist")


def _load(path: str):
    _refuse_missing(path)
    try:
        return load_plain(path, ARRAYS)
    except RefusedGlobal as error:
        raise DataError(
            f"score file {path} asks to import {error}, which scores do not need, and "
            "nothing of it was executed: take it only from where you trust, or as .npz"
        ) from None
    # A damaged pickle raises whatever the operation it lands on raises.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        said = mismatch(path, SCORES) or f"cannot be read ({why:.200}): dump it again"
        raise DataError(f"score file {path} {said}") from error
