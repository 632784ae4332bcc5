"""Personality traits: their mean over a person's sequences, files, and errors.

As in the DYAD challenge at ICCV 2021 (track 1, UDIVA v0.5): one row per participant, the
mean squared error over participants for each trait, and the mean over the traits.
"""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    """The traits of P persons.

    Attributes:
        source: the file, for messages.
        names: of the K traits.
        values: id -> [K].
    """

    source: str
    names: tuple[str, ...]
    values: dict[str, np.ndarray]


def person_mean(
    predicted: np.ndarray, sessions: Sequence[Any] | None = None
) -> np.ndarray:
    """Average the traits of a person's chunks.

    Args:
        predicted: [N, K], one row per chunk.
        sessions: the session of each chunk, for the mean of the sessions' means. None
            for the mean over all chunks, in which longer sessions have more weight.

    Returns:
        [K].
    """
    if sessions is None:
        return predicted.mean(0)
    _, which = np.unique(np.asarray(sessions).astype(str), return_inverse=True)
    count = np.bincount(which)
    means = np.zeros((len(count), predicted.shape[1]))
    np.add.at(means, which, predicted)
    return (means / count[:, None]).mean(0)


def squared_errors(predicted: Traits, truth: Traits) -> dict[str, float]:
    """Return the mean squared error over persons of each trait, and their `mean`.

    Raises:
        DataError: the two differ in persons or traits.
    """
    if predicted.names != truth.names:
        raise DataError(
            f"has the traits {list(predicted.names)}, but {truth.source} has "
            f"{list(truth.names)}: expected the same in the same order",
            kind="target",
            file=predicted.source,
        )
    sides = (
        ("lacks", truth, truth.values.keys() - predicted.values),
        ("has", predicted, predicted.values.keys() - truth.values),
    )
    for what, other, ids in sides:
        if ids:
            some = ", ".join(in_order(ids)[:5]) + (", ..." if len(ids) > 5 else "")
            unknown = f", which {truth.source} does not have" if what == "has" else ""
            raise DataError(
                f"{what} {len(ids)} of the {len(other.values)} participants of "
                f"{other.source}: {some}{unknown}: predict each participant once",
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
    """Read a CSV file of the challenge: Participant ID, then one column per trait.

    Raises:
        DataError: no such file, another header, a row that is not an id and K finite
            numbers, a duplicate participant, or no row at all; with the line.
    """
    path = os.fspath(path)
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        kind = "not-found" if isinstance(error, FileNotFoundError) else "io"
        raise DataError(
            f"cannot be read: {error.strerror}", kind=kind, file=path
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        kind = "syntax" if isinstance(error, csv.Error) else "encoding"
        raise DataError(f"is not a CSV file ({error})", kind=kind, file=path) from None
    try:
        return _traits_of(rows, path)
    except DataError as error:
        raise error.at(file=path) from None


def _traits_of(rows: list[list[str]], path: str) -> Traits:
    if not rows or len(rows[0]) < 2 or rows[0][0] != ID_COLUMN:
        raise DataError(
            f"begins with {(','.join(rows[0]) if rows else '')!r:.80}, expected "
            f"{','.join((ID_COLUMN, *CHALLENGE_TRAITS))}",
            kind="columns",
            line=1,
        )
    names = tuple(rows[0][1:])
    values: dict[str, np.ndarray] = {}
    if len(set(names)) < len(names):
        raise DataError("names a trait twice: keep one", kind="columns", line=1)
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 1 + len(names):
            raise DataError(
                f"has {len(row)} fields, expected {1 + len(names)}: an id and a number "
                f"for each of {', '.join(names)}",
                kind="row",
                line=line,
            )
        numbers = [_number(text) for text in row[1:]]
        if None in numbers:
            place = numbers.index(None)
            raise DataError(
                f"{names[place]} of participant {row[0]} is {row[1 + place]!r:.40}, "
                "expected a finite number",
                kind="number",
                line=line,
                field=names[place],
            )
        if row[0] in values:
            raise DataError(
                f"participant {row[0]} occurs a second time: keep one row",
                kind="duplicate",
                line=line,
            )
        values[row[0]] = np.array(numbers)
    if not values:
        raise DataError("has no participant, expected one row each", kind="empty")
    return Traits(path, names, values)


def write_traits(traits: Traits, path: str) -> None:
    """Write traits atomically in the challenge's format, in order of ids."""
    with whole_file(path, "x") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((ID_COLUMN, *traits.names))
        for person in in_order(traits.values):
            numbers = map(float, traits.values[person])
            writer.writerow((person, *map(repr, numbers)))


def in_order(ids: Iterable[str]) -> list[str]:
    """Sort numeric ids by number, then all others by text."""

    def key(name: str) -> tuple[int, int, str]:
        return (0, int(name), name) if name.isdecimal() else (1, 0, name)

    return sorted(ids, key=key)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
