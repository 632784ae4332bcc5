"""Common interface for file formats, and format detection.

Every module of this package that defines `FORMAT` is a format. To add a format, add a
module:

    FORMAT = Format(
        name="mine",
        title="Poses of my estimator",
        keeps="joints and scores",
        suffixes=(".json",),
        detect=lambda source: isinstance(source.json, dict) and "mine" in source.json,
        read=read,
    )

Here `read(source, options)` returns sequences. A sequence is a dictionary with

- `frame_dir`: id of the sequence, the path of the file without the suffix;
- `keypoint`: float32 [M, T, V, C], zero for absent joints;
- `keypoint_score`: float32 [M, T, V], for 2D;
- if known from the file: `layout`, `unit`, `img_shape` (height, width), `label`, `fps`
  (frames per second) or `times` (seconds of each frame, [T]),
  `y_down` (True if the y axis points down in 3D), and `notes` (mapping from the
  description of a change to its count).

For a file with a single frame of a video, `read` returns a *frame record* instead (see
`frames.py`). The frame records of a folder are joined into a sequence.

`detect` must return True only for the files of its own format. If no other format has
the suffix, `detect` should return True also for corrupt files, so that `read` reports
the error.
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

from ..annotations.markers import without_markers
from ..errors import ConfigError, DataError
from ..io.json_data import parse_json_string, read_json
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

# Suffixes that unrelated files, such as notes, often have.
COMMON_SUFFIXES = (".txt",)
MAX_LINE = 1 << 20
# Files that no reader supports, and what to do.
ELSEWHERE = {
    ".bvh": "Export positions as CSV, for example with the package bvh-converter",
    ".c3d": "Read it with the package ezc3d, and save [T, V, 3] as .npy",
    ".fbx": "Export CSV or JSON from Blender",
    ".h5": "Export CSV from DeepLabCut or SLEAP, or save [M, T, V, C] as .npy with h5py",
    ".mat": "Read it with scipy.io.loadmat, and save [M, T, V, C] as .npy",
    ".pt": "Load it with torch.load(..., weights_only=True), and save an array as .npy",
    ".tfrecord": "Read it with TensorFlow, and save [M, T, V, C] as .npy",
    ".trc": "Read it with pandas.read_csv, and save [T, V, 3] as .npy",
}


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading files, mostly properties that files do not specify.

    Attributes:
        layout: skeleton layout, for files that do not specify it.
        unit: one of `skeletons.units.UNITS`. None for meters (3D) or pixels (2D).
        img_shape: (height, width) of the images, for files that do not specify it.
        dimensions: 2 or 3, for files that contain both or are ambiguous. By default,
            the dimensions are detected.
        split: split to read from annotation files and stores. None for all samples.
        max_persons: maximum number of persons per sequence.
        pose: pose estimator for videos.
        formats: names of the allowed formats. By default, all formats are allowed. A
            single format is used without detection.
        labels: path of the labels of a data set, for formats with a separate file.
        missing_marker: which joints are absent besides those at zero; see
            `annotations.markers.without_markers`.
        fps: frames per second, for files that do not specify it.
    """

    layout: Layout | None = None
    unit: str | None = None
    img_shape: tuple[int, int] | None = None
    dimensions: int | None = None
    split: str | None = None
    max_persons: int = 5
    pose: Pose | None = None
    formats: tuple[str, ...] = ()
    labels: str | None = None
    missing_marker: str = "auto"
    fps: float | None = None


class Source:
    """Lazily loaded file, folder, or archive member.

    Args:
        name: path for ids and messages, relative to the data set.
        content: content of the file. None to read it from `path`.
        path: path on disk. By default, `name` if `content` is None. Archive members have
            no path.
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
        assert self.path is not None  # without a path, `__init__` sets the content
        return Path(self.path).read_bytes()

    @cached_property
    def first_line(self) -> bytes:
        """First line of the file, which is not read completely."""
        if "content" in self.__dict__ or self.path is None:
            return self.content[: self.content.find(b"\n") + 1 or None]
        with Path(self.path).open("rb") as file:
            return file.readline(MAX_LINE)

    @cached_property
    def json(self) -> Any:
        """Parsed JSON content, or None if the content is not valid JSON."""
        try:
            return read_json(self.content)
        except DataError:
            return None

    @cached_property
    def first_item(self) -> Any:
        """First item of the JSON content that is neither a list nor empty, or None.

        Nested lists are searched, and JSON in strings is parsed.
        """
        stack = [self.json]
        while stack:
            item = stack.pop()
            if isinstance(item, str) and item[:1] in ("[", "{"):
                try:
                    item = parse_json_string(item, "text")
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
        """Name without the suffix, used as the id of the sequence."""
        return str(PurePosixPath(self.name).with_suffix(""))

    @property
    def is_folder(self) -> bool:
        # Path("") is the current folder, but isdir("") is False.
        return self.path is not None and os.path.isdir(self.path)  # noqa: PTH112

    @contextmanager
    def on_disk(self) -> Iterator[str]:
        """Yield the path of the file, or of a temporary copy of an archive member."""
        if self.path is not None:
            yield self.path
            return
        # Windows cannot open a NamedTemporaryFile a second time.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"member{self.suffix}")
            file.write_bytes(self.content)
            yield str(file)


@dataclass(frozen=True)
class Format:
    """File format with functions to detect and read it.

    Attributes:
        name: short, unique name, for options.
        title: title for help and docs.
        keeps: what is read from the files, for the docs.
        suffixes: file suffixes in lower case. Empty for folders.
        detect: callable that returns whether a source with one of the suffixes has this
            format.
        read: callable that returns the sequences of a source, or its frame record in a
            list. It raises DataError or SkipFile.
        needs: names of the required `ReadOptions`, which the files do not specify and
            which have no default.
        frames: whether each file is one frame of a video.
        data_set: callable that opens a labeled data set; see `data_set.py`. None for
            formats of single sequences.
        write: callable that writes a data set to a path, and returns what the format
            cannot store as description -> count. Other arguments are the names of the
            splits for training and testing.
    """

    name: str
    title: str
    keeps: str
    suffixes: tuple[str, ...]
    detect: Callable[[Source], bool]
    read: Callable[[Source, ReadOptions], list[Sample]]
    needs: tuple[str, ...] = ()
    frames: bool = False
    data_set: Callable[[Source, ReadOptions], Any] | None = None
    write: Callable[..., dict[str, int]] | None = None


@cache
def all_formats() -> dict[str, Format]:
    """Return all formats, keyed and sorted by name."""
    package = __package__
    modules = (
        import_module(f"{package}.{module.name}")
        for module in iter_modules(import_module(package).__path__)
    )
    formats = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {fmt.name: fmt for fmt in sorted(formats, key=lambda fmt: fmt.name)}


def chosen_formats(options: ReadOptions) -> list[Format]:
    """Return the formats in `options.formats`, or all formats if it is empty.

    Raises:
        ConfigError: a name is unknown (kind `unknown-name`).
    """
    formats = all_formats()
    for name in options.formats:
        if name not in formats:
            raise ConfigError(
                f"unknown format {name!r}, expected one of {', '.join(formats)}",
                kind="unknown-name",
            )
    names = options.formats or tuple(formats)
    return [fmt for fmt in formats.values() if fmt.name in names]


def detect_format(source: Source, options: ReadOptions = ReadOptions()) -> Format:
    """Detect the format of a file from its suffix and content.

    Some files are ambiguous. For example, a table of 33 numbered joints can be a
    MediaPipe table or a generic table. If several formats match and `options` specify a
    layout or a unit, a format that requires a layout is preferred. Otherwise, a format
    that does not require a layout is preferred.

    Raises:
        DataError: no format matches the file (kind `unknown-format`), or a .json file
            is not JSON (kind `syntax`).
        ConfigError: see `chosen_formats`.
    """
    formats = chosen_formats(options)
    if len(formats) == 1:
        return formats[0]
    suffix = "" if source.is_folder else source.suffix
    candidates = [fmt for fmt in formats if suffix in (fmt.suffixes or ("",))]
    matches = [fmt for fmt in candidates if fmt.detect(source)]
    if matches:
        specified = options.layout is not None or options.unit is not None
        return max(matches, key=lambda fmt: ("layout" in fmt.needs) == specified)
    if suffix == ".json":
        read_json(source.content)
    suffixes = ", ".join(sorted({suffix for fmt in formats for suffix in fmt.suffixes}))
    titles = ", ".join(fmt.title for fmt in candidates if suffix)
    fix = f". {ELSEWHERE[suffix]}." if suffix in ELSEWHERE else ""
    raise DataError(
        f"the file has an unknown format, expected {titles or f'one of {suffixes}'}{fix}",
        kind="unknown-format",
        file=source.name,
    )


def read(source: Source, options: ReadOptions = ReadOptions()) -> list[Sample]:
    """Read the sequences, or the frame record, of a file in any known format.

    Returns:
        Sequences, or a single frame record, as described in the module docstring.

    Raises:
        DataError: the file cannot be read. The error contains the file and line.
        SkipFile: the file contains no person.
    """
    try:
        fmt = detect_format(source, options)
        if source.suffix == ".json" and source.json is None:
            read_json(source.content)  # raises, unless the JSON is `null`
        samples = fmt.read(source, options)
        return [_without_markers(sample, options.missing_marker) for sample in samples]
    except DataError as error:
        raise error.at(file=source.name) from error.__cause__


def _without_markers(sample: Sample, marker: str) -> Sample:
    """Set joints with a marker of missing joints to zero, in a sequence or a frame."""
    single = "poses" in sample
    if single:
        fields = {"keypoint": sample["poses"][:, None]}
        if sample.get("scores") is not None:
            fields["keypoint_score"] = sample["scores"][:, None]
    else:
        fields = sample
    if (
        not isinstance(fields.get("keypoint"), np.ndarray)
        or fields["keypoint"].ndim != 4
    ):
        return sample  # reported later
    changed, notes = without_markers(fields, marker)
    if not notes:
        return sample
    if single:
        scores = changed.get("keypoint_score")
        poses = {"poses": changed["keypoint"][:, 0]}
        return {**sample, **poses, "scores": None if scores is None else scores[:, 0]}
    return {**changed, "notes": {**sample.get("notes", {}), **notes}}


def format_help() -> str:
    """Return a table of the formats and their suffixes for `--help`."""
    rows = [
        (fmt.name, " ".join(fmt.suffixes) or "folder", fmt.title)
        for fmt in all_formats().values()
    ]
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"  {row[0]:{width}}  {row[2]} ({row[1]})" for row in rows)
