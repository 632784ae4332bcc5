"""Traits of persons: means of what was said of their sequences, files, and errors.

As the DYAD challenge at ICCV 2021 (track 1, UDIVA v0.5) computes them: one row a
participant, the mean squared error over participants a trait, and the mean of these.
"""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError
from ..io.atomic import whole_file

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


def person_mean(predicted: np.ndarray, sessions: Sequence | None = None) -> np.ndarray:
    """One person's traits from those of the person's chunks.

    Args:
        predicted: [N, K], a row a chunk.
        sessions: of which session each is: the mean of each session's mean, every
            session weighing the same. None for the mean over all chunks, where a long
            session weighs more.

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
    """Mean squared error over persons: of each trait, and `mean` over the traits.

    Raises:
        DataError: the two differ in persons or traits.
    """
    if predicted.names != truth.names:
        raise DataError(
            f"{predicted.source} has the traits {list(predicted.names)}, {truth.source} "
            f"has {list(truth.names)}: expected the same in the same order"
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
                f"{predicted.source} {what} {len(ids)} of the {len(other.values)} "
                f"participants of {other.source}: {some}{unknown}: predict each "
                "participant once"
            )
    errors = np.stack(
        [predicted.values[one] - truth.values[one] for one in truth.values]
    )
    means = np.square(errors).mean(0)
    return {**dict(zip(truth.names, map(float, means))), "mean": float(means.mean())}


def read_traits(path: str) -> Traits:
    """Traits from a CSV file of the challenge: Participant ID, then a column a trait.

    Raises:
        DataError: no such file, another header, a row that is no id and K finite
            numbers, a participant twice, or no row at all; it names the line.
    """
    path = os.fspath(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"traits {path} cannot be read: {error}") from None
    if not rows or len(rows[0]) < 2 or rows[0][0] != ID_COLUMN:
        raise DataError(
            f"traits {path} begins with {','.join(rows[0]) if rows else ''!r:.80}, "
            f"expected the line {','.join((ID_COLUMN, *CHALLENGE_TRAITS))}"
        )
    names, values = tuple(rows[0][1:]), {}
    if len(set(names)) < len(names):
        raise DataError(f"traits {path}, line 1: names a trait twice, leave one")
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        where = f"traits {path}, line {line}"
        if len(row) != 1 + len(names):
            raise DataError(
                f"{where}: has {len(row)} fields, expected {1 + len(names)}: an id and "
                f"a number for each of {', '.join(names)}"
            )
        numbers = [_number(text) for text in row[1:]]
        if None in numbers:
            place = numbers.index(None)
            raise DataError(
                f"{where}: {names[place]} of participant {row[0]} is "
                f"{row[1 + place]!r:.40}, expected a finite number"
            )
        if row[0] in values:
            raise DataError(
                f"{where}: participant {row[0]} is there a second time, leave one row"
            )
        values[row[0]] = np.array(numbers)
    if not values:
        raise DataError(f"traits {path} holds no participant, expected a row each")
    return Traits(path, names, values)


def write_traits(traits: Traits, path: str) -> None:
    """Write traits as the challenge takes them, whole or not at all, in order of ids."""
    with whole_file(path, "x") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((ID_COLUMN, *traits.names))
        for one in in_order(traits.values):
            writer.writerow((one, *map(repr, map(float, traits.values[one]))))


def in_order(ids: Iterable[str]) -> list[str]:
    """Ids by number where they are numbers, then the others by text."""

    def key(one: str):
        return (0, int(one), one) if one.isdecimal() else (1, 0, one)

    return sorted(ids, key=key)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
