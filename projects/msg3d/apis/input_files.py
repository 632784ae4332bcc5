"""Search and readers for input files of predictions.

The converters share the same readers (`formats/`), so every format that is supported for
training is also supported for prediction.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..annotations import Sample
from ..annotations.inspection.measures import measure
from ..errors import ConfigError, DataError, MSG3DError, SkipFile
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
from ..skeletons import skeleton
from ..skeletons.body_size import LONGEST, SHORTEST, fits, is_hand, likely_unit
from ..skeletons.lookup import Layout
from .keypoint_input import Expected

# Formats whose sequences have ids, and possibly a layout.
WITH_IDS = tuple(
    name for name, form in all_formats().items() if form.data_set is not None
)
# Suffixes of files with one frame of a video each
FRAME_SUFFIXES = (".json", ".txt")
# Formats in which the unit is missing or optional.
WITHOUT_UNIT = (CSV.name, KEYPOINT_JSON.name, NPY.name)


def list_inputs(paths: Sequence[str], exclude: str) -> tuple[list[str], str]:
    """Return the paths of all sources in several files and folders.

    Args:
        paths: files and folders, see `list_sources`.
        exclude: path of a folder to skip.

    Returns:
        The paths of the sources, and the common folder that their names are relative to.

    Raises:
        DataError: see `list_sources`.
        ConfigError: the paths are on different drives (kind `wrong-path`).
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
            "the inputs are on different drives, expected a common folder. Predict the "
            "inputs of each drive separately.",
            kind="wrong-path",
        ) from error
    return list(dict.fromkeys(sources)), root


def source_names(sources: Sequence[str], root: str) -> dict[str, str]:
    """Return a dictionary that maps the names of sources to their paths.

    The name of a source is its path relative to `root`, with `/` on all systems.
    """
    return {Path(os.path.relpath(path, root)).as_posix(): path for path in sources}


def absolute(path: str) -> Path:
    """Return an absolute path without `..`. Symbolic links are not resolved."""
    return Path(os.path.normpath(Path(path).absolute()))


def path_in(folder: str, name: str) -> str:
    """Return the path of a file in a folder, with the folder spelled as passed."""
    return os.path.join(folder, name)  # noqa: PTH118  (Path removes a leading ./)


def list_sources(path: str, exclude: str) -> list[str]:
    """Return the paths of all sources in a folder, in sorted order.

    A source is a supported file, a packed store, or a folder of JSON files with one frame
    each.

    Args:
        path: path of a folder, or of a single source.
        exclude: path of a folder to skip.

    Raises:
        DataError: the path does not exist, or contains no supported file.
    """
    # Unlike the methods of Path, these functions accept any text.
    if os.path.isfile(path) or _is_source(path):  # noqa: PTH113
        return [path]
    if not os.path.isdir(path):  # noqa: PTH112
        raise DataError(
            "the input does not exist. Pass the path of an existing file or folder.",
            kind="not-found",
            file=path,
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
        frames = _frame_suffix(folder, files)
        endings = {PurePosixPath(name).suffix.lower() for name in files}
        for name in sorted(files):
            file = path_in(folder, name)
            suffix = PurePosixPath(name).suffix.lower()
            if suffix in COMMON_SUFFIXES and suffix != frames and not _is_source(file):
                continue
            labels = name.endswith("_label.pkl") and ".npy" in endings
            if suffix in suffixes and suffix != frames and not labels:
                sources.append(file)
        if frames:
            sources.append(folder)
    if not sources:
        raise DataError(
            "the folder contains no supported file, expected "
            f"{', '.join(sorted(suffixes))}",
            kind="empty",
            file=path,
        )
    return sources


def _is_source(path: str) -> bool:
    """Return whether a format supports the file, or the folder as a whole."""
    try:
        detect_format(Source(path))
    except (DataError, OSError):
        return False
    return True


def _frame_suffix(folder: str, files: list[str]) -> str | None:
    """Return the suffix of files with a single frame in a folder, or None."""
    for suffix in FRAME_SUFFIXES:
        names = sorted(name for name in files if name.lower().endswith(suffix))
        if not names:
            continue
        source = Source(path_in(folder, names[0]))
        try:
            if detect_format(source).frames or "poses" in read(source)[0]:
                return suffix
        except (MSG3DError, SkipFile, OSError):
            continue
    return None


def read_sequences(
    path: str, expected: Expected, options: ReadOptions | None = None
) -> list[Sample]:
    """Read the sequences of a source.

    Args:
        path: path of a source, from `list_sources`.
        expected: properties of the keypoints that the network was trained on.
        options: properties of the keypoints that the file does not specify. By default,
            the layout is that of the network.

    Returns:
        Sequences for `Recognizer.predict`, with their names as `frame_dir`. `notes`, if
        present, describes changes made by the reader.

    Raises:
        DataError: the file cannot be read or contains no person; or neither the file nor
            `options` specifies the unit, and persons do not have a plausible size in
            meters (kind `unit`).
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
            f"the file cannot be read ({error.strerror})", kind="io", file=path
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
                "the file contains a single frame, expected a sequence. Pass the folder "
                "that contains all frames of the video.",
                kind="structure",
            )
    if name in WITHOUT_UNIT and options.unit is None and not _specifies_unit(source):
        _check_meters(sequences, options.layout or expected.layout)
    defaults = {
        "layout": options.layout or expected.layout,
        "unit": options.unit,
        "img_shape": options.img_shape,
        "fps": options.fps,
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
    """Return the name of a file's format, and its sequences."""
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
    """Check that 3D keypoints without a unit have a plausible size in meters."""
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
                f"the unit is not specified, and the size of a {part} is {size:.4g}, "
                f"expected {SHORTEST / divisor:g} to {LONGEST / divisor:g} meters. "
                + (
                    f"If the unit is {unit}, pass --unit {unit}."
                    if unit
                    else "Pass --unit m, cm, mm, or unscaled."
                ),
                kind="unit",
                field="keypoint",
            )


def _join_frames(folder: str, expected: Expected, options: ReadOptions) -> Sample:
    records = []
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    suffix = _frame_suffix(folder, [entry.name for entry in entries]) or ".json"
    for entry in entries:
        if entry.name.lower().endswith(suffix):
            records += _read_file(Source(entry.path), expected, options)[1]
    return join_frames(records, options.max_persons)
