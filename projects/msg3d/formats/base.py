"""What a file format is, and how the format of a file is detected.

Every module of this package that defines `FORMAT` is a format. To add one, add a module:

    FORMAT = Format(
        name="mine",
        title="Poses of my estimator",
        suffixes=(".json",),
        detect=lambda source: isinstance(source.json, dict) and "mine" in source.json,
        read=read,
    )

where `read(source, options)` returns sequences. A sequence is a dictionary with

- `frame_dir`: its id, the path of the file without the suffix,
- `keypoint`: float32 [M, T, V, C], zero where a joint is absent,
- `keypoint_score`: float32 [M, T, V], for 2D,
- and, where the file tells them, `layout`, `unit`, `img_shape` (height, width),
  `label`, and `notes` (what was changed -> how often).

A file that holds a single frame of a video gives a *frame record* instead (see
`frames.py`), which is joined with those of the other files of its folder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath
from pkgutil import iter_modules
from typing import Any

import numpy as np

from ..errors import DataError
from ..io.json_data import read_json

__all__ = ["Format", "ReadOptions", "Source", "all_formats", "detect_format", "read"]

Layout = str | dict
# A pose estimator: image [H, W, 3] -> keypoints [P, V, 2] and scores [P, V].
Pose = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ReadOptions:
    """What files do not say about themselves.

    Attributes:
        layout: layout of keypoints whose file does not name one.
        unit: one of `skeletons.units.UNITS`; None for meters or pixels.
        img_shape: (height, width) of images whose file does not give it.
        dimensions: 2 or 3, where a file holds both or could be read as either; None
            for what the file holds.
        split: split of annotation files and stores to read; None for all samples.
        max_persons: maximum number of persons per sequence.
        pose: pose estimator for videos.
    """

    layout: Layout | None = None
    unit: str | None = None
    img_shape: tuple[int, int] | None = None
    dimensions: int | None = None
    split: str | None = None
    max_persons: int = 5
    pose: Pose | None = None


class Source:
    """A file, folder, or archive member, loaded when its content is needed.

    Args:
        name: path for ids and messages, relative to the data set.
        content: the bytes; None to read them from `path`.
        path: where it is on disk; None for the member of an archive.
    """

    def __init__(
        self, name: str, content: bytes | None = None, path: str | None = None
    ) -> None:
        self.name, self.path = name, path
        if content is not None:
            self.content = content

    @cached_property
    def content(self) -> bytes:
        return Path(self.path or self.name).read_bytes()

    @cached_property
    def json(self) -> Any:
        """The parsed JSON; None if the content is not JSON."""
        try:
            return read_json(self.content)
        except DataError:
            return None

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @property
    def id(self) -> str:
        """The name without the suffix."""
        return str(PurePosixPath(self.name).with_suffix(""))


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: short and unique, for options.
        title: noun phrase for help and docs.
        suffixes: lower-case endings that its files may have; empty for folders.
        detect: whether a source with one of the suffixes is of this format.
        read: source and options -> sequences; raises DataError or SkipFile.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    detect: Callable[[Source], bool]
    read: Callable[[Source, ReadOptions], list[dict]]


@cache
def all_formats() -> dict[str, Format]:
    """The formats by name, in alphabetical order."""
    package = __package__
    modules = (
        import_module(f"{package}.{module.name}")
        for module in iter_modules(import_module(package).__path__)
    )
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def detect_format(source: Source) -> Format:
    """Return the format of a file, from its suffix and content.

    Raises:
        DataError: no format recognizes the file (`unknown-format`).
    """
    candidates = [
        each for each in all_formats().values() if source.suffix in each.suffixes
    ]
    for each in candidates:
        if each.detect(source):
            return each
    suffixes = sorted(
        {suffix for each in all_formats().values() for suffix in each.suffixes}
    )
    titles = ", ".join(each.title for each in candidates)
    expected = titles or f"a file that ends in {', '.join(suffixes)}"
    raise DataError(
        f"unknown format, expected {expected}", kind="unknown-format", file=source.name
    )


def read(source: Source, options: ReadOptions = ReadOptions()) -> list[dict]:
    """Read the sequences of a file in any known format.

    Raises:
        DataError: the file cannot be read; the error gives file and line.
        SkipFile: the file contains no person.
    """
    try:
        return detect_format(source).read(source, options)
    except DataError as error:
        raise error.at(file=source.name) from error.__cause__
