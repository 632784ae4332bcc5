"""Shared functions for the output formats of 2D pose estimators with COCO joints.

A reader collects the persons of a file in `Persons`. This module converts them to a
sequence, or to a frame record if the file contains a single frame. Files with 26 joints
(Halpe), 133 (COCO-WholeBody), or 136 (Halpe full body) begin with the 17 COCO joints. Only
these 17 are kept, unless layout halpe26 or coco-wholebody133 is requested. Persons are arranged in rows by their track ids, or matched from
frame to frame (`preprocessing/tracks.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import need_fields, parse_json_string, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions
from ..skeletons import skeleton
from ..skeletons.units import check_image_unit
from .base import ReadOptions, Sample, Source
from .frames import NO_PERSON, to_tracks

JOINTS = skeleton("coco").joints
COUNTS = (17, 26, 133, 136)
LARGER = {26: "halpe26", 133: "coco-wholebody133"}


@dataclass
class Persons:
    """Unprocessed persons in a file.

    Attributes:
        single: whether the file is a single frame of a video.
        numbers: numbers of all frames, with or without persons.
        img_shape: (height, width) of the images, if known.
        frames: frame number of each person.
        joints, scores: joints and scores of each person.
        identities: track id of each person, None if unknown.
        places: location of each person in the file, for messages.
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
    """Return the sequence or the frame record of a file, in a list.

    Args:
        persons: persons of the file.
        form: name of the format, for reports.
        source: the file.
        options: `unit` is "px" (default) or "normalized".

    Raises:
        DataError: the joints or the unit do not match.
        SkipFile: the video contains no person.
    """
    poses, scores = _arrays(persons)
    layout = LARGER.get(poses.shape[1])
    if layout is None or options.layout != layout:
        layout = "coco"
        poses, scores = poses[:, : len(JOINTS)], scores[:, : len(JOINTS)]
    unit = options.unit or "px"
    check_image_unit(float(np.abs(poses[scores > 0]).max(initial=0)), unit)
    if persons.single:
        return [
            {
                "frame_dir": source.id,
                "poses": poses,
                "scores": scores,
                "identities": persons.identities,
                "layout": layout,
                "form": form,
            }
        ]
    if not persons.frames:
        raise SkipFile(NO_PERSON)
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
    sequence.update(layout=layout, unit=unit)
    if persons.img_shape is not None:
        sequence["img_shape"] = persons.img_shape
    return [sequence]


def frames_of(
    data: Any, place: str, persons: Persons
) -> Iterator[tuple[int, Any, str]]:
    """Iterate over the frames in a list, or over a list that is a single frame.

    Args:
        data: list of frames. A frame is a list of persons, an object with `instances`,
            or a string that contains either as JSON.
        place: location of the list in the file, for messages.
        persons: `single` and `numbers` of this object are set.

    Yields:
        Frame number, list of persons in the frame, and location of this list.
    """
    if not isinstance(data, list):
        raise DataError(
            f"{repr(place) if place else 'the file'} is not a list of frames",
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
                    f"{where}.frame_id is {number!r:.40}, expected an integer",
                    kind="frame-numbers",
                    field=f"{where}.frame_id",
                )
            frame, where = frame["instances"], f"{where}.instances"
        if isinstance(frame, str):
            frame = parse_json_string(frame, where)
        # MMPoseInferencer returns batches that contain a single frame.
        while (
            isinstance(frame, list) and len(frame) == 1 and isinstance(frame[0], list)
        ):
            frame, where = frame[0], f"{where}[0]"
        persons.numbers.append(number)
        yield number, frame, where
    if len(set(persons.numbers)) < len(persons.numbers):
        raise DataError(
            "two frames have the same 'frame_id', expected unique frame numbers",
            kind="frame-numbers",
        )


def split_scores(numbers: Any, where: str) -> tuple[list[list[Any]], list[Any]]:
    """Split `[x, y, s, ...]` into positions `[[x, y], ...]` and scores `[s, ...]`."""
    if not isinstance(numbers, list) or len(numbers) % 3:
        raise DataError(
            f"{where}.keypoints is not a list with x, y, and score of each joint",
            kind="shape",
            field=f"{where}.keypoints",
        )
    joints = [list(pair) for pair in zip(numbers[::3], numbers[1::3], strict=True)]
    return joints, numbers[2::3]


def _identity(identity: Any, place: str) -> int | None:
    """Return a track id as int. AlphaPose writes an integer, a float, or a list."""
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
        f"{place} has the track id {identity!r:.40}, expected an integer",
        kind="number",
        field=place,
    )


def _arrays(persons: Persons) -> tuple[np.ndarray, np.ndarray]:
    """Return poses [P, V, 2] and scores [P, V] of all persons in a file."""
    first = persons.joints[0] if persons.joints else JOINTS
    joints = len(first) if isinstance(first, list | tuple) else 0
    if joints not in COUNTS:
        raise DataError(
            f"{persons.places[0]}.keypoints has {joints} joints, expected 17 (COCO), 26 "
            "(Halpe), 133 (COCO-WholeBody), or 136 (Halpe full body)",
            kind="layout",
            field=f"{persons.places[0]}.keypoints",
        )
    poses = stack_numbers(
        persons.joints, (joints, 2), lambda index: f"{persons.places[index]}.keypoints"
    )
    scores = stack_numbers(
        persons.scores, (joints,), lambda index: f"{persons.places[index]}'s scores"
    )
    return poses, scores
