"""Kinetics-skeleton (Yan et al., ST-GCN, AAAI 2018) as annotations.

The release holds a JSON a clip in `kinetics_train/` and `kinetics_val/`: up to 300 frames
of Kinetics-400 at 30 a second, the persons of each found by OpenPose with 18 joints.
`kinetics_train_label.json` and `kinetics_val_label.json` beside them name each clip's
side and class:

    {"data": [{"frame_index": 1, "skeleton": [{"pose": [x0, y0, ...],
      "score": [s0, ...]}]}], "label": "abseiling", "label_index": 0}
    {"--07WQ2iBlw": {"has_skeleton": true, "label": "javelin throw",
      "label_index": 166}}

Coordinates are parts of the image, x to the right and y down from the upper left
corner, kept as they are with `img_shape` (1, 1). The authors of ST-GCN subtract 0.5;
those of 2s-AGCN and MS-G3D turn y upwards as well: `CenterPose2D` does either.

Frame 1 becomes frame 0; the authors' arrays begin with an empty frame instead.
Nobody is tracked. Persons become rows in one of two ways:

- `rank`: the first five of a frame are sorted by the sum of their scores, and the
  first two kept, as ST-GCN, 2s-AGCN and MS-G3D do. A row then is a rank, not a person.
- `track`: persons are matched from frame to frame (`tracks.py`); a row is a person.
"""

from functools import partial
from pathlib import PurePosixPath

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import read_json, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from ..skeletons import layout_meta
from .convert import convert
from .kinetics_lists import class_names, find_label_lists, read_label_lists, with_labels

JOINTS = 18
# The authors read no more persons of a frame.
RANKED = 5
UNITS = "parts of the image, 0..1, y down"
NOBODY = "nobody in any frame"


def parse_clip(
    path: str, content: bytes, persons: str = "rank", max_persons: int = 2
) -> list[dict]:
    """One clip as a sample, the only one of the list.

    Args:
        path: where it came from; its last part is the clip's id.
        content: the JSON, as above.
        persons: "rank" or "track".
        max_persons: rows at most.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, 18, 2], keypoint_score
        float32 [M, T, 18], img_shape, class_name, label_index, notes); the label is
        the list's to say.

    Raises:
        DataError: what is wrong, where, and what was expected.
        SkipFile: a label list, or nobody is seen.
    """
    if path.endswith("_label.json"):
        raise SkipFile("label list, not a clip")
    record = read_json(content)
    fields = ("data", "label", "label_index")
    if not isinstance(record, dict) or not set(fields) <= set(record):
        raise DataError(f"expected a JSON object with the fields {list(fields)}")
    name, index, data = record["label"], record["label_index"], record["data"]
    if not isinstance(name, str) or type(index) is not int:
        raise DataError(
            f"label is {name!r:.40} and label_index {index!r:.40}, expected a class name "
            "and a number"
        )
    if not isinstance(data, list):
        raise DataError(f"data is a {type(data).__name__}, expected a list of frames")
    observations, frames = _observations(data)
    notes = {}
    if persons == "track":
        keypoint, score, without = join_tracks(observations, frames, max_persons)
        if without:
            notes[f"persons beyond --max-persons {max_persons}"] = without
    else:
        keypoint, score = _ranked(observations, frames, max_persons)
    if not keypoint.any():
        raise SkipFile(NOBODY)
    sample = dict(
        frame_dir=PurePosixPath(path).stem,
        total_frames=frames,
        img_shape=(1, 1),
        keypoint=keypoint,
        keypoint_score=score,
        class_name=name,
        label_index=index,
        notes=notes,
    )
    return [sample]


def _observations(data: list) -> tuple[Observations, int]:
    """The persons of all frames in the order of the file, and the number of frames."""
    numbers, found, places = [], [], []
    for place, frame in enumerate(data):
        if (
            not isinstance(frame, dict)
            or type(frame.get("frame_index")) is not int
            or not isinstance(frame.get("skeleton"), list)
        ):
            raise DataError(f"data[{place}] is no frame with frame_index and skeleton")
        number = frame["frame_index"]
        if number <= (numbers[-1] if numbers else 0):
            raise DataError(
                f"data[{place}] has frame_index {number}, expected more than "
                f"{numbers[-1] if numbers else 0}: frames count from 1 and upwards"
            )
        numbers.append(number)
        for rank, person in enumerate(frame["skeleton"]):
            if not isinstance(person, dict) or not {"pose", "score"} <= set(person):
                raise DataError(
                    f"data[{place}].skeleton[{rank}] is no object with pose and score"
                )
            found.append(person)
            places.append((place, rank))

    def where(field):
        return lambda one: "data[{}].skeleton[{}].{}".format(*places[one], field)

    poses = stack_numbers([one["pose"] for one in found], (2 * JOINTS,), where("pose"))
    scores = stack_numbers([one["score"] for one in found], (JOINTS,), where("score"))
    if not found:
        raise SkipFile(NOBODY)
    when, frames = frame_positions(numbers, first=1)
    when = when[[place for place, _ in places]]
    poses = poses.reshape(-1, JOINTS, 2)
    return Observations(when, poses, scores, [None] * len(found)), frames


def _ranked(observations: Observations, frames: int, rows: int) -> tuple:
    """Keypoint and score, row m the person of each frame with the (m+1)-th score."""
    when, poses, scores, _ = observations
    place = _places_in_frame(when)
    read = np.flatnonzero(place < max(RANKED, rows))
    best = read[np.lexsort((place[read], -scores[read].sum(axis=1), when[read]))]
    rank = _places_in_frame(when[best])
    best, rank = best[rank < rows], rank[rank < rows]
    shape = (int(rank.max()) + 1, frames, JOINTS)
    keypoint = np.zeros((*shape, 2), dtype=np.float32)
    score = np.zeros(shape, dtype=np.float32)
    seen = (scores[best] > 0) & poses[best].any(axis=-1)
    keypoint[rank, when[best]] = poses[best] * seen[..., None]
    score[rank, when[best]] = scores[best] * seen
    return keypoint, score


def _places_in_frame(when: np.ndarray) -> np.ndarray:
    """How many of the same frame came before, for frames in ascending order."""
    return np.arange(len(when)) - np.searchsorted(when, when)


def convert_kinetics(
    raw: str,
    out: str,
    allow_bad: bool = False,
    jobs: int | None = None,
    persons: str = "rank",
    max_persons: int = 2,
    lists: str | None = None,
) -> dict:
    """Convert the release into an annotation file and report on it.

    Args:
        raw: folder or archive of the release.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.
        persons: "rank" or "track"; see above.
        max_persons: rows at most.
        lists: folder of the label lists; None for `raw`.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or a label list cannot be read.
    """
    paths = find_label_lists(raw if lists is None else lists)
    entries = read_label_lists(paths)
    classes = class_names(entries)
    listed = {clip: entry for side in entries.values() for clip, entry in side.items()}
    unlisted = next((side for side, clips in entries.items() if not clips), None)

    def splits(samples: list[dict]) -> dict:
        """Where a side has no list, its clips are those the other does not name."""
        names = [one["frame_dir"] for one in samples]
        train, val = (
            [
                name
                for name in names
                if name in entries[side] or (side == unlisted and name not in listed)
            ]
            for side in ("train", "val")
        )
        return {"kinetics": (train, val)}

    return convert(
        raw,
        ".json",
        partial(parse_clip, persons=persons, max_persons=max_persons),
        out,
        complete=partial(
            with_labels, listed=listed, unlisted=unlisted, classes=classes
        ),
        splits=splits,
        split_names=lambda _: ("train", "val"),
        meta=lambda _: dict(
            classes=classes,
            layout="openpose",
            units=UNITS,
            persons=persons,
            **layout_meta("openpose"),
        ),
        units=UNITS,
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=sum(entry["has_skeleton"] for entry in listed.values()),
        released=f"in the label {'lists' if len(paths) > 1 else 'list'} found",
        used=paths.values(),
    )
