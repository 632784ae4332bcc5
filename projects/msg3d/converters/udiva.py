"""Converter for UDIVA v0.5 (Palmero et al., 2021; DYAD challenge at ICCV 2021).

The release is available on request. For each split, it contains archives of four tasks
and of the metadata. The unpacked archives have the structure that the published parser of
Erkoç et al. (2022) expects:

    animals_annotations_train/SESSION/FC1_A/annotations_raw.hdf5    (ghost, lego, talk)
    metadata_train/sessions_train.csv      ID, PART.1, PART.2, ...
    metadata_train/parts_train.csv         ID, ..., OPENMINDEDNESS_Z, ... (five traits)

and the same for val and test. A recording may also be a .zip that contains an .hdf5, such
as `annotations_cleaned_unmasked.zip`. Files named `masked`, which lack the frames hidden
from the participants of the challenge, are skipped. Camera FC1 shows PART.1 of the
session, and FC2 shows PART.2 (`udiva_tables.py`). `formats.udiva` describes the HDF5
files.

A sample is a chunk. `targets` are the five z-scores of `person_id`. `session`, `task`,
`camera`, and `chunk` identify its origin. The splits are those of the release; they
separate persons.
"""

import re
from functools import partial

import numpy as np

from ..annotations.chunks import cut_sample
from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError, SkipFile
from ..formats.udiva import LAYOUT, import_h5py, read_recording
from ..io import StrPath
from ..skeletons import layout_meta
from .convert import Splits, convert
from .parse_files import Parsed
from .udiva_tables import Tables, read_tables

PATH = re.compile(
    r"(?:.*/)?(animals|ghost|lego|talk)_annotations_(train|val|test)/([^/]+)/"
    r"[^/]*(FC[12])[^/]*/((?:[^/]+\.zip/)?[^/]+\.hdf5)"
)
# Files are large because each frame also has groups for hands and faces.
MAX_BYTES = 8 * 2**30
MISSING = {
    "remove": "remove them, as published, and join the remaining frames",
    "zero": "keep them with all joints at zero",
}


def parse_recording(
    path: str,
    content: bytes,
    tables: Tables,
    chunk: int,
    remainder: str = "keep",
    missing: str = "remove",
) -> list[dict]:
    """Parse a UDIVA `.hdf5` recording, and cut it into chunks.

    Args:
        path: path of the file, which ends with
            TASK_annotations_SPLIT/SESSION/FC1.../NAME.hdf5.
        content: content of the file; see `formats.udiva`.
        tables: tables of the release.
        chunk: number of frames per chunk.
        remainder: key of `chunks.REMAINDERS`, for the last frames of the recording.
        missing: key of `MISSING`, for frames without landmarks.

    Returns:
        A list of one sample per chunk, dict(frame_dir, targets float32 [5], person_id,
        session, task, camera, chunk, total_frames, keypoint float32 [1, T, 24, 3],
        notes).

    Raises:
        DataError: the path or the content is invalid.
        SkipFile: the file is masked, the traits of its participant are hidden, no frame
            contains landmarks, or the recording is too short for a chunk.
    """
    task, session, camera, person, targets = _participant(path, tables)
    recording = read_recording(content)
    landmarks = recording.landmarks
    notes = recording.notes("removed" if missing == "remove" else "zero")
    if missing == "remove":
        landmarks = landmarks[~recording.absent]
    sample = {
        "frame_dir": f"{session}_{task}_{camera}",
        "targets": np.array(targets, dtype=np.float32),
        "person_id": person,
        "session": session,
        "task": task,
        "camera": camera,
        "keypoint": landmarks[None],
    }
    chunks = list(cut_sample(sample, chunk, remainder))
    if not chunks:
        raise SkipFile(f"shorter than a chunk of {chunk} frames")
    rest = len(landmarks) % chunk
    if rest and remainder == "drop":
        notes["frames dropped after the last complete chunk"] = rest
    elif rest and remainder == "pad":
        notes["frames added to pad the last chunk"] = chunk - rest
    elif rest:
        notes["frames in a shorter last chunk"] = rest
    if len(landmarks) < chunk:
        notes[f"recordings shorter than a chunk of {chunk} frames"] = 1
    if notes:
        chunks[0]["notes"] = notes
    return chunks


def _participant(path: str, tables: Tables) -> tuple[str, str, str, str, tuple]:
    """Return the task, session, camera, participant, and traits of a recording."""
    match = PATH.fullmatch(path)
    if match is None:
        raise DataError(
            "the path does not end with TASK_annotations_SPLIT/SESSION/FC1_X/NAME.hdf5. "
            "Keep the folders of the release.",
            kind="file-name",
        )
    task, split, session, camera, name = match.groups()
    if "masked" in name.replace("unmasked", ""):
        raise SkipFile("masked version of a recording")
    if session not in tables.sessions:
        raise DataError(
            f"session {session:.80} is in no sessions_SPLIT.csv", kind="unknown-name"
        )
    expected_split, *parts = tables.sessions[session]
    if split != expected_split:
        raise DataError(
            f"the path contains split {split}, expected {expected_split} because session "
            f"{session:.80} is in sessions_{expected_split}.csv",
            kind="split",
        )
    person = parts[int(camera[2]) - 1]
    if person not in tables.traits:
        raise DataError(
            f"participant {person:.80} is in no parts_SPLIT.csv", kind="unknown-name"
        )
    targets = tables.traits[person]
    if targets is None:
        raise SkipFile("the participant's traits are hidden")
    return task, session, camera, person, targets


def convert_udiva(
    raw: StrPath,
    out: StrPath,
    chunk: int,
    remainder: str = "keep",
    missing: str = "remove",
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert UDIVA recordings to an annotation file of chunks, and write a report.

    Args:
        raw: folder of the release with unpacked archives, or a zip of this folder.
        out: path of the annotation file. The report is written next to it.
        chunk: number of frames per chunk. Published values are 250 and 2000.
        remainder: key of `chunks.REMAINDERS`, for the last frames of each recording.
        missing: key of `MISSING`, for frames without landmarks.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read or contains no tables or no .hdf5 files, or h5py
            is not installed.
    """
    import_h5py()
    tables = read_tables(raw)
    return convert(
        raw,
        ".hdf5",
        partial(
            parse_recording,
            tables=tables,
            chunk=chunk,
            remainder=remainder,
            missing=missing,
        ),
        out,
        splits=partial(make_splits, tables=tables),
        meta=lambda samples: dict(
            targets=list(CHALLENGE_TRAITS), chunk=chunk, **layout_meta(LAYOUT)
        ),
        units="unscaled",
        allow_bad=allow_bad,
        jobs=jobs,
        split_names=lambda side: ("train", side),
        complete=partial(_note_shared_persons, tables=tables),
        max_bytes=MAX_BYTES,
        used=tables.files,
    )


def make_splits(samples: list[dict], tables: Tables) -> Splits:
    """Return "val" and "test" -> (train ids, ids of this split), as in the release."""
    sides: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for sample in samples:
        sides[tables.sessions[sample["session"]][0]].append(sample["frame_dir"])
    return {side: (sides["train"], sides[side]) for side in ("val", "test")}


def _note_shared_persons(parsed: Parsed, tables: Tables) -> Parsed:
    for sample in parsed.samples:
        splits = tables.shared.get(sample["person_id"])
        if splits:
            text = f"chunks of {sample['person_id']}, who is in {' and '.join(splits)}"
            sample["notes"] = {**sample.get("notes", {}), text: 1}
    return parsed
