"""Reader for UDIVA's tables of sessions and participants."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError
from ..io import StrPath
from ..io.archives import RawFile, list_files

SPLITS = ("train", "val", "test")
_PARTS = ("PART.1", "PART.2")  # the participants in FC1 and FC2


class Tables(NamedTuple):
    """Content of all tables in the UDIVA release.

    Attributes:
        sessions: session id -> (split, participant in FC1, participant in FC2).
        traits: participant -> the five traits; None if they are hidden in the release.
        shared: participant -> splits, for participants in several splits.
        files: names of the tables in the release.
    """

    sessions: dict[str, tuple[str, str, str]]
    traits: dict[str, tuple[float, ...] | None]
    shared: dict[str, tuple[str, ...]]
    files: tuple[str, ...] = ()


def read_tables(raw: StrPath) -> Tables:
    """Read all sessions_SPLIT.csv and parts_SPLIT.csv in `raw` and its subfolders.

    Args:
        raw: folder or zip of the release.

    Raises:
        DataError: a table, column, or cell is missing, or two rows with the same id
            contradict each other.
    """
    listed = list_files(raw, ".csv")
    if listed is None:
        raise DataError(
            "this is a tar archive, expected a folder or a zip. Unpack the archive.",
            kind="wrong-file-type",
            file=str(raw),
        )
    files = {PurePosixPath(file.name).name: file for file in listed[0]}
    splits = [
        split
        for split in SPLITS
        if {f"sessions_{split}.csv", f"parts_{split}.csv"} & files.keys()
    ]
    if not splits:
        raise DataError(
            "found no tables such as sessions_train.csv and parts_train.csv. Copy the "
            "unpacked metadata_train, metadata_val, and metadata_test of the release to "
            "this folder.",
            kind="not-found",
            file=str(raw),
        )
    sessions: dict[str, tuple[str, str, str]] = {}
    traits: dict[str, tuple[float, ...] | None] = {}
    person_splits: dict[str, list[str]] = {}
    for split in splits:
        name = f"sessions_{split}.csv"
        for line, row in _rows(raw, files, name, _PARTS):
            first, second = (row[part] for part in _PARTS)
            entry = split, first, second
            if sessions.setdefault(row["ID"], entry) != entry:
                raise DataError(
                    f"session {row['ID']:.80} has another row with other participants or "
                    "in another split. Remove one of the rows.",
                    kind="duplicate",
                    file=name,
                    line=line,
                )
        name = f"parts_{split}.csv"
        for line, row in _rows(raw, files, name, ()):
            person = row["ID"]
            try:
                numbers = _traits(row)
            except DataError as error:
                raise error.at(file=name, line=line) from None
            if traits.setdefault(person, numbers) != numbers:
                raise DataError(
                    f"participant {person:.80} has another row with other traits. Remove "
                    "one of the rows.",
                    kind="duplicate",
                    file=name,
                    line=line,
                )
            person_splits.setdefault(person, []).append(split)
    shared = {
        person: tuple(dict.fromkeys(sides))
        for person, sides in person_splits.items()
        if len(set(sides)) > 1
    }
    read = [f"{kind}_{split}.csv" for split in splits for kind in ("sessions", "parts")]
    return Tables(sessions, traits, shared, tuple(files[name].name for name in read))


def _rows(
    raw: StrPath, files: dict[str, RawFile], name: str, columns: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    if name not in files:
        raise DataError(
            f"{name} is missing. Copy it from the release.",
            kind="not-found",
            file=str(raw),
        )
    try:
        text = files[name].read().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"the file is not a CSV file in UTF-8 ({error}). Copy it again.",
            kind="encoding" if isinstance(error, UnicodeDecodeError) else "syntax",
            file=name,
        ) from None
    header = reader.fieldnames or []
    missing = [column for column in ("ID", *columns) if column not in header]
    if missing:
        raise DataError(
            f"the column {missing[0]!r} is missing, got {', '.join(header) or 'none':.300}",
            kind="columns",
            file=name,
        )
    for line, row in rows:
        row = {key: value.strip() for key, value in row.items() if _is_text(key, value)}
        if not all(row.get(column) for column in ("ID", *columns)):
            raise DataError(
                f"a value is missing, expected values for {', '.join(('ID', *columns))}",
                kind="row",
                file=name,
                line=line,
            )
        yield line, row


def _is_text(key: object, value: object) -> bool:
    return isinstance(key, str) and isinstance(value, str)


def _traits(row: dict[str, str]) -> tuple[float, ...] | None:
    """Return the five traits, or None if all of them are missing."""
    texts = [row.get(name, "") for name in CHALLENGE_TRAITS]
    if not any(texts):
        return None
    numbers = []
    for name, text in zip(CHALLENGE_TRAITS, texts, strict=True):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DataError(
                f"{name!r} of participant {row['ID']:.80} is {text!r:.40}, expected a "
                "finite number",
                kind="target",
                field=name,
            )
        numbers.append(number)
    return tuple(numbers)
