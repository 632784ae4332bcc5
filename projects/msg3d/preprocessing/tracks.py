"""Persons in single frames, as rows: the same person in the same row throughout.

A row of an annotation file, `keypoint[m]`, is one person over all frames. Pose estimators
return persons in any order, so that taking the first one of each frame as person 0 swaps
persons between frames. Here persons are identified by a tracker, if there was one, and
otherwise matched from frame to frame.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import DataError

# Two poses farther apart than this times their size are different persons.
REACH = 0.5
# A person who was not detected for longer than this returns as another one.
PATIENCE = 30
# Numbers farther apart are most likely not those of frames, but times.
LARGEST_GAP = 3000


class Observations(NamedTuple):
    """P persons in the frames of a video, in any order.

    Attributes:
        frames: int [P], the frame of each, from 0.
        poses: float32 [P, V, C].
        scores: float32 [P, V]; a joint of score 0 is absent.
        identities: of each person, the number of a tracker, or None.
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
    """Sort persons into rows.

    Args:
        observations: the persons of all frames.
        frames: length of the video, T.
        max_persons: maximum number of rows: the persons with the largest sum of scores
            over all frames, who are detected for long and with confidence, largest
            first.
        matched_by: [P, V, 2], coordinates to match by if identities are missing; None
            for the poses.

    Returns:
        `keypoint` float32 [M, T, V, C] and `keypoint_score` float32 [M, T, V], zero where
        a person or a joint is absent, and the number of persons beyond `max_persons`. M
        is 0 if there is no person.

    Raises:
        DataError: an identity appears twice in a frame, and is not the only one.
        ImportError: persons have no identities, and SciPy is not installed.
    """
    poses, scores = observations.poses, observations.scores
    joints = (scores > 0) & poses.any(axis=-1)  # [P, V]
    visible: np.ndarray = np.any(joints, axis=1)
    when = observations.frames[visible]
    poses, scores, joints = poses[visible], scores[visible], joints[visible]
    identities = [
        identity
        for identity, kept in zip(observations.identities, visible, strict=True)
        if kept
    ]
    by = poses if matched_by is None else matched_by[visible]
    tracks = _tracks(when, by, joints, identities)
    names, tracks = np.unique(tracks, return_inverse=True)
    total = np.bincount(tracks, weights=(scores * joints).sum(axis=1))
    best = np.argsort(-total, kind="stable")[:max_persons]
    row = np.full(len(names), -1)
    row[best] = np.arange(len(best))
    kept = row[tracks] >= 0
    place = row[tracks[kept]], when[kept]
    shape = (len(best), frames, poses.shape[1])
    keypoint = np.zeros((*shape, poses.shape[2]), dtype=np.float32)
    keypoint_score = np.zeros(shape, dtype=np.float32)
    keypoint[place] = poses[kept] * joints[kept][..., None]
    keypoint_score[place] = scores[kept] * joints[kept]
    return keypoint, keypoint_score, len(names) - len(best)


def frame_positions(
    numbers: Sequence[int], first: int | None = None
) -> tuple[np.ndarray, int]:
    """Convert the frame numbers of a file to positions from 0.

    The lowest number becomes 0; a number that is missing in between is a frame without
    persons. Frames before the lowest and after the highest number are unknown.

    Args:
        numbers: in any order, repeated or not; at least one.
        first: the number that becomes 0; None for the lowest.

    Returns:
        int [len(numbers)], and the length of the video, T.

    Raises:
        DataError: two consecutive numbers are more than 3000 apart.
    """
    start = min(numbers) if first is None else first
    known = np.unique(np.array([start, *numbers], dtype=object))
    for before, after in itertools.pairwise(known):
        if after - before > LARGEST_GAP:
            raise DataError(
                f"frame {before} is followed by frame {after}, expected consecutive "
                f"numbers with gaps of at most {LARGEST_GAP}",
                kind="frame-numbers",
            )
    positions = np.array([number - start for number in numbers], dtype=np.int64)
    return positions, int(known[-1] - start) + 1


def _tracks(
    when: np.ndarray,
    poses: np.ndarray,
    joints: np.ndarray,
    identities: Sequence[int | None],
) -> np.ndarray:
    """Return the track of each person, int [P]; equal identities are equal tracks."""
    repeated = [
        pair
        for pair, times in Counter(zip(when.tolist(), identities, strict=True)).items()
        if times > 1 and pair[1] is not None
    ]
    if repeated:
        if len(set(identities)) > 1:
            frame, identity = min(repeated)
            raise DataError(
                f"identity {identity} belongs to two persons in frame {frame}, expected "
                "one",
                kind="persons",
            )
        # Without a tracker, AlphaPose gives every person the identity 0.
        identities = [None] * len(identities)
    tracks = np.full(len(when), -1)
    numbered = {name: place for place, name in enumerate(dict.fromkeys(identities))}
    numbered.pop(None, None)
    unnamed = np.array([identity is None for identity in identities], dtype=bool)
    tracks[~unnamed] = [numbered[each] for each in identities if each is not None]
    tracks[unnamed] = len(identities) + _match(
        when[unnamed], poses[unnamed], joints[unnamed]
    )
    return tracks


def _match(when: np.ndarray, poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Match persons without identities by their distance from frame to frame.

    The distance between the last pose of a track and a person is the mean distance of
    the joints that both have, in units of the larger person's size. The sum over all
    pairs of a frame is minimized (Hungarian method); pairs beyond `REACH` are not formed.

    Args:
        when: [P]; poses: [P, V, 2]; joints: bool [P, V].

    Returns:
        int [P], numbered in the order of appearance.
    """
    if not len(when):
        return np.zeros(0, dtype=np.int64)
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError(
            f"matching persons between frames requires SciPy ({error}): pip install scipy"
        ) from error
    tracks = np.full(len(when), -1)
    last: list[int] = []  # the latest observation of each track
    sizes = _sizes(poses, joints)
    for frame in np.unique(when):
        here = np.flatnonzero(when == frame)
        alive = [
            track
            for track, latest in enumerate(last)
            if frame - when[latest] <= PATIENCE
        ]
        latest = np.array([last[track] for track in alive], dtype=np.int64)
        both = joints[latest, None] & joints[here]  # [tracks, persons, V]
        apart = np.linalg.norm(poses[latest, None] - poses[here], axis=-1)
        size = np.maximum(sizes[latest, None], sizes[here]).clip(min=1e-9)
        count = both.sum(axis=-1)
        distance = (apart * both).sum(axis=-1) / count.clip(min=1) / size
        possible = (count > 0) & (distance <= REACH)
        rows, columns = linear_sum_assignment(np.where(possible, distance, 1e3))
        for row, column in zip(rows, columns, strict=True):
            if possible[row, column]:
                tracks[here[column]] = alive[row]
        for person in here.tolist():
            if tracks[person] < 0:
                tracks[person] = len(last)
                last.append(person)
            last[tracks[person]] = person
    return tracks


def _sizes(poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the longer side of the box around the joints of each person, [P]."""
    absent = ~joints[..., None]
    low = np.where(absent, np.inf, poses).min(axis=1)
    high = np.where(absent, -np.inf, poses).max(axis=1)
    sizes: np.ndarray = np.max(high - low, axis=-1)
    return sizes
