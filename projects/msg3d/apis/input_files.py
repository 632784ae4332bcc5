"""Input files of predictions: which to read, and their sequences.

The readers are those of the converters (`formats/`), so whatever can be trained on can
be predicted.
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

# Formats whose sequences have names of their own, and may have a layout.
WITH_IDS = (ANNOTATION_FILE.name, STORE.name)
# Formats that do not tell the unit, or only optionally.
WITHOUT_UNIT = (CSV.name, KEYPOINT_JSON.name, NPY.name)


def list_inputs(paths: Sequence[str], leave_out: str) -> tuple[list[str], str]:
    """List the sources of several files and folders, and the folder of their names.

    Args:
        paths: files and folders, each as for `list_sources`.
        leave_out: a folder that is not searched.

    Returns:
        The sources, and the common folder that their names are relative to.

    Raises:
        DataError: as `list_sources`.
        ConfigError: the paths are on different drives (`wrong-path`).
    """
    sources: list[str] = []
    folders: list[Path] = []
    for path in paths:
        inside = list_sources(path, leave_out)
        sources += inside
        place = absolute(path)
        # A folder of frames, or a store, is one source, which needs a name.
        is_source = list(map(absolute, inside)) == [place]
        folders.append(place.parent if is_source else place)
    try:
        root = os.path.commonpath(folders)
    except ValueError as error:
        raise ConfigError(
            "the inputs are on different drives. Predict those of each drive separately",
            kind="wrong-path",
        ) from error
    return list(dict.fromkeys(sources)), root


def source_names(sources: Sequence[str], root: str) -> dict[str, str]:
    """Return the path of each source by its name, the path relative to `root`.

    Names contain `/` on all systems.
    """
    return {Path(os.path.relpath(path, root)).as_posix(): path for path in sources}


def absolute(path: str) -> Path:
    """Return the absolute path without `..`; links are not followed."""
    return Path(os.path.normpath(Path(path).absolute()))


def path_in(folder: str, name: str) -> str:
    """Return the path of a file in a folder, which is spelled as the user spells it."""
    return os.path.join(folder, name)  # noqa: PTH118  (Path removes a leading ./)


def list_sources(path: str, leave_out: str) -> list[str]:
    """List the files below a folder that can be read, sorted, or the file itself.

    Args:
        path: file or folder. A folder of JSON files with one frame each is one source,
            and so is a packed store.
        leave_out: a folder that is not searched.

    Raises:
        DataError: the path does not exist, or contains no such file.
    """
    # Unlike those of Path, these functions take any text.
    if os.path.isfile(path) or _is_source(path):  # noqa: PTH113
        return [path]
    if not os.path.isdir(path):  # noqa: PTH112
        raise DataError(
            "does not exist. Give a file or a folder", kind="not-found", file=path
        )
    suffixes = {ending for each in all_formats().values() for ending in each.suffixes}
    sources: list[str] = []
    for folder, folders, files in os.walk(path, followlinks=True):
        inside = {name: path_in(folder, name) for name in sorted(folders)}
        stores = [each for each in inside.values() if _is_source(each)]
        sources += stores
        folders[:] = [
            name
            for name, each in inside.items()
            if os.path.realpath(each) != os.path.realpath(leave_out)
            and each not in stores
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
            f"contains no file that can be read ({', '.join(sorted(suffixes))})",
            kind="empty",
            file=path,
        )
    return sources


def _is_source(path: str) -> bool:
    """Return whether a format recognizes a file, or a folder as one source."""
    try:
        detect_format(Source(path))
    except (DataError, OSError):
        return False
    return True


def _contains_frames(folder: str, files: list[str]) -> bool:
    """Return whether the JSON files of a folder are frames, as the first one is."""
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
        path: one of `list_sources`.
        expected: what the network expects.
        options: what the file does not tell; the layout is the network's if it is not
            given.

    Returns:
        Dictionaries for `Recognizer.predict`, with `frame_dir`; `notes` tell what was
        changed. They are not checked yet.

    Raises:
        DataError: the file cannot be read, or contains no person; or it does not tell
            its unit, nor do the options, and the persons have no plausible size in
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
    form: str | None
    if source.is_folder and not _is_source(path):
        form, sequences = None, [_join(path, expected, options)]
    else:
        form, sequences = _read_file(source, expected, options)
        if any("poses" in each for each in sequences):
            raise DataError(
                "is one frame of a video. Give the folder of all its frames",
                kind="structure",
            )
    if form in WITHOUT_UNIT and options.unit is None and not _states_unit(source):
        _check_meters(sequences, options.layout or expected.layout)
    told = {
        "layout": options.layout or expected.layout,
        "unit": options.unit,
        "img_shape": options.img_shape,
    }
    told = {key: value for key, value in told.items() if value is not None}
    own = {} if form in WITH_IDS else {"frame_dir": Path(path).name}
    return [
        {
            **told,
            **{key: value for key, value in each.items() if value is not None},
            **own,
        }
        for each in sequences
    ]


def _read_file(
    source: Source, expected: Expected, options: ReadOptions
) -> tuple[str, list[Sample]]:
    """Return the name of the format, and the sequences."""
    form = detect_format(source, options).name
    layout = options.layout
    if form not in WITH_IDS:
        # After the detection, since the network's layout is only a guess.
        layout = layout or expected.layout
    dimensions = expected.dimensions
    known = replace(options, layout=layout, dimensions=dimensions, formats=(form,))
    return form, read(source, known)


def _states_unit(source: Source) -> bool:
    if not source.name.lower().endswith(KEYPOINT_JSON.suffixes):
        return False
    return isinstance(source.json, dict) and bool(source.json.get("unit"))


def _check_meters(sequences: list[Sample], layout: Layout) -> None:
    """Check that 3D keypoints whose unit is not told can be in meters, the default."""
    hand = is_hand(skeleton(layout).joints)
    for sequence in sequences:
        keypoint = sequence["keypoint"]
        if keypoint.shape[-1] != 3 or not keypoint.any():
            continue  # refused later if no person is in it
        size = measure(sequence, scored=False).size
        if size > 0 and not fits(size, "m", hand):
            part, least = ("hand", 10) if hand else ("person", 1)
            likely = likely_unit(size, hand)
            raise DataError(
                f"does not tell its unit, and a {part} is {size:.4g} long, expected "
                f"{SHORTEST / least:g} to {LONGEST / least:g} in meters. Give --unit "
                + (
                    f"{likely}, if that is correct"
                    if likely
                    else "m, cm, mm, or unscaled"
                ),
                kind="unit",
                field="keypoint",
            )


def _join(folder: str, expected: Expected, options: ReadOptions) -> Sample:
    records = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.lower().endswith(".json"):
            records += _read_file(Source(entry.path), expected, options)[1]
    return join_frames(records, options.max_persons)
