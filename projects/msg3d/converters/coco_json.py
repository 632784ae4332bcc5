"""Videos with COCO's 17 joints, as 2D pose estimators write them, as annotations.

`estimator_json.py` says which forms are read, and `labelled_files.py` where labels come
from. A file is a video, or, where the estimator wrote a file an image, a frame of the
video that its folder is: `train/CLASS/VIDEO/FRAME.json`.

Of 26 joints (Halpe), 133 (COCO-WholeBody) and 136 (Halpe full body) the first 17, which
are COCO's, are kept. Persons become rows as `tracks.py` says: by the tracker's identity
where there is one, else matched from frame to frame.
"""

from collections import defaultdict
from functools import partial

import numpy as np

from ..errors import DataError, SkipFile
from ..formats.estimator_guess import guess_form
from ..formats.estimator_json import JOINTS, Persons, frame_number, read_persons
from ..io.json_data import read_json, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from ..skeletons import layout_meta
from ..skeletons.units import MAX_NORMALIZED
from .label_list import without_suffix
from .labelled_files import convert_labelled
from .parse_files import (
    Parsed,
)

COUNTS = (17, 26, 133, 136)
NOBODY = "nobody in any frame"


def parse_video(
    path: str,
    content: bytes,
    form: str | None = None,
    max_persons: int = 5,
    normalized: bool = False,
) -> list[dict]:
    """One file: a video, or a frame of one.

    Args:
        path: where it came from, the sample's id without its suffix.
        content: JSON.
        form: see `estimator_json`; None to guess it.
        max_persons: rows at most.
        normalized: whether coordinates are parts of the image instead of pixels.

    Returns:
        A video as dict(frame_dir, total_frames, keypoint float32 [M, T, 17, 2],
        keypoint_score float32 [M, T, 17], notes) and `img_shape` where known; a
        frame as dict(frame_dir, form, poses, scores, identities), to be joined by
        `join_frames`.

    Raises:
        DataError: what is wrong, where, and what was expected.
        SkipFile: a video without anybody.
    """
    data, name = read_json(content), without_suffix(path)
    known = (form or guess_form(data)) if data != [] else None
    persons = Persons(single=data == []) if known is None else read_persons(data, known)
    poses, scores = _arrays(persons)
    _check_units(poses, scores, normalized)
    notes = {f"read as the output of {known}": 1}
    if persons.single:
        frame = dict(frame_dir=name, form=known, poses=poses, scores=scores)
        return [{**frame, "identities": persons.identities}]
    if not persons.frames:
        raise SkipFile(NOBODY)
    places, frames = frame_positions([*persons.numbers, *persons.frames])
    when = places[len(persons.numbers) :]
    found = Observations(when, poses, scores, persons.identities)
    return [_sample(name, found, frames, max_persons, notes, persons.img_shape)]


def join_frames(parsed: Parsed, max_persons: int) -> Parsed:
    """The files that are frames, joined to the videos that their folders are."""
    videos, folders = [], defaultdict(list)
    refused = list(parsed.refused)
    left_out = {reason: list(names) for reason, names in parsed.left_out.items()}
    for sample in parsed.samples:
        if "poses" in sample:
            folders[sample["frame_dir"].rpartition("/")[0]].append(sample)
        else:
            videos.append(sample)
    for folder, frames in folders.items():
        names = [f"{frame['frame_dir']}.json" for frame in frames]
        if not any(len(frame["poses"]) for frame in frames):
            left_out.setdefault(NOBODY, []).extend(names)
            continue
        try:
            videos.append(_joined(folder, frames, max_persons))
        except DataError as error:
            refused.append(dict(file=folder or names[0], why=str(error)))
        except SkipFile as reason:
            left_out.setdefault(str(reason), []).extend(names)
    videos.sort(key=lambda sample: sample["frame_dir"])
    return parsed._replace(samples=videos, refused=refused, left_out=left_out)


def _joined(folder: str, frames: list[dict], max_persons: int) -> dict:
    names = [frame["frame_dir"].rpartition("/")[2] for frame in frames]
    numbers = [frame_number(name, "the name of a frame's file") for name in names]
    if len(set(numbers)) < len(numbers):
        raise DataError(
            f"two frames have the same number, of {names[0]}.json and others"
        )
    places, length = frame_positions(numbers)
    when = np.repeat(places, [len(frame["poses"]) for frame in frames])
    poses = np.concatenate([frame["poses"] for frame in frames])
    scores = np.concatenate([frame["scores"] for frame in frames])
    identities = [one for frame in frames for one in frame["identities"]]
    found = Observations(when, poses, scores, identities)
    forms = sorted({frame["form"] for frame in frames if frame["form"]})
    notes = {f"read as the output of {form}, a file a frame": 1 for form in forms}
    return _sample(folder, found, length, max_persons, notes)


def _sample(name, found, frames, max_persons, notes, shape=None) -> dict:
    keypoint, score, without = join_tracks(found, frames, max_persons)
    if not len(keypoint):
        raise SkipFile(NOBODY)
    if without:
        notes = {**notes, f"persons beyond --max-persons {max_persons}": without}
    sample = dict(
        frame_dir=name,
        total_frames=frames,
        keypoint=keypoint,
        keypoint_score=score,
        notes=notes,
    )
    return sample if shape is None else {**sample, "img_shape": shape}


def _arrays(persons: Persons) -> tuple[np.ndarray, np.ndarray]:
    """Poses [P, 17, 2] and scores [P, 17] of all persons of a file."""
    first = persons.joints[0] if persons.joints else JOINTS
    joints = len(first) if isinstance(first, list | tuple) else 0
    if joints not in COUNTS:
        raise DataError(
            f"{persons.places[0]}.keypoints has {joints} joints, expected 17 of COCO, or "
            "26, 133 or 136, which begin with those"
        )
    poses = stack_numbers(
        persons.joints, (joints, 2), lambda one: f"{persons.places[one]}.keypoints"
    )
    scores = stack_numbers(
        persons.scores, (joints,), lambda one: f"{persons.places[one]}'s scores"
    )
    return poses[:, : len(JOINTS)], scores[:, : len(JOINTS)]


def _check_units(poses: np.ndarray, scores: np.ndarray, normalized: bool) -> None:
    largest = np.abs(poses[scores > 0]).max(initial=0)
    if normalized and largest > MAX_NORMALIZED:
        raise DataError(
            f"has a coordinate of {largest:g}, expected parts of the image, 0..1, as "
            "--normalized says"
        )
    if not normalized and 0 < largest <= MAX_NORMALIZED:
        raise DataError(
            f"has no coordinate beyond {largest:g}, expected pixels: give --normalized if "
            "they are parts of the image"
        )


def convert_coco_json(
    raw: str,
    out: str,
    allow_bad: bool = False,
    jobs: int | None = None,
    form: str | None = None,
    list_file: str | None = None,
    img_shape: tuple[int, int] | None = None,
    max_persons: int = 5,
    normalized: bool = False,
) -> dict:
    """Convert a folder of estimators' JSON into an annotation file and report on it.

    Args:
        raw: folder or archive of JSON files.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.
        form: "mmpose", "alphapose", "coco" or "yolo"; None to guess it for each file.
        list_file: csv of labels; None if folders say them. See `labelled_files`.
        img_shape: (height, width) where neither list nor file says it.
        max_persons: rows a video at most, those of the largest sum of scores.
        normalized: whether coordinates are parts of the image instead of pixels.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: as `labelled_files.convert_labelled`.
    """
    return convert_labelled(
        raw,
        (".json",),
        partial(parse_video, form=form, max_persons=max_persons, normalized=normalized),
        out,
        meta=dict(layout="coco", **layout_meta("coco")),
        normalized=normalized,
        list_file=list_file,
        img_shape=img_shape,
        join=partial(join_frames, max_persons=max_persons),
        allow_bad=allow_bad,
        jobs=jobs,
    )
