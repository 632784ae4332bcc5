"""File formats: their interface, and the detection of the format of a file.

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
  `label`, `y_down` (3D whose y axis points down), and `notes` (what was changed -> how
  often).

A file that holds a single frame of a video gives a *frame record* instead (see
`frames.py`), which is joined with those of the other files of its folder.

`detect` recognizes the content of a file with one of the suffixes; it must not recognize
the files of another format. A damaged file is recognized by its suffix where the
suffix belongs to one format only, and is then refused by `read`.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath
from pkgutil import iter_modules
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from ..io.json_data import json_of_text, read_json
from ..skeletons.lookup import Layout

__all__ = [
    "COMMON_SUFFIXES",
    "Format",
    "ReadOptions",
    "Sample",
    "Source",
    "all_formats",
    "chosen_formats",
    "detect_format",
    "format_help",
    "read",
]

# A sequence or a frame record.
Sample = dict[str, Any]
# A pose estimator: image [H, W, 3] -> keypoints [P, V, 2] and scores [P, V].
Pose = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

# Many files with these endings are something else, such as notes.
COMMON_SUFFIXES = (".txt",)


@dataclass(frozen=True)
class ReadOptions:
    """Properties that files may not tell about themselves.

    Attributes:
        layout: layout of keypoints whose file does not name one.
        unit: one of `skeletons.units.UNITS`; None for meters or pixels.
        img_shape: (height, width) of images whose file does not give it.
        dimensions: 2 or 3, where a file holds both or could be read as either; None
            for what the file holds.
        split: split of annotation files and stores to read; None for all samples.
        max_persons: maximum number of persons per sequence.
        pose: pose estimator for videos.
        formats: names of the formats that a file may have; empty for all. If there is
            only one, nothing is detected.
    """

    layout: Layout | None = None
    unit: str | None = None
    img_shape: tuple[int, int] | None = None
    dimensions: int | None = None
    split: str | None = None
    max_persons: int = 5
    pose: Pose | None = None
    formats: tuple[str, ...] = ()


class Source:
    """A file, folder, or archive member, loaded when its content is needed.

    Args:
        name: path for ids and messages, relative to the data set.
        content: the bytes; None to read them from `path`.
        path: where it is on disk; None for `name`, or for the member of an archive.
    """

    def __init__(
        self, name: str, content: bytes | None = None, path: str | None = None
    ) -> None:
        self.name = name.replace(os.sep, "/")
        self.path = name if path is None and content is None else path
        if content is not None:
            self.content = content

    @cached_property
    def content(self) -> bytes:
        assert self.path is not None  # otherwise, `__init__` has set the content
        return Path(self.path).read_bytes()

    @cached_property
    def json(self) -> Any:
        """The parsed JSON; None if the content is not JSON."""
        try:
            return read_json(self.content)
        except DataError:
            return None

    @cached_property
    def first_item(self) -> Any:
        """The first item in nested lists of the JSON that is neither a list nor empty.

        JSON texts within the JSON are parsed. None if there is no such item.
        """
        stack = [self.json]
        while stack:
            item = stack.pop()
            if isinstance(item, str) and item[:1] in ("[", "{"):
                try:
                    item = json_of_text(item, "text")
                except DataError:
                    return item
            if isinstance(item, list):
                stack.extend(reversed(item))
            elif item is not None and item != {}:
                return item
        return None

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @property
    def id(self) -> str:
        """The name without the suffix."""
        return str(PurePosixPath(self.name).with_suffix(""))

    @property
    def is_folder(self) -> bool:
        # For a `Path`, an empty text is the current folder.
        return self.path is not None and os.path.isdir(self.path)  # noqa: PTH112

    @contextmanager
    def on_disk(self) -> Iterator[str]:
        """The path of the file, or of a temporary copy of an archive member."""
        if self.path is not None:
            yield self.path
            return
        # Windows does not open a NamedTemporaryFile a second time.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"member{self.suffix}")
            file.write_bytes(self.content)
            yield str(file)


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: short and unique, for options.
        title: noun phrase for help and docs.
        suffixes: lower-case endings that its files may have; empty for folders.
        detect: whether a source with one of the suffixes is of this format.
        read: source and options -> sequences; raises DataError or SkipFile.
        needs: names of the `ReadOptions` that its files leave open, and that have no
            default.
        frames: whether each file is one frame of a video.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    detect: Callable[[Source], bool]
    read: Callable[[Source, ReadOptions], list[Sample]]
    needs: tuple[str, ...] = ()
    frames: bool = False


@cache
def all_formats() -> dict[str, Format]:
    """The formats by name, in alphabetical order."""
    package = __package__
    modules = (
        import_module(f"{package}.{module.name}")
        for module in iter_modules(import_module(package).__path__)
    )
    formats = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.name: each for each in sorted(formats, key=lambda each: each.name)}


def chosen_formats(options: ReadOptions) -> list[Format]:
    """Return the formats that `options.formats` names, or all.

    Raises:
        ConfigError: a name is unknown (`unknown-name`).
    """
    formats = all_formats()
    for name in options.formats:
        if name not in formats:
            raise ConfigError(
                f"format is {name!r}, expected one of {list(formats)}",
                kind="unknown-name",
            )
    names = options.formats or tuple(formats)
    return [each for each in formats.values() if each.name in names]


def detect_format(source: Source, options: ReadOptions = ReadOptions()) -> Format:
    """Return the format of a file, from its suffix and content.

    A table of 33 numbered joints may be MediaPipe's, or a generic one of that layout.
    If several formats recognize a file, one that leaves the layout open is taken if
    `options` give a layout or a unit, and one that does not otherwise.

    Raises:
        DataError: no format recognizes the file (`unknown-format`), or it is not JSON
            (`syntax`).
        ConfigError: see `chosen_formats`.
    """
    formats = chosen_formats(options)
    if len(formats) == 1:
        return formats[0]
    suffix = "" if source.is_folder else source.suffix
    candidates = [each for each in formats if suffix in (each.suffixes or ("",))]
    recognized = [each for each in candidates if each.detect(source)]
    if recognized:
        told = options.layout is not None or options.unit is not None
        return max(recognized, key=lambda each: ("layout" in each.needs) == told)
    if suffix == ".json":
        read_json(source.content)
    suffixes = sorted({suffix for each in formats for suffix in each.suffixes})
    titles = ", ".join(each.title for each in candidates if suffix)
    raise DataError(
        f"unknown format, expected {titles or f'a file in {suffixes}'}",
        kind="unknown-format",
        file=source.name,
    )


def read(source: Source, options: ReadOptions = ReadOptions()) -> list[Sample]:
    """Read the sequences of a file in any known format, or its frame record.

    Raises:
        DataError: the file cannot be read; the error gives file and line.
        SkipFile: the file contains no person.
    """
    try:
        form = detect_format(source, options)
        if source.suffix == ".json" and source.json is None:
            read_json(source.content)  # raises, unless the JSON is `null`
        return form.read(source, options)
    except DataError as error:
        raise error.at(file=source.name) from error.__cause__


def format_help() -> str:
    """The formats and their suffixes, one per line, for `--help`."""
    rows = [
        (each.name, " ".join(each.suffixes) or "folder", each.title)
        for each in all_formats().values()
    ]
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"  {row[0]:{width}}  {row[2]} ({row[1]})" for row in rows)
