"""Scores of samples, and their alignment by sample id."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError


@dataclass(frozen=True)
class Scores:
    """Scores of N samples for C classes.

    Attributes:
        source: path of the file, for messages.
        form: name of the file's format.
        values: scores, float64 [N, C].
        ids: ids of the samples; None if the file has no ids.
        labels: class indices, int [N]; None if the file has no labels.
    """

    source: str
    form: str
    values: np.ndarray
    ids: list[str] | None = None
    labels: np.ndarray | None = None

    @property
    def sample_ids(self) -> list[str]:
        """Ids of the samples, for files that must contain them.

        Raises:
            DataError: the file has no ids (kind `samples-differ`).
        """
        if self.ids is None:
            raise DataError(
                f"the file has no sample ids (format: {self.form}). Pass the tested "
                "annotations with --ann-file and --split.",
                kind="samples-differ",
                file=self.source,
            )
        return self.ids

    @property
    def probabilities(self) -> bool:
        """True if the rows are probabilities, False if they are logits."""
        sums = self.values.sum(1)
        return bool((self.values >= 0).all() and np.allclose(sums, 1, atol=1e-3))

    def as_probabilities(self) -> "Scores":
        """Apply softmax to logits. Probabilities are returned unchanged."""
        if self.probabilities:
            return self
        powers = np.exp(self.values - self.values.max(1, keepdims=True))
        return replace(self, values=powers / powers.sum(1, keepdims=True))


def aligned(streams: Sequence[Scores]) -> list[Scores]:
    """Return the streams with their samples in the order of the first stream.

    If the streams are a mixture of logits and probabilities, softmax is applied to the
    logits. If a stream has labels, all returned streams have these labels.

    Raises:
        DataError: a stream has no ids, or the streams differ in samples, labels, or
            number of classes.
    """
    first = streams[0]
    ids = first.sample_ids
    for stream in streams:
        _check_samples(first, stream)
        if stream.values.shape[1] != first.values.shape[1]:
            raise DataError(
                f"the file has {stream.values.shape[1]} classes, expected "
                f"{first.values.shape[1]} as in {first.source}. Fuse only streams of the "
                "same task.",
                kind="score",
                file=stream.source,
            )
    if len({stream.probabilities for stream in streams}) > 1:
        streams = [stream.as_probabilities() for stream in streams]
    streams = [_reorder(stream, ids) for stream in streams]
    labeled = [
        (stream, stream.labels) for stream in streams if stream.labels is not None
    ]
    if not labeled:
        return streams
    (reference, labels), *others = labeled
    for stream, other_labels in others:
        if (other_labels != labels).any():
            index = int(np.argmax(other_labels != labels))
            raise DataError(
                f"the label is {other_labels[index]}, expected {labels[index]} as in "
                f"{reference.source}",
                kind="samples-differ",
                file=stream.source,
                sample=ids[index],
            )
    return [replace(stream, labels=labels) for stream in streams]


def _check_samples(first: Scores, other: Scores) -> None:
    first_ids, other_ids = set(first.sample_ids), set(other.sample_ids)
    if first_ids != other_ids:
        differences = [
            f"{len(ids)} only in {scores.source}, such as {', '.join(sorted(ids)[:3])}"
            for scores, ids in (
                (first, first_ids - other_ids),
                (other, other_ids - first_ids),
            )
            if ids
        ]
        raise DataError(
            f"the samples differ from those of {first.source} "
            f"({'; '.join(differences)}). Test all streams on the same split.",
            kind="samples-differ",
            file=other.source,
        )


def _reorder(scores: Scores, ids: list[str]) -> Scores:
    indices = {name: index for index, name in enumerate(scores.sample_ids)}
    order = np.array([indices[name] for name in ids])
    labels = None if scores.labels is None else scores.labels[order]
    return replace(scores, ids=ids, values=scores.values[order], labels=labels)
