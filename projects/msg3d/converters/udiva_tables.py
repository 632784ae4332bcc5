"""UDIVA's tables: who took part in which session, and everybody's traits."""

import csv
import io
import math
from pathlib import PurePosixPath
from typing import NamedTuple

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError
from ..io.archives import list_files

SPLITS = ("train", "val", "test")
_PARTS = {"FC1": "PART.1", "FC2": "PART.2"}


class Tables(NamedTuple):
    """What the release says beside the landmarks.

    Attributes:
        sessions: id -> (split, participant in FC1, participant in FC2).
        traits: participant -> the five traits, None where the release hides them.
        shared: participant -> the splits, where there are several.
        files: names of the tables within the release.
    """

    sessions: dict[str, tuple[str, str, str]]
    traits: dict[str, tuple[float, ...] | None]
    shared: dict[str, tuple[str, ...]]
    files: tuple[str, ...] = ()


def read_tables(raw: str) -> Tables:
    """Reads every sessions_SPLIT.csv and parts_SPLIT.csv, wherever it lies in `raw`.

    Args:
        raw: folder or zip of the release.

    Raises:
        DataError: none is there, one of the two is missing, a column is missing,
            a row is no row, or an id has two meanings.
    """
    listed = list_files(raw, ".csv")
    if listed is None:
        raise DataError(f"raw data {raw} are a tar archive: unpack it first")
    files = {PurePosixPath(one.name).name: one for one in listed[0]}
    splits = [
        one
        for one in SPLITS
        if {f"sessions_{one}.csv", f"parts_{one}.csv"} & files.keys()
    ]
    if not splits:
        raise DataError(
            f"raw data {raw} hold no sessions_train.csv and parts_train.csv: put the "
            "release's metadata_train, metadata_val and metadata_test there, unpacked"
        )
    sessions: dict[str, tuple[str, str, str]] = {}
    traits: dict[str, tuple[float, ...] | None] = {}
    where: dict[str, list[str]] = {}
    for split in splits:
        for line, row in _rows(raw, files, f"sessions_{split}.csv", _PARTS.values()):
            entry = (split, *(row[column] for column in _PARTS.values()))
            if sessions.setdefault(row["ID"], entry) != entry:
                raise DataError(
                    f"sessions_{split}.csv, line {line}: session {row['ID']:.80} is there "
                    "already with other participants, or in another split: leave one"
                )
        for line, row in _rows(raw, files, f"parts_{split}.csv", ()):
            person = row["ID"]
            numbers = _traits(row, f"parts_{split}.csv, line {line}")
            if traits.setdefault(person, numbers) != numbers:
                raise DataError(
                    f"parts_{split}.csv, line {line}: participant {person:.80} is there "
                    "already with other traits: leave one"
                )
            where.setdefault(person, []).append(split)
    shared = {
        person: tuple(dict.fromkeys(ones))
        for person, ones in where.items()
        if len(set(ones)) > 1
    }
    read = [f"{kind}_{split}.csv" for split in splits for kind in ("sessions", "parts")]
    return Tables(sessions, traits, shared, tuple(files[one].name for one in read))


def _rows(raw, files, name, columns):
    if name not in files:
        raise DataError(f"raw data {raw} hold no {name}: copy it from the release")
    try:
        text = files[name].read().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name} is no CSV file ({error}): copy it again") from None
    header = reader.fieldnames or []
    missing = [one for one in ("ID", *columns) if one not in header]
    if missing:
        raise DataError(
            f"{name} has the columns {str(header):.300}, expected {missing[0]} among them"
        )
    for line, row in rows:
        row = {key: value.strip() for key, value in row.items() if _is_text(key, value)}
        if not all(row.get(one) for one in ("ID", *columns)):
            raise DataError(
                f"{name}, line {line}: lacks {' or '.join(('ID', *columns))}"
            )
        yield line, row


def _is_text(key, value) -> bool:
    return isinstance(key, str) and isinstance(value, str)


def _traits(row: dict, where: str) -> tuple[float, ...] | None:
    """The five, or None where the release has none of them."""
    texts = [row.get(name, "") for name in CHALLENGE_TRAITS]
    if not any(texts):
        return None
    numbers = []
    for name, text in zip(CHALLENGE_TRAITS, texts):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DataError(
                f"{where}: {name} of participant {row['ID']:.80} is {text!r:.40}, expected "
                "a finite number"
            )
        numbers.append(number)
    return tuple(numbers)
