"""Scores of samples, and their alignment by sample id."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError


@dataclass(frozen=True)
class Scores:
    """The scores of N samples for C classes.

    Attributes:
        source: the file, for messages.
        form: the name of its form.
        values: [N, C], float64.
        ids: of the samples; None if the file has none.
        labels: [N]; None if the file has none.
    """

    source: str
    form: str
    values: np.ndarray
    ids: list[str] | None = None
    labels: np.ndarray | None = None

    @property
    def sample_ids(self) -> list[str]:
        """The ids of the samples.

        Raises:
            DataError: the file has none (`samples-differ`).
        """
        if self.ids is None:
            raise DataError(
                f"has no sample ids (form: {self.form}): name the data set's "
                "--ann-file and --split, in whose order the rows are",
                kind="samples-differ",
                file=self.source,
            )
        return self.ids

    @property
    def probabilities(self) -> bool:
        """Whether the rows are probabilities; logits otherwise."""
        sums = self.values.sum(1)
        return bool((self.values >= 0).all() and np.allclose(sums, 1, atol=1e-3))

    def as_probabilities(self) -> "Scores":
        """Apply softmax to logits; probabilities stay as they are."""
        if self.probabilities:
            return self
        powers = np.exp(self.values - self.values.max(1, keepdims=True))
        return replace(self, values=powers / powers.sum(1, keepdims=True))


def aligned(streams: Sequence[Scores]) -> list[Scores]:
    """Order the samples of all streams as those of the first.

    If some are logits and some probabilities, softmax is applied to the logits.

    Raises:
        DataError: a stream without ids, with another set of samples, with other labels,
            or with another number of classes.
    """
    first = streams[0]
    ids = first.sample_ids
    for stream in streams:
        _check_samples(first, stream)
        if stream.values.shape[1] != first.values.shape[1]:
            raise DataError(
                f"has {stream.values.shape[1]} classes, but {first.source} has "
                f"{first.values.shape[1]}: fuse models of the same task",
                kind="score",
                file=stream.source,
            )
    if len({stream.probabilities for stream in streams}) > 1:
        streams = [stream.as_probabilities() for stream in streams]
    ordered = [_ordered(stream, ids) for stream in streams]
    labeled = [
        (stream, stream.labels) for stream in ordered if stream.labels is not None
    ]
    if not labeled:
        return ordered
    (labeler, labels), *others = labeled
    for stream, own in others:
        if (own != labels).any():
            place = int(np.argmax(own != labels))
            raise DataError(
                f"has label {own[place]}, but {labels[place]} in {labeler.source}",
                kind="samples-differ",
                file=stream.source,
                sample=ids[place],
            )
    return [replace(stream, labels=labels) for stream in ordered]


def _check_samples(first: Scores, other: Scores) -> None:
    both = set(first.sample_ids), set(other.sample_ids)
    if both[0] != both[1]:
        sides = [
            f"{len(ids)} only in {scores.source}, such as {sorted(ids)[:3]}"
            for scores, ids in ((first, both[0] - both[1]), (other, both[1] - both[0]))
            if ids
        ]
        raise DataError(
            f"has other samples than {first.source} ({'; '.join(sides)}): test all "
            "streams on the same split",
            kind="samples-differ",
            file=other.source,
        )


def _ordered(scores: Scores, ids: list[str]) -> Scores:
    place = {name: number for number, name in enumerate(scores.sample_ids)}
    order = np.array([place[name] for name in ids])
    labels = None if scores.labels is None else scores.labels[order]
    return replace(scores, ids=ids, values=scores.values[order], labels=labels)
