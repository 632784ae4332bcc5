"""Shared by the formats of 2D pose estimators with COCO's joints.

A format collects the persons of a file in `Persons`; here they become a sequence, or a
frame record if the file contains a single frame. Of 26 joints (Halpe), 133
(COCO-WholeBody), and 136 (Halpe full body), the first 17 are kept, which are COCO's.
Persons become rows by the identities of a tracker, or are matched from frame to frame
(`preprocessing/tracks.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import json_of_text, need_fields, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions
from ..skeletons import skeleton
from ..skeletons.units import check_image_unit
from .base import ReadOptions, Sample, Source
from .frames import NOBODY, to_tracks

JOINTS = skeleton("coco").joints
COUNTS = (17, 26, 133, 136)


@dataclass
class Persons:
    """The persons of a file, as they are there.

    Attributes:
        single: whether the file is one frame of a video.
        numbers: of all frames listed, with or without persons.
        img_shape: (height, width), if the file gives it.
        frames: of each person, the number of its frame.
        joints, scores: of each person.
        identities: of each person, None where the file has none.
        places: of each person, its place in the file.
    """

    single: bool = False
    numbers: list[int] = field(default_factory=list)
    img_shape: tuple[int, int] | None = None
    frames: list[int] = field(default_factory=list)
    joints: list[Any] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)
    identities: list[int | None] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def add(
        self, number: int, joints: Any, scores: Any, identity: Any, place: str
    ) -> None:
        self.frames.append(number)
        self.joints.append(joints)
        self.scores.append(scores)
        self.identities.append(_identity(identity, place))
        self.places.append(place)


def as_sequences(
    persons: Persons, form: str, source: Source, options: ReadOptions
) -> list[Sample]:
    """Make the sequence or the frame record of a file.

    Args:
        persons: of the file.
        form: the format, for the report.
        source: the file.
        options: `unit` tells whether coordinates are pixels or normalized.

    Raises:
        DataError: other joints than COCO's, or another unit.
        SkipFile: a video without any person.
    """
    poses, scores = _arrays(persons)
    unit = options.unit or "px"
    check_image_unit(float(np.abs(poses[scores > 0]).max(initial=0)), unit)
    if persons.single:
        return [
            {
                "frame_dir": source.id,
                "poses": poses,
                "scores": scores,
                "identities": persons.identities,
                "layout": "coco",
                "form": form,
            }
        ]
    if not persons.frames:
        raise SkipFile(NOBODY)
    positions, frames = frame_positions([*persons.numbers, *persons.frames])
    sequence = to_tracks(
        source.id,
        Observations(
            positions[len(persons.numbers) :], poses, scores, persons.identities
        ),
        frames,
        options.max_persons,
        {f"read as the output of {form}": 1},
    )
    sequence.update(layout="coco", unit=unit)
    if persons.img_shape is not None:
        sequence["img_shape"] = persons.img_shape
    return [sequence]


def frames_of(
    data: Any, place: str, persons: Persons
) -> Iterator[tuple[int, Any, str]]:
    """Iterate over the frames in a list, or the single frame that the list is.

    Args:
        data: a list of frames, each a list of persons, an object with `instances`, or
            JSON text of these.
        place: of the list in the file.
        persons: receives `single` and `numbers`.

    Yields:
        Number of the frame, its list of persons, and the place of that in the file.
    """
    if not isinstance(data, list):
        raise DataError(
            f"{place or 'the file'} is not a list of frames",
            kind="structure",
            field=place or "the file",
        )
    persons.single = not place and all(
        isinstance(item, dict) and "instances" not in item for item in data
    )
    for index, frame in enumerate([data] if persons.single else data):
        where = "" if persons.single else f"{place}[{index}]"
        number = index
        if isinstance(frame, dict):
            need_fields(frame, ("instances",), where)
            number = frame.get("frame_id", index)
            if type(number) is not int:
                raise DataError(
                    f"{where}.frame_id is {number!r:.40}, expected a number",
                    kind="frame-numbers",
                    field=f"{where}.frame_id",
                )
            frame, where = frame["instances"], f"{where}.instances"
        if isinstance(frame, str):
            frame = json_of_text(frame, where)
        # MMPoseInferencer returns lists of a batch, of one frame each.
        while (
            isinstance(frame, list) and len(frame) == 1 and isinstance(frame[0], list)
        ):
            frame, where = frame[0], f"{where}[0]"
        persons.numbers.append(number)
        yield number, frame, where
    if len(set(persons.numbers)) < len(persons.numbers):
        raise DataError(
            "a frame_id appears twice, expected each once", kind="frame-numbers"
        )


def split_scores(numbers: Any, where: str) -> tuple[list[list[Any]], list[Any]]:
    """`[x, y, s, x, y, s, ...]` -> [[x, y], ...] and [s, ...]."""
    if not isinstance(numbers, list) or len(numbers) % 3:
        raise DataError(
            f"{where}.keypoints is not a list of x, y, score of each joint",
            kind="shape",
            field=f"{where}.keypoints",
        )
    joints = [list(pair) for pair in zip(numbers[::3], numbers[1::3], strict=True)]
    return joints, numbers[2::3]


def _identity(identity: Any, place: str) -> int | None:
    """The number of a tracker; AlphaPose puts it in a list, or makes it a float."""
    if isinstance(identity, list) and len(identity) == 1:
        identity = identity[0]
    if identity is None:
        return None
    if (
        isinstance(identity, int | float)
        and abs(identity) < 2**53
        and int(identity) == identity
    ):
        return int(identity)
    raise DataError(
        f"{place} has the identity {identity!r:.40}, expected a whole number",
        kind="number",
        field=place,
    )


def _arrays(persons: Persons) -> tuple[np.ndarray, np.ndarray]:
    """Return poses [P, 17, 2] and scores [P, 17] of all persons of a file."""
    first = persons.joints[0] if persons.joints else JOINTS
    joints = len(first) if isinstance(first, list | tuple) else 0
    if joints not in COUNTS:
        raise DataError(
            f"{persons.places[0]}.keypoints has {joints} joints, expected COCO's 17, or "
            "26, 133, or 136, which begin with those",
            kind="layout",
            field=f"{persons.places[0]}.keypoints",
        )
    poses = stack_numbers(
        persons.joints, (joints, 2), lambda place: f"{persons.places[place]}.keypoints"
    )
    scores = stack_numbers(
        persons.scores, (joints,), lambda place: f"{persons.places[place]}'s scores"
    )
    return poses[:, : len(JOINTS)], scores[:, : len(JOINTS)]
