"""Read the classes and splits of users' files from folders or lists.

Class folders are `CLASS/.../FILE`, or `train/CLASS/.../FILE` next to `val/` and
optionally `test/`. A list is a CSV table in one of two forms:

    name,split                        file,label,split,height,width
    wave/a,train                      day1/a.json,wave,train,1080,1920

The first form is for files in class folders. The second form also specifies the class and,
in two optional columns, the size of the image in pixels. `split` is train, val, or test.
Names may include or omit the suffix of the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import DataError
from ..formats.table import Table, read_table
from ..io import StrPath

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class ClassFolders:
    """Meaning of the folders in the paths of users' files.

    Attributes:
        above: number of outer folders that contain all files, as in an archive.
        sided: whether the class folders are in train/, val/, and test/.
        classes: sorted names of the class folders; see `sorted_classes`.
    """

    above: int
    sided: bool
    classes: tuple[str, ...]

    def name(self, path: str) -> str:
        """Return the id of a file: its path without the outer folders and the suffix."""
        return self.stripped(str(PurePosixPath(path).with_suffix("")))

    def stripped(self, path: str) -> str:
        """Return a path without the outer folders."""
        return str(PurePosixPath(*_parts(path)[self.above :]))

    def label(self, path: str) -> int | None:
        """Return the number of the class; None for a file outside the class folders."""
        if is_hidden(path):
            return None
        parts = _parts(path)[self.above + self.sided :]
        return self.classes.index(parts[0]) if len(parts) > 1 else None

    def side(self, path: str) -> str | None:
        """Return train, val, or test; None without these folders."""
        return _parts(path)[self.above] if self.sided else None

    def is_deep(self, path: str) -> bool:
        """Return whether a file is in a subfolder of its class folder."""
        return len(_parts(path)) - self.above - self.sided > 2


def read_class_folders(
    raw: str, paths: list[str], classless: bool = False
) -> ClassFolders:
    """Determine which folders are classes and splits.

    Args:
        raw: path of the folder or zip, for errors.
        paths: paths of the files, relative to `raw`.
        classless: whether files have labels of their own, so that folders are splits only.

    Raises:
        DataError: train/ or val/ is next to other folders (kind `split`), or there are
            fewer than two classes (kind `label`).
    """
    folders = [_parts(path)[:-1] for path in paths if not is_hidden(path)]
    above = 0
    while len({parts[above] for parts in folders if len(parts) > above}) == 1 and all(
        len(parts) > above + 1 for parts in folders
    ):
        above += 1
    tops = {parts[above] for parts in folders if len(parts) > above}
    sides = tops.intersection(SIDES)
    if classless and "train" not in sides:
        return ClassFolders(above, False, ())
    if sides and (tops - sides or "train" not in sides or len(sides) < 2):
        raise DataError(
            f"found the folders {', '.join(sorted(tops))}, expected only class folders, or "
            "only train/ with val/ or test/. Move all class folders into train/, val/, or "
            "test/, or none of them.",
            kind="split",
            file=str(raw),
        )
    sided = bool(sides)
    if classless:
        return ClassFolders(above, sided, ())
    classes = {parts[above + sided] for parts in folders if len(parts) > above + sided}
    if len(classes) < 2:
        contents = f"the class folder {min(classes)}" if classes else "no class folders"
        raise DataError(
            f"found {contents}, expected at least two. Put the sequences of each class "
            "into a folder with the name of the class.",
            kind="label",
            file=str(raw),
        )
    return ClassFolders(above, sided, tuple(sorted_classes(classes)))


def sorted_classes(names: set[str]) -> list[str]:
    """Sort class names, numerically if all of them are numbers."""
    if all(name.isdecimal() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def is_hidden(path: str) -> bool:
    """Return whether a file is in a hidden folder, such as `.git`."""
    return any(part.startswith(".") for part in _parts(path)[:-1])


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts


def without_suffix(path: str) -> str:
    """Remove the suffix: `wave/a.json` -> `wave/a`."""
    return str(PurePosixPath(path).with_suffix(""))


class Entry(NamedTuple):
    """Label, split, and image size of a file.

    Label and image size are None if unknown. `line` is the line in the list, or 0 without
    a list.
    """

    label: str | None
    side: str
    img_shape: tuple[int, int] | None = None
    line: int = 0


def read_list(path: StrPath, suffixes: tuple[str, ...]) -> dict[str, Entry]:
    """Read a CSV list of splits, or of labels and splits.

    Args:
        path: CSV file in UTF-8.
        suffixes: suffixes of the listed files.

    Returns:
        name without suffix -> entry.

    Raises:
        DataError: the list cannot be read, lacks a column, or has an invalid line.
    """
    try:
        return _read(Path(path).read_bytes(), suffixes)
    except OSError as error:
        raise DataError(
            f"cannot read the list: {error.strerror}", kind="io", file=str(path)
        ) from error
    except DataError as error:
        raise error.at(file=str(path)) from None


def _read(content: bytes, suffixes: tuple[str, ...]) -> dict[str, Entry]:
    table = read_table(content, skip_blank=True)
    table.check_rows()
    if set(table.header) == {"name", "split"}:
        names = _column(table, "name")
        labels: Sequence[str | None] = [None] * len(table.rows)
    elif {"file", "label", "split"} <= set(table.header):
        names, labels = _column(table, "file"), _column(table, "label")
    else:
        raise DataError(
            f"the columns are {', '.join(table.header):.300}, expected name and split, or "
            "file, label, split, and optionally height and width",
            kind="columns",
            line=1,
        )
    shapes = _shapes(table)
    entries: dict[str, Entry] = {}
    for name, label, side, shape, line in zip(
        names, labels, _column(table, "split"), shapes, table.lines, strict=True
    ):
        if not name or label == "" or side not in SIDES:
            raise DataError(
                "each row needs a value in every column, and the split train, val, or "
                f"test; got name={name!r:.80}, label={label!r:.80}, split={side!r:.80}",
                kind="label" if side in SIDES else "split",
                line=line,
            )
        key = without_suffix(name) if name.endswith(suffixes) else name.rstrip("/")
        if key in entries:
            raise DataError(
                f"{name} is also in line {entries[key].line}, expected one line per file. "
                "Remove one of the lines.",
                kind="duplicate",
                line=line,
            )
        entries[key] = Entry(label, side, shape, line)
    if not entries:
        raise DataError("the list is empty, expected one line per file", kind="empty")
    return entries


def _column(table: Table, name: str) -> list[str]:
    column = table.header.index(name)
    return [row[column].strip() for row in table.rows]


def _shapes(table: Table) -> list[tuple[int, int] | None]:
    if not {"height", "width"} <= set(table.header):
        return [None] * len(table.rows)
    shapes: list[tuple[int, int] | None] = []
    for *size, line in zip(
        _column(table, "height"), _column(table, "width"), table.lines, strict=True
    ):
        if not all(side.isdecimal() and 0 < len(side) < 10 for side in size):
            raise DataError(
                f"height is {size[0]!r:.40} and width is {size[1]!r:.40}, expected pixels "
                "in every row. Fill in all sizes, or remove the two columns.",
                kind="img-shape",
                line=line,
            )
        shapes.append((int(size[0]), int(size[1])))
    return shapes


def check_complete(entries: dict[str, Entry], names: set[str], path: str) -> None:
    """Check that a list contains exactly the sequences of a folder, in two splits.

    Raises:
        DataError: a listed name does not exist, a sequence is not in the list, or all
            sequences are in one split.
    """
    for name, entry in entries.items():
        if name not in names:
            raise DataError(
                f"{name!r:.200} does not exist, expected an existing name such as "
                f"{min(names)!r}",
                kind="unknown-name",
                file=path,
                line=entry.line,
            )
    missing = names - set(entries)
    if missing:
        raise DataError(
            f"the list lacks {len(missing)} of {len(names)} sequences, such as "
            f"{min(missing)!r}. Add a line for each of them.",
            kind="samples-differ",
            file=path,
        )
    sides = sorted({entry.side for entry in entries.values()})
    if "train" not in sides or len(sides) < 2:
        raise DataError(
            f"the list only has the splits {', '.join(sides)}, expected train with val or "
            "test",
            kind="split",
            file=path,
        )


def find_group(name: str, group: str) -> str:
    """Extract the recorded person or group from a path with a regular expression.

    Args:
        name: path of a recording.
        group: regular expression.

    Returns:
        The first capturing group if it matches, otherwise the whole match.

    Raises:
        DataError: the regular expression is invalid or does not match.
    """
    try:
        match = re.search(group, name)
    except re.error as error:
        raise DataError(
            f"group (--group) {group!r} is not a regular expression ({error})",
            kind="option",
        ) from None
    if match is None:
        raise DataError(
            f"group (--group) {group!r} does not match {name!r}. Pass a regular "
            "expression that matches the recorded person in every path.",
            kind="option",
            sample=name,
        )
    return match[1] if match.re.groups and match[1] is not None else match[0]


def check_groups(entries: dict[str, Entry], groups: dict[str, str]) -> None:
    """Check that the recordings of each group are in one split.

    Raises:
        DataError: a group is in several splits (kind `split`).
    """
    sides: dict[str, set[str]] = {}
    for name, entry in entries.items():
        sides.setdefault(groups[name], set()).add(entry.side)
    shared = sorted(group for group, splits in sides.items() if len(splits) > 1)
    if shared:
        raise DataError(
            f"group {shared[0]!r} is in {' and '.join(sorted(sides[shared[0]]))}, expected "
            f"one split per group (groups in several splits: {len(shared)} of "
            f"{len(sides)}). Move the recordings of each group to one split, or omit "
            "--group.",
            kind="split",
        )
