"""Personality traits: means per person, CSV files, and squared errors.

Files and errors follow the DYAD challenge at ICCV 2021 (track 1, UDIVA v0.5). Files have
one row per participant. The error of a trait is the mean squared error over participants.
"""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError
from ..io import StrPath
from ..io.atomic import whole_file

__all__ = [
    "CHALLENGE_TRAITS",
    "ID_COLUMN",
    "Traits",
    "in_order",
    "person_mean",
    "read_traits",
    "squared_errors",
    "write_traits",
]

ID_COLUMN = "Participant ID"


@dataclass(frozen=True)
class Traits:
    """Traits of P persons.

    Attributes:
        source: path of the file, for messages.
        names: names of the K traits.
        values: person id -> traits, [K].
    """

    source: str
    names: tuple[str, ...]
    values: dict[str, np.ndarray]


def person_mean(
    predicted: np.ndarray, sessions: Sequence[Any] | None = None
) -> np.ndarray:
    """Average the traits of a person over chunks.

    Args:
        predicted: traits, [N, K], one row per chunk.
        sessions: session of each chunk, to average over the chunks of each session and
            then over sessions. None to average over all chunks, which gives longer
            sessions more weight.

    Returns:
        Mean traits of the person, [K].
    """
    if sessions is None:
        return predicted.mean(0)
    _, indices = np.unique(np.asarray(sessions).astype(str), return_inverse=True)
    count = np.bincount(indices)
    means = np.zeros((len(count), predicted.shape[1]))
    np.add.at(means, indices, predicted)
    return (means / count[:, None]).mean(0)


def squared_errors(predicted: Traits, truth: Traits) -> dict[str, float]:
    """Return trait -> mean squared error over persons, and their mean as `mean`.

    Raises:
        DataError: predictions and truth differ in persons or traits.
    """
    if predicted.names != truth.names:
        raise DataError(
            f"the traits are {', '.join(predicted.names)}, expected "
            f"{', '.join(truth.names)} in this order, as in {truth.source}",
            kind="target",
            file=predicted.source,
        )
    differences = (
        (truth, "the predictions", truth.values.keys() - predicted.values),
        (predicted, truth.source, predicted.values.keys() - truth.values),
    )
    for source, incomplete, ids in differences:
        if ids:
            examples = ", ".join(in_order(ids)[:5]) + (", ..." if len(ids) > 5 else "")
            raise DataError(
                f"{len(ids)} of the {len(source.values)} participants in {source.source} "
                f"are missing in {incomplete}: {examples}. Predict each participant "
                "exactly once.",
                kind="samples-differ",
                file=predicted.source,
            )
    errors = np.stack(
        [predicted.values[person] - truth.values[person] for person in truth.values]
    )
    means = np.square(errors).mean(0)
    return {
        **dict(zip(truth.names, map(float, means), strict=True)),
        "mean": float(means.mean()),
    }


def read_traits(path: StrPath) -> Traits:
    """Read traits from a CSV file in the format of the DYAD challenge.

    The columns are `Participant ID` and one per trait.

    Raises:
        DataError: the file does not exist, the header is wrong, a row is not an id and K
            finite numbers, a participant is duplicated, or there are no rows.
    """
    path = os.fspath(path)
    try:
        # Path("") is the current folder, but open("") is an error.
        with open(path, newline="", encoding="utf-8-sig") as file:  # noqa: PTH123
            rows = list(csv.reader(file))
    except OSError as error:
        kind = "not-found" if isinstance(error, FileNotFoundError) else "io"
        raise DataError(
            f"cannot read the file: {error.strerror}", kind=kind, file=path
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        kind = "syntax" if isinstance(error, csv.Error) else "encoding"
        raise DataError(
            f"the file is not a CSV file in UTF-8 ({error})", kind=kind, file=path
        ) from None
    try:
        return _traits_of(rows, path)
    except DataError as error:
        raise error.at(file=path) from None


def _traits_of(rows: list[list[str]], path: str) -> Traits:
    if not rows or len(rows[0]) < 2 or rows[0][0] != ID_COLUMN:
        raise DataError(
            f"the header is {(','.join(rows[0]) if rows else '')!r:.80}, expected "
            f"{','.join((ID_COLUMN, *CHALLENGE_TRAITS))}",
            kind="columns",
            line=1,
        )
    names = tuple(rows[0][1:])
    values: dict[str, np.ndarray] = {}
    if len(set(names)) < len(names):
        raise DataError(
            "the header contains the same trait twice. Remove one of the columns.",
            kind="columns",
            line=1,
        )
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 1 + len(names):
            raise DataError(
                f"the row has {len(row)} fields, expected {1 + len(names)} (an id, and a "
                f"number for each of {', '.join(names)})",
                kind="row",
                line=line,
            )
        numbers = [_number(text) for text in row[1:]]
        if None in numbers:
            index = numbers.index(None)
            raise DataError(
                f"{names[index]!r} of participant {row[0]} is {row[1 + index]!r:.40}, "
                "expected a finite number",
                kind="number",
                line=line,
                field=names[index],
            )
        if row[0] in values:
            raise DataError(
                f"participant {row[0]} has more than one row, expected one. Remove the "
                "duplicates.",
                kind="duplicate",
                line=line,
            )
        values[row[0]] = np.array(numbers)
    if not values:
        raise DataError(
            "the file has no participant rows, expected one per participant",
            kind="empty",
        )
    return Traits(path, names, values)


def write_traits(traits: Traits, path: str) -> None:
    """Write traits to a CSV file in the format of the DYAD challenge, sorted by id."""
    with whole_file(path, "x") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((ID_COLUMN, *traits.names))
        for person in in_order(traits.values):
            numbers = map(float, traits.values[person])
            writer.writerow((person, *map(repr, numbers)))


def in_order(ids: Iterable[str]) -> list[str]:
    """Sort numeric ids by value, followed by all others in alphabetical order."""

    def key(name: str) -> tuple[int, int, str]:
        return (0, int(name), name) if name.isdecimal() else (1, 0, name)

    return sorted(ids, key=key)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
