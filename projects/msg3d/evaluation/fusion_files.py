"""Fusion of score files: reading and checking the streams, and writing the result."""

import os
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from ..io.atomic import whole_file
from .fusion import Accuracies
from .score_files import read_scores
from .score_npz import write_score_npz
from .scores import Scores


def read_streams(
    paths: Sequence[str],
    known: dict[str, int] | None = None,
    probabilities: bool = False,
) -> list[Scores]:
    """Read one score file per stream.

    Args:
        paths: the files.
        known: labels and ids for files without them, as `labels_of` returns them.
        probabilities: apply softmax to logits first.

    Raises:
        DataError: a file cannot be read.
        ConfigError: a file is given twice (`duplicate`).
    """
    files: dict[str, str] = {}
    for path in paths:
        file = os.path.realpath(path)
        first = files.get(file)
        if first is not None:
            raise ConfigError(
                f"is given twice{'' if first == path else f', also as {first}'}: name "
                "each stream once, and give it a larger weight if it should count more",
                kind="duplicate",
                file=path,
            )
        files[file] = path
    streams = [read_scores(path, known) for path in paths]
    if probabilities:
        streams = [stream.as_probabilities() for stream in streams]
    return streams


def check_search(searched: Sequence[Scores], streams: Sequence[Scores]) -> None:
    """Check the scores on which weights are searched against those that are fused.

    Raises:
        ConfigError: another number of streams (`option`).
        DataError: they share samples (`split`), or have no labels (`label`).
    """
    if len(searched) != len(streams):
        raise ConfigError(
            f"--search has {len(searched)} files for {len(streams)} streams: give one "
            "for each stream, in the same order",
            kind="option",
        )
    both = set(searched[0].sample_ids) & set(streams[0].sample_ids)
    if both:
        raise DataError(
            f"--search shares {len(both)} samples with the test, such as "
            f"{sorted(both)[:3]}: search on a split that is not the test split",
            kind="split",
        )
    if searched[0].labels is None:
        raise DataError(
            "the files of --search have no labels: dump them with `msg3d test --dump`",
            kind="label",
        )


def class_changes(
    streams: Sequence[Accuracies], fused: Accuracies, labels: np.ndarray
) -> list[dict[str, Any]]:
    """Compare the accuracy of each class, fused and in the best stream.

    Args:
        streams: `accuracies` of each stream; one stream is not compared.
        fused: `accuracies` of the fused scores.
        labels: [N].

    Returns:
        One dictionary per class, the largest loss (or lowest accuracy) first.
    """
    counts = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    best = max(streams, key=lambda stream: stream["top1"])["classes"]
    lines = []
    for label, accuracy in fused["classes"].items():
        line = {"class": label, "samples": int(counts[label])}
        if len(streams) > 1:
            line["best stream"] = best[label]
            line |= {"fused": accuracy, "change": accuracy - best[label]}
        else:
            line["accuracy"] = accuracy
        lines.append(line)
    return sorted(lines, key=lambda line: list(line.values())[-1])


def write_scores(
    path: str, ids: Sequence[str], values: np.ndarray, labels: np.ndarray
) -> None:
    """Write scores as `.pkl`, a dump as MMAction2 writes it, or as `.npz`.

    Args:
        path: the file.
        ids: of N samples.
        values: [N, classes].
        labels: [N].
    """
    if path.endswith(".npz"):
        write_score_npz(path, ids, values, labels)
        return
    samples = [
        {"frame_dir": name, "pred_score": row, "gt_label": np.array([label])}
        for name, row, label in zip(ids, values, labels, strict=True)
    ]
    with whole_file(path) as file:
        pickle.dump(samples, file, protocol=4)
