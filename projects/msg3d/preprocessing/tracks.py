"""Tracking: arrange the persons detected in each frame in one row per person.

A row `keypoint[m]` in an annotation file contains the same person in all frames. Pose
estimators return persons in any order, so the first person can differ between frames. This
module uses track ids if available, and otherwise matches persons from frame to frame.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import DataError

# Maximum distance between poses of the same person, in units of the person's size.
MAX_DISTANCE = 0.5
# Maximum gap of a track in frames. After a longer gap, a new track starts.
MAX_GAP = 30
# Larger differences between frame numbers indicate that they are times.
MAX_NUMBER_GAP = 3000


class Observations(NamedTuple):
    """Persons detected in the frames of a video, in any order.

    P is the number of detections in all frames.

    Attributes:
        frames: frame of each detection, from 0, int [P].
        poses: keypoints of each detection, float32 [P, V, C].
        scores: scores, float32 [P, V]. A joint with score 0 is absent.
        identities: track id of each detection, or None if it is unknown.
    """

    frames: np.ndarray
    poses: np.ndarray
    scores: np.ndarray
    identities: Sequence[int | None]


def join_tracks(
    observations: Observations,
    frames: int,
    max_persons: int,
    matched_by: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Arrange detected persons in one row per person.

    Args:
        observations: persons detected in all frames.
        frames: number of frames in the video, T.
        max_persons: maximum number of rows. Persons with the highest total score over all
            frames are kept, highest first.
        matched_by: coordinates to match persons without identities by, [P, V, 2]. By
            default, the poses.

    Returns:
        Keypoints, float32 [M, T, V, C], scores, float32 [M, T, V], and the number of
        persons that were dropped because of `max_persons`. Absent persons and joints are
        zero. M is 0 if no person is detected.

    Raises:
        DataError: two persons in a frame have the same identity, unless all persons in
            the video have this identity (kind `persons`).
        ImportError: persons have no identities, and SciPy is not installed.
    """
    poses, scores = observations.poses, observations.scores
    joints = (scores > 0) & poses.any(axis=-1)  # (P, V)
    visible: np.ndarray = np.any(joints, axis=1)
    frame = observations.frames[visible]
    poses, scores, joints = poses[visible], scores[visible], joints[visible]
    identities = [
        identity
        for identity, is_visible in zip(observations.identities, visible, strict=True)
        if is_visible
    ]
    coordinates = poses if matched_by is None else matched_by[visible]
    tracks = _assign_tracks(frame, coordinates, joints, identities)
    names, tracks = np.unique(tracks, return_inverse=True)
    total = np.bincount(tracks, weights=(scores * joints).sum(axis=1))
    best = np.argsort(-total, kind="stable")[:max_persons]
    row = np.full(len(names), -1)
    row[best] = np.arange(len(best))
    kept = row[tracks] >= 0
    index = row[tracks[kept]], frame[kept]
    shape = (len(best), frames, poses.shape[1])
    keypoint = np.zeros((*shape, poses.shape[2]), dtype=np.float32)
    keypoint_score = np.zeros(shape, dtype=np.float32)
    keypoint[index] = poses[kept] * joints[kept][..., None]
    keypoint_score[index] = scores[kept] * joints[kept]
    return keypoint, keypoint_score, len(names) - len(best)


def frame_positions(
    numbers: Sequence[int], first: int | None = None
) -> tuple[np.ndarray, int]:
    """Convert the frame numbers of a file to positions from 0.

    Missing numbers are frames without persons.

    Args:
        numbers: at least one frame number, in any order. Duplicates are allowed.
        first: number that becomes position 0. By default, the lowest number.

    Returns:
        Positions, int64 [len(numbers)], and the number of frames from the first to the
        highest number, T.

    Raises:
        DataError: the gap between two successive numbers is more than 3000 (kind
            `frame-numbers`).
    """
    start = min(numbers) if first is None else first
    known = np.unique(np.array([start, *numbers], dtype=object))
    for before, after in itertools.pairwise(known):
        if after - before > MAX_NUMBER_GAP:
            raise DataError(
                f"frame {before} is followed by frame {after}, expected a gap of at most "
                f"{MAX_NUMBER_GAP} frames. Store frame numbers instead of times.",
                kind="frame-numbers",
            )
    positions = np.array([number - start for number in numbers], dtype=np.int64)
    return positions, int(known[-1] - start) + 1


def _assign_tracks(
    frame: np.ndarray,
    poses: np.ndarray,
    joints: np.ndarray,
    identities: Sequence[int | None],
) -> np.ndarray:
    """Return the track number of each detection, int [P].

    Detections with the same identity belong to the same track. Detections without identity
    are matched by distance.

    Args:
        frame: frame of each detection, [P].
        poses: coordinates, [P, V, 2] or [P, V, C].
        joints: mask of the present joints, bool [P, V].
        identities: identity of each detection, or None.
    """
    counts = Counter(zip(frame.tolist(), identities, strict=True))
    duplicates = [
        pair for pair, count in counts.items() if count > 1 and pair[1] is not None
    ]
    if duplicates:
        if len(set(identities)) > 1:
            number, identity = min(duplicates)
            raise DataError(
                f"two persons in frame {number} have the same identity {identity}, "
                "expected different identities",
                kind="persons",
            )
        # AlphaPose without tracking assigns identity 0 to every person.
        identities = [None] * len(identities)
    tracks = np.full(len(frame), -1)
    numbers = {
        identity: index for index, identity in enumerate(dict.fromkeys(identities))
    }
    unknown = np.array([identity is None for identity in identities], dtype=bool)
    tracks[~unknown] = [
        numbers[identity] for identity in identities if identity is not None
    ]
    tracks[unknown] = len(identities) + _match(
        frame[unknown], poses[unknown], joints[unknown]
    )
    return tracks


def _match(frame: np.ndarray, poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Match detections without identities from frame to frame by distance.

    The distance between the last pose of a track and a person is the mean distance of
    their common joints, in units of the size of the larger person. The Hungarian method
    minimizes the sum over all pairs in a frame. Pairs beyond `MAX_DISTANCE` are excluded.

    Args:
        frame: frame of each detection, [P].
        poses: coordinates, [P, V, 2] or [P, V, C].
        joints: mask of the present joints, bool [P, V].

    Returns:
        Track number of each detection, int [P], in order of first appearance.
    """
    if not len(frame):
        return np.zeros(0, dtype=np.int64)
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError(
            f"matching persons between frames requires SciPy ({error}). Install it with "
            "`pip install scipy`."
        ) from error
    tracks = np.full(len(frame), -1)
    last: list[int] = []  # last observation of each track
    sizes = _sizes(poses, joints)
    for number in np.unique(frame):
        persons = np.flatnonzero(frame == number)
        active = [
            track
            for track, latest in enumerate(last)
            if number - frame[latest] <= MAX_GAP
        ]
        latest = np.array([last[track] for track in active], dtype=np.int64)
        common = joints[latest, None] & joints[persons]  # (tracks, persons, V)
        distances = np.linalg.norm(poses[latest, None] - poses[persons], axis=-1)
        size = np.maximum(sizes[latest, None], sizes[persons]).clip(min=1e-9)
        count = common.sum(axis=-1)
        distance = (distances * common).sum(axis=-1) / count.clip(min=1) / size
        possible = (count > 0) & (distance <= MAX_DISTANCE)
        rows, columns = linear_sum_assignment(np.where(possible, distance, 1e3))
        for row, column in zip(rows, columns, strict=True):
            if possible[row, column]:
                tracks[persons[column]] = active[row]
        for person in persons.tolist():
            if tracks[person] < 0:
                tracks[person] = len(last)
                last.append(person)
            last[tracks[person]] = person
    return tracks


def _sizes(poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the longest side of the bounding box of each detection, [P]."""
    absent = ~joints[..., None]
    low = np.where(absent, np.inf, poses).min(axis=1)
    high = np.where(absent, -np.inf, poses).max(axis=1)
    sizes: np.ndarray = np.max(high - low, axis=-1)
    return sizes
