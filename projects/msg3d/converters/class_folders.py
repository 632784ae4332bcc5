"""A folder with a sub-folder for each class: what each file in it is.

`CLASS/.../FILE`, or `train/CLASS/.../FILE` beside `val/` and where wanted `test/`.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from ..errors import DataError

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class ClassFolders:
    """How the paths within the folder are to be read.

    Attributes:
        above: how many folders wrap everything, as in an archive.
        sided: whether train/, val/ and test/ stand above the classes.
        classes: names of the class folders, sorted; as numbers if all are.
    """

    above: int
    sided: bool
    classes: tuple[str, ...]

    def name(self, path: str) -> str:
        """The id of a file: its path without wrapping folders and suffix."""
        return str(PurePosixPath(*_parts(path)[self.above :]).with_suffix(""))

    def label(self, path: str) -> int | None:
        """The number of its class; None for a file that lies in no class folder."""
        if is_hidden(path):
            return None
        parts = _parts(path)[self.above + self.sided :]
        return self.classes.index(parts[0]) if len(parts) > 1 else None

    def side(self, path: str) -> str:
        """train, val or test, where `sided`."""
        return _parts(path)[self.above]


def read_class_folders(raw: str, paths: list[str]) -> ClassFolders:
    """What the folders mean.

    Args:
        raw: the folder, for messages.
        paths: of its files, within it.

    Raises:
        DataError: train/ or val/ beside other folders or without the other, or
            fewer than two classes.
    """
    folders = [_parts(path)[:-1] for path in paths if not is_hidden(path)]
    above = 0
    while len({parts[above] for parts in folders if len(parts) > above}) == 1 and all(
        len(parts) > above + 1 for parts in folders
    ):
        above += 1
    tops = {parts[above] for parts in folders if len(parts) > above}
    sides = tops.intersection(SIDES)
    if sides and (tops - sides or "train" not in sides or len(sides) < 2):
        raise DataError(
            f"raw data {raw} have the folders {sorted(tops)}: expected class folders "
            "only, or train/ with val/ or test/ only, and the classes in these"
        )
    sided = bool(sides)
    classes = {parts[above + sided] for parts in folders if len(parts) > above + sided}
    if len(classes) < 2:
        raise DataError(
            f"raw data {raw} have the class folders {sorted(classes)}: expected at "
            "least two, each with the sequences of one class"
        )
    numbered = all(name.isdecimal() for name in classes)
    return ClassFolders(
        above, sided, tuple(sorted(classes, key=int if numbered else None))
    )


def is_hidden(path: str) -> bool:
    """Whether it lies in a folder that a program keeps for itself, as `.git`."""
    return any(part.startswith(".") for part in _parts(path)[:-1])


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts
