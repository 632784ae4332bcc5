"""Read and check the score files of streams, and write fused scores."""

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
    """Read one score file per stream, in the order of `paths`.

    Args:
        paths: paths of the score files.
        known: ids and labels from `labels_of`, for files without ids or labels.
        probabilities: whether to apply softmax to logits.

    Raises:
        DataError: a file cannot be read.
        ConfigError: a file is passed twice (kind `duplicate`).
    """
    files: dict[str, str] = {}
    for path in paths:
        file = os.path.realpath(path)
        first = files.get(file)
        if first is not None:
            raise ConfigError(
                f"the file was passed twice{'' if first == path else f', also as {first}'}."
                " Pass each stream once, and use --fusion-weights to weight it.",
                kind="duplicate",
                file=path,
            )
        files[file] = path
    streams = [read_scores(path, known) for path in paths]
    if probabilities:
        streams = [stream.as_probabilities() for stream in streams]
    return streams


def check_search(searched: Sequence[Scores], streams: Sequence[Scores]) -> None:
    """Check that the scores for a weight search suit the streams to fuse.

    Raises:
        ConfigError: the numbers of streams differ (kind `option`).
        DataError: the search and the fusion share samples (kind `split`), or the scores
            for the search have no labels (kind `label`).
    """
    if len(searched) != len(streams):
        raise ConfigError(
            f"--search got {len(searched)} files, expected {len(streams)} (one per "
            "stream). Pass the files in the order of the streams.",
            kind="option",
        )
    shared = set(searched[0].sample_ids) & set(streams[0].sample_ids)
    if shared:
        raise DataError(
            f"the files of --search share {len(shared)} samples with the streams, such as "
            f"{', '.join(sorted(shared)[:3])}. Search on a different split than the test "
            "split.",
            kind="split",
        )
    if searched[0].labels is None:
        raise DataError(
            "the files of --search have no labels. Create the files with `msg3d test "
            "--dump`.",
            kind="label",
        )


def class_changes(
    streams: Sequence[Accuracies], fused: Accuracies, labels: np.ndarray
) -> list[dict[str, Any]]:
    """Compare the accuracy of each class between the fused scores and the best stream.

    Args:
        streams: `accuracies` of each stream. A single stream is not compared.
        fused: `accuracies` of the fused scores.
        labels: class indices, int [N].

    Returns:
        One dictionary per class with its index, number of samples, and accuracies in
        percent, sorted by change in ascending order (for a single stream, by accuracy).
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
    """Write scores to an `.npz` file or a pickle.

    Args:
        path: path of the file. If it does not end in `.npz`, the file is a pickle in the
            format of MMAction2's dumps.
        ids: ids of the N samples.
        values: scores, [N, classes].
        labels: class indices, int [N].
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
