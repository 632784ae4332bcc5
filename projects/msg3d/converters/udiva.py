"""UDIVA v0.5 (Palmero et al., 2021; DYAD challenge at ICCV 2021) as annotations.

The release, which is given on request, has per split the archives of four tasks and of
the metadata. Unpacked, as the published parser of Erkoç et al. (2022) reads it:

    animals_annotations_train/SESSION/FC1_A/annotations_raw.hdf5    (ghost, lego, talk)
    metadata_train/sessions_train.csv      ID, PART.1, PART.2, ...
    metadata_train/parts_train.csv         ID, ..., OPENMINDEDNESS_Z, ... (five traits)

and the same with val and test. A recording may also lie there as a .zip with an .hdf5 in
it, such as `annotations_cleaned_unmasked.zip`; files called `masked`, of which frames
were hidden from the challenge's participants, are left out. FC1 shows the session's PART.1, FC2 its PART.2. An HDF5 file has a group a
frame, by number; in it `body/landmarks`, [24, 3], the joints of SMPL, unless nobody was
found. A participant is recorded in one or more sessions of four tasks.

A sample is a chunk: `targets` are the five z-scores of `person_id`; `session`, `task`,
`camera` and `chunk` say where it comes from. The splits are the release's, and of
persons. Reading needs h5py (`pip install "msg3d[udiva]"`, or h5py itself).
"""

import io
import re
from functools import partial

import numpy as np

from ..annotations.chunks import cut_sample
from ..annotations.targets import CHALLENGE_TRAITS
from ..errors import DataError, SkipFile
from ..skeletons import layout_meta
from .convert import Splits, convert
from .parse_files import (
    Parsed,
)
from .udiva_tables import Tables, read_tables

PATH = re.compile(
    r"(?:.*/)?(animals|ghost|lego|talk)_annotations_(train|val|test)/([^/]+)/"
    r"[^/]*(FC[12])[^/]*/((?:[^/]+\.zip/)?[^/]+\.hdf5)"
)
LANDMARKS = "body/landmarks"
JOINTS = 24
# A frame has hands and a face too, in groups of their own: files are large.
MAX_BYTES = 8 * 2**30
MISSING = {
    "remove": "leave them out, as published; what is before and behind is joined",
    "zero": "keep them, the person absent",
}


def parse_recording(
    path: str,
    content: bytes,
    tables: Tables,
    chunk: int,
    remainder: str = "keep",
    missing: str = "remove",
) -> list[dict]:
    """One HDF5 file as chunks of one participant.

    Args:
        path: ends in TASK_annotations_SPLIT/SESSION/FC1.../NAME.hdf5.
        content: see above.
        tables: of the release.
        chunk: frames a chunk.
        remainder: one of `chunks.REMAINDERS`.
        missing: one of `MISSING`: what to do with frames without landmarks.

    Returns:
        dict(frame_dir, targets float32 [5], person_id, session, task, camera, chunk,
        total_frames, keypoint float32 [1, T, 24, 3], notes) of each chunk.

    Raises:
        DataError: what is wrong, in which frame, and what was expected.
        SkipFile: the file is masked, its participant's traits are hidden, no frame has
            landmarks, or no chunk is left.
    """
    match = PATH.fullmatch(path)
    if match is None:
        raise DataError(
            "the path does not end in TASK_annotations_SPLIT/SESSION/FC1_X/NAME.hdf5, "
            "as the release's do: keep its folders"
        )
    task, split, session, camera, name = match.groups()
    if "masked" in name.replace("unmasked", ""):
        raise SkipFile("masked, not the whole recording")
    if session not in tables.sessions:
        raise DataError(f"session {session:.80} is in no sessions_SPLIT.csv")
    listed, *parts = tables.sessions[session]
    if listed != split:
        raise DataError(
            f"the path says {split}, but session {session:.80} is in sessions_{listed}.csv"
        )
    person = parts[int(camera[2]) - 1]
    if person not in tables.traits:
        raise DataError(f"participant {person:.80} is in no parts_SPLIT.csv")
    targets = tables.traits[person]
    if targets is None:
        raise SkipFile("the participant's traits are hidden")

    landmarks, absent, gaps = _read(content)
    if absent.all():
        raise SkipFile("no frame has body landmarks")
    notes = {}
    if absent.any():
        fate = "removed" if missing == "remove" else "zero"
        notes[f"frames without body landmarks ({fate})"] = int(absent.sum())
    if gaps:
        notes["frame numbers that do not follow the one before (joined)"] = gaps
    if missing == "remove":
        landmarks = landmarks[~absent]
    whole = dict(
        frame_dir=f"{session}_{task}_{camera}",
        targets=np.array(targets, dtype=np.float32),
        person_id=person,
        session=session,
        task=task,
        camera=camera,
        keypoint=landmarks[None],
    )
    chunks = list(cut_sample(whole, chunk, remainder))
    if not chunks:
        raise SkipFile(f"shorter than a chunk of {chunk} frames")
    rest = len(landmarks) % chunk
    if rest and remainder == "drop":
        notes["frames behind the last whole chunk (dropped)"] = rest
    elif rest and remainder == "pad":
        notes["frames added to fill the last chunk"] = chunk - rest
    elif rest:
        notes["frames in a shorter last chunk"] = rest
    if len(landmarks) < chunk:
        notes[f"recordings shorter than a chunk of {chunk} frames"] = 1
    if notes:
        chunks[0]["notes"] = notes
    return chunks


def _read(content: bytes) -> tuple[np.ndarray, np.ndarray, int]:
    """(landmarks float32 [T, 24, 3], absent bool [T], gaps in the numbers)."""
    h5py = _h5py()
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            numbers = sorted(file, key=_frame_number)
            found = [_landmarks(file, number) for number in numbers]
    except DataError:
        raise
    # A damaged file raises whatever the part of the library that meets it raises.
    except Exception as error:
        raise DataError(
            f"not HDF5, or cut off ({str(error) or type(error).__name__}): copy it again"
        ) from error
    if not found:
        raise DataError("holds no frame, expected a group a frame")
    absent = np.array([one is None for one in found])
    landmarks = np.zeros((len(found), JOINTS, 3), dtype=np.float32)
    for place in np.flatnonzero(~absent):
        landmarks[place] = found[place]
    steps = np.diff([int(number) for number in numbers])
    return landmarks, absent, int(np.sum(steps != 1))


def _frame_number(name: str) -> int:
    if not name.isdecimal():
        raise DataError(f"has the group {name!r:.40}, expected the number of a frame")
    return int(name)


def _landmarks(file, number: str) -> np.ndarray | None:
    if LANDMARKS not in file[number]:
        return None
    values = np.asarray(file[number][LANDMARKS])
    if values.shape != (JOINTS, 3) or values.dtype.kind not in "fiu":
        raise DataError(
            f"frame {number}: {LANDMARKS} is {values.dtype} of shape {values.shape}, "
            f"expected {JOINTS} x 3 numbers"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(
            f"frame {number}: {LANDMARKS} holds NaN, infinity or a number beyond "
            "float32, expected finite numbers"
        )
    return values


def _h5py():
    try:
        import h5py
    except ImportError:
        raise DataError(
            "UDIVA's landmarks are HDF5 files, which need h5py: pip install h5py"
        ) from None
    return h5py


def convert_udiva(
    raw: str,
    out: str,
    chunk: int,
    remainder: str = "keep",
    missing: str = "remove",
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert the release into an annotation file of chunks and report on it.

    Args:
        raw: folder of the release, its archives unpacked; or a zip of such a folder.
        out: the annotation file; the report is written beside it.
        chunk: frames a chunk; published are 250 and 2000.
        remainder: one of `chunks.REMAINDERS`.
        missing: one of `MISSING`.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or lacks tables or .hdf5 files; or there
            is no h5py.
    """
    _h5py()
    tables = read_tables(raw)
    options = dict(chunk=chunk, remainder=remainder, missing=missing)
    return convert(
        raw,
        ".hdf5",
        partial(parse_recording, tables=tables, **options),
        out,
        splits=partial(make_splits, tables=tables),
        meta=lambda samples: dict(
            targets=list(CHALLENGE_TRAITS), chunk=chunk, **layout_meta("smpl24")
        ),
        units="the release's own",
        allow_bad=allow_bad,
        jobs=jobs,
        split_names=lambda side: ("train", side),
        complete=partial(_name_shared_persons, tables=tables),
        max_bytes=MAX_BYTES,
        used=tables.files,
    )


def make_splits(samples: list[dict], tables: Tables) -> Splits:
    """The release's, by session: val and test, each beside train."""
    sides: dict[str, list[str]] = dict(train=[], val=[], test=[])
    for sample in samples:
        sides[tables.sessions[sample["session"]][0]].append(sample["frame_dir"])
    return {side: (sides["train"], sides[side]) for side in ("val", "test")}


def _name_shared_persons(parsed: Parsed, tables: Tables) -> Parsed:
    for sample in parsed.samples:
        splits = tables.shared.get(sample["person_id"])
        if splits:
            what = f"chunks of {sample['person_id']}, who is in {' and '.join(splits)}"
            sample["notes"] = {**sample.get("notes", {}), what: 1}
    return parsed
