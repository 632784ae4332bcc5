"""Persons in the frames of a video, and frames in files of their own.

A file that contains a single frame gives a frame record,

    dict(frame_dir, poses [P, V, C], scores [P, V], identities, layout, form)

where `frame_dir` is the path of the file without the suffix, `identities` are those of a
tracker or None, and `form` is the format that is reported. The frames of a folder are
joined to a sequence, in the order of the last number in the names of their files.
"""

import re
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from .base import Sample

NOBODY = "nobody in any frame"


def to_tracks(
    name: str,
    observations: Observations,
    frames: int,
    max_persons: int,
    notes: dict[str, int] | None = None,
    matched_by: np.ndarray | None = None,
) -> Sample:
    """Make a sequence of the persons who were detected in a video.

    Args:
        name: id of the sequence.
        observations: the persons of all frames.
        frames: T, the length of the video.
        max_persons: maximum number of rows; see `join_tracks`.
        notes: of the sequence.
        matched_by: see `join_tracks`.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, V, C], keypoint_score
        float32 [M, T, V], notes).

    Raises:
        DataError: an identity belongs to two persons of a frame.
        SkipFile: no person is detected in any frame.
    """
    keypoint, score, others = join_tracks(observations, frames, max_persons, matched_by)
    if not len(keypoint):
        raise SkipFile(NOBODY)
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
    """Return the folder of a frame record, which is the id of its sequence."""
    return str(record["frame_dir"]).rpartition("/")[0]


def join_frames(records: list[Sample], max_persons: int) -> Sample:
    """Join the frame records of a folder to a sequence.

    Args:
        records: all frames of a video, in any order.
        max_persons: maximum number of rows; see `join_tracks`.

    Returns:
        The sequence, as `to_tracks` returns it, with `layout`.

    Raises:
        DataError: frame numbers are missing or repeated, or the layouts differ.
        SkipFile: no person is detected in any frame.
    """
    seen = [record for record in records if len(record["poses"])]
    if not seen:
        raise SkipFile(NOBODY)
    layouts = sorted({record["layout"] for record in seen})
    if len(layouts) > 1:
        raise DataError(f"its frames have the layouts {layouts}", kind="layout")
    names = [record["frame_dir"].rpartition("/")[2] for record in records]
    numbers = [frame_number(name, "the name of the file") for name in names]
    if len(set(numbers)) < len(numbers):
        raise DataError(
            f"two frames have the same number, of {names[0]} and others",
            kind="frame-numbers",
        )
    positions, length = frame_positions(numbers)
    observations = Observations(
        np.repeat(positions, [len(record["poses"]) for record in records]),
        np.concatenate([record["poses"] for record in seen]),
        np.concatenate([record["scores"] for record in seen]),
        [identity for record in records for identity in record["identities"]],
    )
    notes = {
        f"read as the output of {form}, a file a frame": 1
        for form in sorted({record["form"] for record in seen})
    }
    name = folder_of(records[0])
    sequence = to_tracks(name, observations, length, max_persons, notes)
    return dict(sequence, layout=layouts[0])


def frame_number(name: Any, field: str) -> int:
    """Return a number, or the last one in a file name: `frame_000123.jpg` -> 123."""
    if type(name) is int:
        return name
    # Not the 4 of `.mp4`.
    stem = re.sub(r"\.[A-Za-z]\w*$", "", name) if isinstance(name, str) else ""
    digits = re.findall(r"[0-9]+", stem)
    if not digits:
        raise DataError(
            f"{field} is {name!r:.40}, expected the number of a frame, or a file name "
            "with it",
            kind="frame-numbers",
            field=field,
        )
    return int(digits[-1][-18:])
