"""Reader for MediaPipe Pose landmarks (33 per person) in JSON or CSV files.

A JSON file is a list of frames, or an object with the key `frames`. A frame is a person, a
list of persons, or an object with a person or a list of persons per kind of landmarks. It
is empty if no person is detected:

    [[{"x": 0.51, "y": 0.22, "z": -0.3, "visibility": 0.99}, ... 33], ...]
    {"frames": [{"pose_landmarks": [...], "pose_world_landmarks": [...]}, ...]}
    {"frames": [{"landmarks": [...], "world_landmarks": [...]}, ...]}

A frame can be a result of MediaPipe Tasks (`dataclasses.asdict(result)`). A file with such
a result only is a single frame.

A CSV table has one row per frame and the columns `x0,y0,z0,v0` to `x32,y32,z32,v32`, or
numbered 1 to 33, or with the names of the landmarks, such as `left_wrist_x`. `z` and `v`
(or `visibility`) are optional, and other columns are ignored. If no person is detected, the
cells of all landmarks are empty. Blank lines are ignored, because some programs on Windows
write them between the rows. If frames are missing, a column `frame` contains the frame
numbers. A table with one row per frame and landmark has the columns `frame`, `landmark`
(number or name), `x`, `y`, `z`, and `visibility`.

Image landmarks are 2D: x and y are fractions of the image, y down, and the visibility is
the score. World landmarks are 3D, in meters, y down, without scores. Their origin is
between the hips in every frame, so they do not contain the movement of the person.

If no frame has more than one person, all frames show the same person. Otherwise persons
are matched from frame to frame by their image landmarks (`preprocessing/tracks.py`).
"""

import re
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import need_fields, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions
from ..skeletons import skeleton
from ..skeletons.units import MAX_NORMALIZED
from .arrays import dimensions_of
from .base import Format, ReadOptions, Sample, Source
from .frames import NO_PERSON, to_tracks
from .table import Table, frame_numbers, number, read_header, read_table

JOINTS = 33
HIPS = (23, 24)
# Maximum distance of the hips from the origin in world landmarks, in meters.
MAX_HIP_DISTANCE = 0.05
KEYS = {
    2: ("pose_landmarks", "landmarks"),
    3: ("pose_world_landmarks", "world_landmarks"),
}
LANDMARK = re.compile(r"([xyzv])(\d{1,2})")
LONG = ("frame", "landmark", "x", "y")
# Name -> number. MediaPipe calls the corners of the mouth mouth_left and mouth_right.
NAMES = {name: number for number, name in enumerate(skeleton("mediapipe33").joints)} | {
    "mouth_left": 9,
    "mouth_right": 10,
}


class Landmarks(NamedTuple):
    """Landmarks of all persons in a MediaPipe file.

    Attributes:
        numbers: numbers of all frames, with or without persons.
        frames: frame number of each person.
        persons: x, y, z, and visibility, float32 [P, 33, 4].
        image: image landmarks of the same persons, for matching. None if the file does
            not contain image landmarks of every person.
    """

    numbers: list[int]
    frames: list[int]
    persons: np.ndarray
    image: np.ndarray | None


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    dimensions = dimensions_of(options)
    if isinstance(source.json, dict) and _is_result(source.json):
        return [_frame(source, dimensions or 2)]
    if dimensions is not None:
        return [_sequence(source, dimensions, options.max_persons)]
    try:
        return [_sequence(source, 3, options.max_persons)]
    except DataError as error:
        try:
            return [_sequence(source, 2, options.max_persons)]
        except DataError:
            raise error from None


def _sequence(source: Source, dimensions: int, max_persons: int) -> Sample:
    if source.suffix == ".csv":
        landmarks = read_landmark_table(source.content)
    else:
        landmarks = read_landmarks(source.json, dimensions)
    persons = landmarks.persons
    if not len(persons):
        raise SkipFile(NO_PERSON)
    _check_dimensions(persons, dimensions)
    single = len(set(landmarks.frames)) == len(landmarks.frames)
    if not single and landmarks.image is None:
        raise DataError(
            "some frames have several persons, but not every person has image landmarks, "
            "which are required for tracking. Add the image landmarks. World landmarks "
            "are relative to the hips of each person.",
            kind="persons",
        )
    positions, frames = frame_positions([*landmarks.numbers, *landmarks.frames])
    scores = persons[..., 3]
    if dimensions == 3:
        # World landmarks are estimated for all joints, even if not visible.
        scores = np.ones_like(scores)
    sequence = to_tracks(
        source.id,
        Observations(
            positions[len(landmarks.numbers) :],
            persons[..., :dimensions],
            scores,
            [0 if single else None] * len(persons),
        ),
        frames,
        max_persons,
        matched_by=(
            None if single or landmarks.image is None else landmarks.image[..., :2]
        ),
    )
    if dimensions == 2:
        return dict(sequence, layout="mediapipe33", unit="normalized")
    del sequence["keypoint_score"]
    return dict(sequence, layout="mediapipe33", unit="m", y_down=True)


def _frame(source: Source, dimensions: int) -> Sample:
    """Return the frame record of a file with a single result."""
    persons = np.array(_persons(source.json, dimensions, "")).reshape(-1, JOINTS, 4)
    if len(persons):
        _check_dimensions(persons, dimensions)
    world = dimensions == 3
    return {
        "frame_dir": source.id,
        "poses": persons[..., :dimensions],
        "scores": np.ones(persons.shape[:2]) if world else persons[..., 3],
        "identities": [0 if len(persons) == 1 else None] * len(persons),
        "layout": "mediapipe33",
        "unit": "m" if world else "normalized",
        "form": "mediapipe",
    }


def _check_dimensions(persons: np.ndarray, dimensions: int) -> None:
    """Reject image landmarks if world landmarks are expected, and vice versa."""
    hips = np.abs(persons[:, HIPS, :2].mean(axis=1)).max(axis=-1)  # (P,)
    distance = float(np.median(hips))
    if dimensions == 3 and distance > MAX_HIP_DISTANCE:
        raise DataError(
            f"the hips are {distance:.2g} from the origin, expected world landmarks (3D), "
            "whose origin is between the hips. Read image landmarks as 2D.",
            kind="unit",
        )
    largest = float(np.abs(persons[..., :2]).max())
    if dimensions == 2 and (
        distance <= MAX_HIP_DISTANCE or largest > 10 * MAX_NORMALIZED
    ):
        raise DataError(
            f"the hips are {distance:.2g} from the origin and the largest coordinate is "
            f"{largest:.2g}, expected fractions of the image. Read world landmarks as "
            "3D. Do not convert image landmarks to pixels.",
            kind="unit",
        )


def read_landmarks(data: Any, dimensions: int) -> Landmarks:
    """Read the landmarks from the parsed JSON of a MediaPipe file.

    Args:
        data: parsed JSON. By default, `z` is 0 and `visibility` is 1.
        dimensions: 2 for image landmarks, 3 for world landmarks.

    Raises:
        DataError: an entry has an unexpected structure.
    """
    frames, where = data, ""
    if isinstance(data, dict):
        need_fields(data, ("frames",), "the file")
        frames, where = data["frames"], "frames"
    if not isinstance(frames, list):
        raise DataError(
            f"{repr(where) if where else 'the file'} is not a list of frames",
            kind="structure",
            field=where or "the file",
        )
    if frames and all(map(_is_landmark, frames)):
        raise DataError(
            "the file contains a single frame, expected a list of frames. Enclose the "
            "frame in a list.",
            kind="structure",
        )
    numbers, persons, images, complete = [], [], [], True
    for index, frame in enumerate(frames):
        detected = _persons(frame, dimensions, f"{where}[{index}]")
        persons += detected
        numbers += [index] * len(detected)
        in_image = detected
        if dimensions == 3:
            available = isinstance(frame, dict) and set(frame).intersection(KEYS[2])
            in_image = _persons(frame, 2, f"{where}[{index}]") if available else []
        images += in_image
        complete = complete and len(in_image) == len(detected)
    return Landmarks(
        list(range(len(frames))),
        numbers,
        np.array(persons, dtype=np.float32).reshape(-1, JOINTS, 4),
        np.array(images) if complete else None,
    )


def _persons(frame: Any, dimensions: int, where: str) -> list[np.ndarray]:
    """Return the landmarks of each person in a frame, float32 [33, 4] each."""
    if isinstance(frame, dict) and frame:
        keys = [key for key in KEYS[dimensions] if key in frame]
        if not keys:
            raise DataError(
                f"{where} has the keys {', '.join(map(repr, sorted(frame)[:6]))}, expected "
                f"{' or '.join(map(repr, KEYS[dimensions]))} for {dimensions}D",
                kind="structure",
                field=where,
            )
        frame, where = frame[keys[0]], f"{where}.{keys[0]}"
    if frame is None or frame == [] or frame == {}:
        return []
    if not isinstance(frame, list):
        raise DataError(
            f"{where} is {frame!r:.40}, expected {JOINTS} landmarks",
            kind="structure",
            field=where,
        )
    if any(map(_is_landmark, frame)):
        return [_person(frame, where)]
    return [_person(person, f"{where}[{index}]") for index, person in enumerate(frame)]


def _person(landmarks: Any, where: str) -> np.ndarray:
    if not isinstance(landmarks, list) or len(landmarks) != JOINTS:
        is_list = isinstance(landmarks, list)
        actual = f"has {len(landmarks)} landmarks" if is_list else "is not a list"
        raise DataError(
            f"{where} {actual}, expected a list of {JOINTS} landmarks",
            kind="shape",
            field=where,
        )
    for index, landmark in enumerate(landmarks):
        need_fields(landmark, ("x", "y"), f"{where}[{index}]")
    rows = [
        [mark["x"], mark["y"], mark.get("z", 0.0), mark.get("visibility", 1.0)]
        for mark in landmarks
    ]
    return stack_numbers(rows, (4,), lambda index: f"{where}[{index}]")


def _is_result(data: dict[str, Any]) -> bool:
    """Return whether an object is a single result of MediaPipe Tasks."""
    return "frames" not in data and bool({*KEYS[2], *KEYS[3]} & set(data))


def _is_landmark(item: Any) -> bool:
    return isinstance(item, dict) and "x" in item


def read_landmark_table(content: bytes) -> Landmarks:
    """Parse a CSV table of image or world landmarks.

    Raises:
        DataError: a line is invalid. The error contains the line number.
    """
    table = _wide(read_table(content, skip_blank=True))
    columns, joints, axes = _columns(table.header)
    table.check_rows()
    numbers = list(range(len(table.rows)))
    if "frame" in table.header:
        numbers = frame_numbers(table)
        for before, after, line in zip(
            numbers, numbers[1:], table.lines[1:], strict=False
        ):
            if after <= before:
                raise DataError(
                    f"'frame' is {after}, expected more than {before}. Number the rows "
                    "in ascending order.",
                    kind="frame-numbers",
                    line=line,
                    field="frame",
                )
    frames, rows, lines = [], [], []
    for frame, row, line in zip(numbers, table.rows, table.lines, strict=True):
        cells = [row[column].strip() for column in columns]
        if not any(cells):
            continue
        if not all(cells):
            raise DataError(
                "some cells of the row are empty, expected all numbers, or none if no "
                "person is detected",
                kind="incomplete-joint",
                line=line,
            )
        frames.append(frame)
        rows.append([number(cell, line) for cell in cells])
        lines.append(line)
    with np.errstate(over="ignore"):
        values = np.array(rows, dtype=np.float64).astype(np.float32)
    finite = np.isfinite(values.reshape(len(rows), len(columns))).all(axis=1)
    if not finite.all():
        raise DataError(
            "the row contains NaN, infinity, or a number outside the range of float32",
            kind="not-finite",
            line=lines[int(np.argmin(finite))],
        )
    persons = np.zeros((len(rows), JOINTS, 4), dtype=np.float32)
    persons[..., 3] = 1
    if rows:
        persons[:, joints, axes] = values
    return Landmarks(numbers, frames, persons, persons)


def _wide(table: Table) -> Table:
    """Convert names of landmarks, and one row per landmark, to numbered columns."""
    header = [_numbered(name) for name in table.header]
    if not set(LONG) <= set(header):
        return table._replace(header=header)
    table.check_rows()
    axes = [axis for axis in ("x", "y", "z", "visibility") if axis in header]
    frame, landmark = header.index("frame"), header.index("landmark")
    rows: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        name = re.sub(r"[\s-]+", "_", row[landmark].strip().lower())
        number = NAMES.get(name, name)
        cells = rows.setdefault(row[frame], {})
        lines[row[frame]] = line
        for axis in axes:
            column = f"{axis[0]}{number}"
            if column in cells:
                raise DataError(
                    f"frame {row[frame]} has landmark {row[landmark]!r:.40} twice, expected "
                    "one row per frame and landmark of a single person",
                    kind="duplicate",
                    line=line,
                )
            cells[column] = row[header.index(axis)]
    columns = sorted({column for cells in rows.values() for column in cells})
    return Table(
        ["frame", *columns],
        [[key, *(cells.get(c, "") for c in columns)] for key, cells in rows.items()],
        list(lines.values()),
    )


def _numbered(column: str) -> str:
    """Return the numbered column of a landmark's name: `nose_visibility` -> `v0`."""
    name, _, axis = column.rpartition("_")
    if name in NAMES and axis in ("x", "y", "z", "v", "visibility"):
        return f"{axis[0]}{NAMES[name]}"
    return column


def _columns(header: list[str]) -> tuple[list[int], list[int], list[int]]:
    """Return the index, the joint, and the axis of each landmark column."""
    known = {}
    for index, name in enumerate(header):
        match = LANDMARK.fullmatch(name)
        if match is not None:
            known[match[1], int(match[2])] = index
    first = 0 if ("x", 0) in known else 1
    expected = set(range(first, first + JOINTS))
    for axis in "xyzv":
        actual = {joint for name, joint in known if name == axis}
        if actual != expected and (actual or axis in "xy"):
            raise DataError(
                f"the table has {axis} of {len(actual)} landmarks, expected the columns "
                f"{axis}{first} to {axis}{first + JOINTS - 1}",
                kind="columns",
                line=1,
            )
    joints = [joint - first for _, joint in known]
    return list(known.values()), joints, ["xyzv".index(axis) for axis, _ in known]


def is_landmark_table(header: list[str]) -> bool:
    """Return whether a table has visibilities, or x and y of 33 landmarks."""
    if set(LONG) <= set(header):
        return True
    if any(name.endswith(("_v", "_visibility")) for name in header):
        header = [_numbered(name) for name in header]
    numbered: dict[str, set[int]] = {axis: set() for axis in "xyzv"}
    for match in filter(None, map(LANDMARK.fullmatch, header)):
        numbered[match[1]].add(int(match[2]))
    if numbered["v"]:
        return True
    complete = numbered["x"] in (set(range(JOINTS)), set(range(1, JOINTS + 1)))
    scored = any(re.fullmatch(r"score\d+", name) for name in header)
    return complete and numbered["y"] == numbered["x"] and not scored


def _detect(source: Source) -> bool:
    if source.suffix == ".csv":
        return is_landmark_table(read_header(source.first_line))
    if isinstance(source.json, dict):
        return _is_result(source.json) or (
            "frames" in source.json and "joint_names" not in source.json
        )
    names = {"x", "landmarks", "world_landmarks", *KEYS[2], *KEYS[3]}
    item = source.first_item
    return isinstance(item, dict) and bool(names.intersection(item))


FORMAT = Format(
    name="mediapipe",
    title="MediaPipe Pose, 33 landmarks",
    keeps="image landmarks with visibility, or world landmarks in meters",
    suffixes=(".csv", ".json"),
    detect=_detect,
    read=_read,
)
