"""List and read input files for prediction.

The converters share the same readers (`formats/`), so every format that is supported for
training is supported for prediction.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..annotations import Sample
from ..annotations.inspection.measures import measure
from ..errors import ConfigError, DataError, MSG3DError, SkipFile
from ..formats.annotation_file import FORMAT as ANNOTATION_FILE
from ..formats.base import (
    COMMON_SUFFIXES,
    ReadOptions,
    Source,
    all_formats,
    detect_format,
    read,
)
from ..formats.csv_table import FORMAT as CSV
from ..formats.frames import join_frames
from ..formats.keypoint_json import FORMAT as KEYPOINT_JSON
from ..formats.npy import FORMAT as NPY
from ..formats.store import FORMAT as STORE
from ..skeletons import skeleton
from ..skeletons.body_size import LONGEST, SHORTEST, fits, is_hand, likely_unit
from ..skeletons.lookup import Layout
from .keypoint_input import Expected

# Formats whose sequences have ids, and possibly a layout.
WITH_IDS = (ANNOTATION_FILE.name, STORE.name)
# Formats that do not specify the unit, or only optionally.
WITHOUT_UNIT = (CSV.name, KEYPOINT_JSON.name, NPY.name)


def list_inputs(paths: Sequence[str], exclude: str) -> tuple[list[str], str]:
    """List the sources in several files and folders.

    Args:
        paths: files and folders, see `list_sources`.
        exclude: a folder that is not searched.

    Returns:
        The sources, and the common folder that their names are relative to.

    Raises:
        DataError: see `list_sources`.
        ConfigError: the paths are on different drives (`wrong-path`).
    """
    sources: list[str] = []
    folders: list[Path] = []
    for path in paths:
        path_sources = list_sources(path, exclude)
        sources += path_sources
        location = absolute(path)
        # A file, a folder of frames, or a store is a single source with its own name.
        is_source = list(map(absolute, path_sources)) == [location]
        folders.append(location.parent if is_source else location)
    try:
        root = os.path.commonpath(folders)
    except ValueError as error:
        raise ConfigError(
            "the inputs are on different drives. Process each drive separately",
            kind="wrong-path",
        ) from error
    return list(dict.fromkeys(sources)), root


def source_names(sources: Sequence[str], root: str) -> dict[str, str]:
    """Return a dictionary from names of sources to their paths.

    A name is the path relative to `root`, with `/` on all systems.
    """
    return {Path(os.path.relpath(path, root)).as_posix(): path for path in sources}


def absolute(path: str) -> Path:
    """Return the absolute path without `..`; symbolic links are not resolved."""
    return Path(os.path.normpath(Path(path).absolute()))


def path_in(folder: str, name: str) -> str:
    """Return the path of a file in a folder, with the folder spelled as passed."""
    return os.path.join(folder, name)  # noqa: PTH118  (Path removes a leading ./)


def list_sources(path: str, exclude: str) -> list[str]:
    """List the supported files below a folder in sorted order, or return the file itself.

    Args:
        path: file or folder. A packed store is one source, and so is a folder of JSON
            files with one frame each.
        exclude: a folder that is not searched.

    Raises:
        DataError: the path does not exist, or contains no supported file.
    """
    # Unlike the methods of Path, these functions accept any text.
    if os.path.isfile(path) or _is_source(path):  # noqa: PTH113
        return [path]
    if not os.path.isdir(path):  # noqa: PTH112
        raise DataError(
            "does not exist. Pass a file or a folder", kind="not-found", file=path
        )
    formats = all_formats().values()
    suffixes = {suffix for file_format in formats for suffix in file_format.suffixes}
    sources: list[str] = []
    for folder, folders, files in os.walk(path, followlinks=True):
        subfolders = {name: path_in(folder, name) for name in sorted(folders)}
        stores = [
            subfolder for subfolder in subfolders.values() if _is_source(subfolder)
        ]
        sources += stores
        folders[:] = [
            name
            for name, subfolder in subfolders.items()
            if os.path.realpath(subfolder) != os.path.realpath(exclude)
            and subfolder not in stores
        ]
        frames = _contains_frames(folder, files)
        for name in sorted(files):
            file = path_in(folder, name)
            suffix = PurePosixPath(name).suffix.lower()
            if suffix in COMMON_SUFFIXES and not _is_source(file):
                continue
            if suffix in suffixes and not (frames and suffix == ".json"):
                sources.append(file)
        if frames:
            sources.append(folder)
    if not sources:
        raise DataError(
            f"contains no supported file, expected {', '.join(sorted(suffixes))}",
            kind="empty",
            file=path,
        )
    return sources


def _is_source(path: str) -> bool:
    """Return whether a file or folder as a whole has a supported format."""
    try:
        detect_format(Source(path))
    except (DataError, OSError):
        return False
    return True


def _contains_frames(folder: str, files: list[str]) -> bool:
    """Return whether the JSON files of a folder are frames, judged by the first file."""
    names = sorted(name for name in files if name.lower().endswith(".json"))
    if not names:
        return False
    source = Source(path_in(folder, names[0]))
    try:
        return detect_format(source).frames or "poses" in read(source)[0]
    except (MSG3DError, SkipFile, OSError):
        return False


def read_sequences(
    path: str, expected: Expected, options: ReadOptions | None = None
) -> list[Sample]:
    """Read the sequences of a source.

    Args:
        path: a source from `list_sources`.
        expected: input of the network.
        options: properties that the file does not specify. The default layout is the
            network's.

    Returns:
        Unchecked dictionaries for `Recognizer.predict`, with `frame_dir`. `notes`
        describe changes.

    Raises:
        DataError: the file cannot be read or contains no person; or neither the file nor
            `options` specifies the unit, and the persons do not have a plausible size in
            meters (`unit`).
    """
    try:
        return _read(path, expected, options or ReadOptions())
    except DataError as error:
        raise error.at(file=path) from error.__cause__
    except MSG3DError as error:
        raise DataError(error.message, kind=error.kind, file=path) from error
    except SkipFile as reason:
        raise DataError(str(reason), kind="no-person", file=path) from None
    except OSError as error:
        raise DataError(
            f"cannot be read ({error.strerror})", kind="io", file=path
        ) from error


def _read(path: str, expected: Expected, options: ReadOptions) -> list[Sample]:
    source = Source(path)
    name: str | None
    if source.is_folder and not _is_source(path):
        name, sequences = None, [_join_frames(path, expected, options)]
    else:
        name, sequences = _read_file(source, expected, options)
        if any("poses" in sequence for sequence in sequences):
            raise DataError(
                "is a single frame of a video. Pass the folder that contains all frames",
                kind="structure",
            )
    if name in WITHOUT_UNIT and options.unit is None and not _specifies_unit(source):
        _check_meters(sequences, options.layout or expected.layout)
    defaults = {
        "layout": options.layout or expected.layout,
        "unit": options.unit,
        "img_shape": options.img_shape,
    }
    defaults = {key: value for key, value in defaults.items() if value is not None}
    sample_id = {} if name in WITH_IDS else {"frame_dir": Path(path).name}
    return [
        {
            **defaults,
            **{key: value for key, value in sequence.items() if value is not None},
            **sample_id,
        }
        for sequence in sequences
    ]


def _read_file(
    source: Source, expected: Expected, options: ReadOptions
) -> tuple[str, list[Sample]]:
    """Return the name of the format, and the sequences."""
    name = detect_format(source, options).name
    layout = options.layout
    if name not in WITH_IDS:
        # Set after detection, since the network's layout is only a guess.
        layout = layout or expected.layout
    dimensions = expected.dimensions
    options = replace(options, layout=layout, dimensions=dimensions, formats=(name,))
    return name, read(source, options)


def _specifies_unit(source: Source) -> bool:
    if not source.name.lower().endswith(KEYPOINT_JSON.suffixes):
        return False
    return isinstance(source.json, dict) and bool(source.json.get("unit"))


def _check_meters(sequences: list[Sample], layout: Layout) -> None:
    """Check that 3D keypoints of unknown unit can be in meters, the default."""
    hand = is_hand(skeleton(layout).joints)
    for sequence in sequences:
        keypoint = sequence["keypoint"]
        if keypoint.shape[-1] != 3 or not keypoint.any():
            continue  # a sequence without persons is rejected later
        size = measure(sequence, scored=False).size
        if size > 0 and not fits(size, "m", hand):
            part, divisor = ("hand", 10) if hand else ("person", 1)
            unit = likely_unit(size, hand)
            raise DataError(
                f"does not specify its unit, and the size of a {part} is {size:.4g}, "
                f"expected {SHORTEST / divisor:g} to {LONGEST / divisor:g} in meters. "
                + (
                    f"Pass --unit {unit} if that is correct"
                    if unit
                    else "Pass --unit: m, cm, mm, or unscaled"
                ),
                kind="unit",
                field="keypoint",
            )


def _join_frames(folder: str, expected: Expected, options: ReadOptions) -> Sample:
    records = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.lower().endswith(".json"):
            records += _read_file(Source(entry.path), expected, options)[1]
    return join_frames(records, options.max_persons)
