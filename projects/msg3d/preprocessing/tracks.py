"""From persons frame by frame to tracks: the same person in the same row throughout.

A row of an annotation file, `keypoint[m]`, is one person over all frames. Pose estimators
give persons in the order in which they were found in each frame, so that taking the
first for person 0 swaps persons from frame to frame. Here an identity that a tracker
gave is used; where there is none, persons are matched from frame to frame.
"""

from collections import Counter
from typing import NamedTuple, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import DataError

# Farther than this times their size, two poses are different persons.
REACH = 0.5
# A person not seen for longer than this comes back as another one.
PATIENCE = 30
# Farther apart, frame numbers are most likely something else, such as times.
LARGEST_GAP = 3000


class Observations(NamedTuple):
    """P persons found in the frames of one video, in any order.

    Attributes:
        frames: int [P], the frame each was found in, from 0.
        poses: float32 [P, V, C].
        scores: float32 [P, V]; a joint of score 0 is absent.
        identities: of each person, a tracker's number, or None where it gave none.
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
    """The persons as rows.

    Args:
        observations: who was found where.
        frames: length of the video, T.
        max_persons: rows at most: those of the largest sum of scores over all frames,
            which were seen long and surely, largest first.
        matched_by: [P, V, 2], coordinates to match by where identities are missing;
            None for the poses.

    Returns:
        `keypoint` float32 [M, T, V, C] and `keypoint_score` float32 [M, T, V], zero where
        a person or a joint is absent, and the number of persons for whom there was
        no row. M is 0 if there is nobody.

    Raises:
        DataError: an identity stands twice in a frame, and is not the only one.
    """
    poses, scores = observations.poses, observations.scores
    joints = (scores > 0) & poses.any(axis=-1)  # [P, V]
    somebody = joints.any(axis=1)
    when = observations.frames[somebody]
    poses, scores, joints = poses[somebody], scores[somebody], joints[somebody]
    identities = [one for one, kept in zip(observations.identities, somebody) if kept]
    by = poses if matched_by is None else matched_by[somebody]
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
    """Numbers of frames, as a file has them, as places from 0.

    The lowest number becomes 0; one that is missing in between is a frame without
    anybody. What comes before the lowest and after the highest is not known.

    Args:
        numbers: in any order, repeated or not; at least one.
        first: the number that becomes 0; None for the lowest.

    Returns:
        int [len(numbers)], and the length of the video, T.

    Raises:
        DataError: two that follow one another are more than 3000 apart.
    """
    start = min(numbers) if first is None else first
    known = np.unique(np.array([start, *numbers], dtype=object))
    for before, after in zip(known, known[1:]):
        if after - before > LARGEST_GAP:
            raise DataError(
                f"frame {before} is followed by frame {after}, expected numbers that "
                f"follow one another, with gaps of {LARGEST_GAP} at most"
            )
    places = np.array([number - start for number in numbers], dtype=np.int64)
    return places, int(known[-1] - start) + 1


def _tracks(when, poses, joints, identities) -> np.ndarray:
    """int [P]: the track of each person; equal identities are equal tracks."""
    twice = [
        pair
        for pair, times in Counter(zip(when.tolist(), identities)).items()
        if times > 1 and pair[1] is not None
    ]
    if twice:
        if len(set(identities)) > 1:
            frame, identity = min(twice)
            raise DataError(
                f"identity {identity} belongs to two persons in frame {frame}, expected "
                "one"
            )
        # AlphaPose without a tracker gives everybody the identity 0.
        identities = [None] * len(identities)
    tracks = np.full(len(when), -1)
    numbered = {name: place for place, name in enumerate(dict.fromkeys(identities))}
    numbered.pop(None, None)
    unnamed = np.array([one is None for one in identities], dtype=bool)
    tracks[~unnamed] = [numbered[one] for one in identities if one is not None]
    tracks[unnamed] = len(identities) + _match(
        when[unnamed], poses[unnamed], joints[unnamed]
    )
    return tracks


def _match(when: np.ndarray, poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Tracks of persons without identities, by distance from frame to frame.

    Between a track's last pose and a person, that is the mean distance of the joints
    that both have, in units of the larger of the two; the sum over all pairs of a
    frame is made least (Hungarian method), and pairs beyond `REACH` are not made.

    Args:
        when: [P]; poses: [P, V, 2]; joints: bool [P, V].

    Returns:
        int [P], numbered in the order of appearance.
    """
    tracks = np.full(len(when), -1)
    last: list[int] = []  # of each track, its latest observation
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
        for row, column in zip(rows, columns):
            if possible[row, column]:
                tracks[here[column]] = alive[row]
        for person in here:
            if tracks[person] < 0:
                tracks[person] = len(last)
                last.append(person)
            last[tracks[person]] = person
    return tracks


def _sizes(poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The larger side of the box about the joints of each person, [P]."""
    absent = ~joints[..., None]
    low = np.where(absent, np.inf, poses).min(axis=1)
    high = np.where(absent, -np.inf, poses).max(axis=1)
    return (high - low).max(axis=-1)
