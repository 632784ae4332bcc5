"""Conversion of the persons in each frame, or of files with one frame each, to sequences.

A file with a single frame is read as a frame record:

    dict(frame_dir, poses [P, V, C], scores [P, V], identities, layout, form)

It also has `unit` if the format specifies it.

`frame_dir` is the path of the file without the suffix, `identities` are track ids or None,
and `form` is the name of the format for reports. The frame records of a folder are joined
into a sequence, in the order of the last number in their file names.
"""

import re
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from .base import Sample

NO_PERSON = "no person in any frame"


def to_tracks(
    name: str,
    observations: Observations,
    frames: int,
    max_persons: int,
    notes: dict[str, int] | None = None,
    matched_by: np.ndarray | None = None,
) -> Sample:
    """Build a sequence from the persons detected in a video.

    Args:
        name: id of the sequence.
        observations: persons detected in all frames.
        frames: number of frames of the video, T.
        max_persons: maximum number of person rows, see `join_tracks`.
        notes: notes of the sequence.
        matched_by: see `join_tracks`.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, C], keypoint_score
        float32 [M, T, V], notes).

    Raises:
        DataError: two persons in a frame have the same identity.
        SkipFile: no person is detected in any frame.
    """
    keypoint, score, others = join_tracks(observations, frames, max_persons, matched_by)
    if not len(keypoint):
        raise SkipFile(NO_PERSON)
    notes = dict(notes or {})
    if others:
        notes[f"persons beyond --max-persons {max_persons}"] = others
    sequence = {
        "frame_dir": name,
        "total_frames": frames,
        "keypoint": keypoint,
        "keypoint_score": score,
    }
    return {**sequence, "notes": notes} if notes else sequence


def folder_of(record: Sample) -> str:
    """Return the folder of a frame record, which is the id of the sequence."""
    return str(record["frame_dir"]).rpartition("/")[0]


def join_frames(records: list[Sample], max_persons: int) -> Sample:
    """Join the frame records of a folder into a sequence.

    Args:
        records: frame records of a video, in any order.
        max_persons: maximum number of person rows, see `join_tracks`.

    Returns:
        The sequence from `to_tracks`, with `layout`.

    Raises:
        DataError: frame numbers are missing or repeated, or the layouts differ.
        SkipFile: no person is detected in any frame.
    """
    nonempty = [record for record in records if len(record["poses"])]
    if not nonempty:
        raise SkipFile(NO_PERSON)
    layouts = sorted({record["layout"] for record in nonempty})
    if len(layouts) > 1:
        raise DataError(
            f"the frames have different layouts ({', '.join(layouts)}), expected one "
            "layout per folder",
            kind="layout",
        )
    names = [record["frame_dir"].rpartition("/")[2] for record in records]
    numbers = [frame_number(name, "the file name") for name in names]
    if len(set(numbers)) < len(numbers):
        raise DataError(
            f"two files have the same frame number, expected unique numbers (first file of "
            f"the folder: {names[0]})",
            kind="frame-numbers",
        )
    positions, length = frame_positions(numbers)
    observations = Observations(
        np.repeat(positions, [len(record["poses"]) for record in records]),
        np.concatenate([record["poses"] for record in nonempty]),
        np.concatenate([record["scores"] for record in nonempty]),
        [identity for record in records for identity in record["identities"]],
    )
    notes = {
        f"read as the output of {form}, one file per frame": 1
        for form in sorted({record["form"] for record in nonempty})
    }
    name = folder_of(records[0])
    sequence = to_tracks(name, observations, length, max_persons, notes)
    sequence["layout"] = layouts[0]
    if "unit" in nonempty[0]:
        sequence["unit"] = nonempty[0]["unit"]
    if sequence["keypoint"].shape[-1] == 3:
        del sequence["keypoint_score"]
    return sequence


def frame_number(name: Any, field: str) -> int:
    """Return the frame number of an id or file name: `frame_000123.jpg` -> 123."""
    if type(name) is int:
        return name
    # Remove the suffix, which may contain a digit, as in `.mp4`.
    stem = re.sub(r"\.[A-Za-z]\w*$", "", name) if isinstance(name, str) else ""
    digits = re.findall(r"[0-9]+", stem)
    if not digits:
        raise DataError(
            f"{field} is {name!r:.40}, expected a frame number, or a file name that "
            "contains the number",
            kind="frame-numbers",
            field=field,
        )
    return int(digits[-1][-18:])
