"""Reader for Kinetics-skeleton clips (Yan et al., ST-GCN, AAAI 2018).

Each file is a JSON object with one clip: up to 300 frames of Kinetics-400 at 30 frames per
second, and the persons that OpenPose detected in each frame, with 18 joints:

    {"data": [{"frame_index": 1, "skeleton": [{"pose": [x0, y0, ...],
      "score": [s0, ...]}]}], "label": "abseiling", "label_index": 0}

Coordinates are fractions of the image, with x right and y down from the upper left corner.
They are not converted, and `img_shape` is (1, 1). Frame 1 becomes frame 0.

Persons are not tracked in the files. They are arranged in rows in one of two ways:

- `rank`: the first five persons of a frame are sorted by the sum of their scores, and the
  first two are kept, as in ST-GCN, 2s-AGCN, and MS-G3D. A row is a rank, not a person.
- `track`: persons are matched from frame to frame (`tracks.py`). A row is a person.
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import stack_numbers
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from .base import Format, ReadOptions, Sample, Source

JOINTS = 18
FIELDS = ("data", "label", "label_index")
# The authors' code reads at most this many persons per frame.
MAX_RANKED = 5
NO_PERSON = "no person in any frame"


class Clip(NamedTuple):
    """Content of a Kinetics-skeleton file.

    Attributes:
        label, label_index: name and index of the class.
        persons: persons in all frames, in the order of the file.
        frames: number of frames, T.
    """

    label: str
    label_index: int
    persons: Observations
    frames: int


def read_clip(record: Any) -> Clip:
    """Read a clip from the parsed JSON of a Kinetics-skeleton file.

    Raises:
        DataError: an entry is missing or invalid.
        SkipFile: no frame contains a person.
    """
    if not isinstance(record, dict) or not set(FIELDS) <= set(record):
        raise DataError(
            "the file has an unexpected structure, expected a JSON object with the keys "
            f"{', '.join(map(repr, FIELDS))}",
            kind="structure",
        )
    name, index, data = (record[field] for field in FIELDS[1:] + FIELDS[:1])
    if not isinstance(name, str) or type(index) is not int:
        raise DataError(
            f"'label' is {name!r:.40} and 'label_index' is {index!r:.40}, expected a "
            "string and an integer",
            kind="label",
            field="label",
        )
    if not isinstance(data, list):
        raise DataError(
            f"'data' has type {type(data).__name__}, expected a list of frames",
            kind="structure",
            field="data",
        )
    return Clip(name, index, *_observations(data))


def _observations(data: list[Any]) -> tuple[Observations, int]:
    """Return the persons in all frames in file order, and the number of frames."""
    numbers: list[int] = []
    persons: list[dict[str, Any]] = []
    indices: list[tuple[int, int]] = []  # (frame, person in the frame)
    for index, frame in enumerate(data):
        field = f"data[{index}]"
        if (
            not isinstance(frame, dict)
            or type(frame.get("frame_index")) is not int
            or not isinstance(frame.get("skeleton"), list)
        ):
            raise DataError(
                f"{field} has an unexpected structure, expected an object with an integer "
                "'frame_index' and a list 'skeleton'",
                kind="structure",
                field=field,
            )
        number, last = frame["frame_index"], numbers[-1] if numbers else 0
        if number <= last:
            raise DataError(
                f"{field} has 'frame_index' {number}, expected more than {last}. Number "
                "the frames in ascending order, starting at 1.",
                kind="frame-numbers",
                field=field,
            )
        numbers.append(number)
        for rank, person in enumerate(frame["skeleton"]):
            if not isinstance(person, dict) or not {"pose", "score"} <= set(person):
                raise DataError(
                    f"{field}.skeleton[{rank}] has an unexpected structure, expected an "
                    "object with 'pose' and 'score'",
                    kind="structure",
                    field=f"{field}.skeleton[{rank}]",
                )
            persons.append(person)
            indices.append((index, rank))

    def numbers_of(key: str, count: int) -> np.ndarray:
        return stack_numbers(
            [person[key] for person in persons],
            (count,),
            lambda person: "data[{}].skeleton[{}].{}".format(*indices[person], key),
        )

    poses, scores = numbers_of("pose", 2 * JOINTS), numbers_of("score", JOINTS)
    if not persons:
        raise SkipFile(NO_PERSON)
    positions, frames = frame_positions(numbers, first=1)
    positions = positions[[index for index, _ in indices]]
    poses = poses.reshape(-1, JOINTS, 2)
    return Observations(positions, poses, scores, [None] * len(persons)), frames


def person_rows(clip: Clip, persons: str, max_persons: int) -> Sample:
    """Arrange the persons of a clip in rows of keypoints.

    Args:
        clip: the clip.
        persons: "rank" or "track", as described in the module docstring.
        max_persons: maximum number of rows.

    Returns:
        dict(keypoint float32 [M, T, 18, 2], keypoint_score float32 [M, T, 18], notes).

    Raises:
        SkipFile: no joint of any person is detected.
    """
    notes = {}
    if persons == "track":
        keypoint, score, others = join_tracks(clip.persons, clip.frames, max_persons)
        if others:
            notes[f"persons beyond --max-persons {max_persons}"] = others
    else:
        keypoint, score = _rank(clip.persons, clip.frames, max_persons)
    if not keypoint.any():
        raise SkipFile(NO_PERSON)
    return {"keypoint": keypoint, "keypoint_score": score, "notes": notes}


def _rank(
    observations: Observations, frames: int, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return keypoints and scores of persons, sorted by score in each frame."""
    frame, poses, scores, _ = observations
    index = _index_in_frame(frame)
    read = np.flatnonzero(index < max(MAX_RANKED, rows))
    best = read[np.lexsort((index[read], -scores[read].sum(axis=1), frame[read]))]
    rank = _index_in_frame(frame[best])
    best, rank = best[rank < rows], rank[rank < rows]
    shape = (int(rank.max()) + 1, frames, JOINTS)
    keypoint = np.zeros((*shape, 2), dtype=np.float32)
    score = np.zeros(shape, dtype=np.float32)
    present = (scores[best] > 0) & poses[best].any(axis=-1)
    keypoint[rank, frame[best]] = poses[best] * present[..., None]
    score[rank, frame[best]] = scores[best] * present
    return keypoint, score


def _index_in_frame(frame: np.ndarray) -> np.ndarray:
    """Return the index of each person in its frame, for frames in ascending order."""
    return np.arange(len(frame)) - np.searchsorted(frame, frame)


def _detect(source: Source) -> bool:
    return isinstance(source.json, dict) and set(FIELDS) <= set(source.json)


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    clip = read_clip(source.json)
    sequence = dict(
        frame_dir=source.id,
        layout="openpose",
        unit="normalized",
        img_shape=(1, 1),
        label=clip.label_index,
        **person_rows(clip, "track", options.max_persons),
    )
    return [sequence]


FORMAT = Format(
    name="kinetics_skeleton",
    title="Kinetics-skeleton clips",
    keeps="joints, scores, label",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
)
