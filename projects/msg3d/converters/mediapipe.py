"""MediaPipe Pose, 33 landmarks a person, as 2D or 3D annotations.

`mediapipe_json.py` and `mediapipe_csv.py` say which forms are read, and
`labelled_files.py` where labels come from.

`coordinates="image"` takes x and y of the image, parts of it with y down, and visibility
as the score. `coordinates="world"` takes metres in x, y (down) and z, whose origin is
between the hips in every frame: where a person goes is not in them. They have no
scores, since models for 3D take none.

A file with at most one person a frame holds one person. Where there are several they
are matched by the landmarks of the image from frame to frame (`tracks.py`).
"""

from functools import partial

import numpy as np

from ..errors import DataError, SkipFile
from ..formats.mediapipe_csv import read_landmark_table
from ..formats.mediapipe_json import read_landmarks
from ..preprocessing.tracks import Observations, frame_positions, join_tracks
from ..skeletons import layout_meta
from .coco_json import MAX_NORMALIZED, NOBODY
from .label_list import without_suffix
from .labelled_files import convert_labelled

HIPS = (23, 24)
# The origin in metres is between the hips, to a centimetre or so.
ORIGIN = 0.05


def parse_video(
    path: str, content: bytes, coordinates: str = "image", max_persons: int = 5
) -> list[dict]:
    """One file as a sample, the only one of the list.

    Args:
        path: where it came from, the sample's id without its suffix.
        content: JSON or csv.
        coordinates: "image" or "world".
        max_persons: rows at most.

    Returns:
        dict(frame_dir, total_frames, keypoint float32 [M, T, 33, C], notes): with C = 2
        and `keypoint_score` float32 [M, T, 33], or with C = 3.

    Raises:
        DataError: what is wrong, where, and what was expected.
        SkipFile: nobody is seen.
    """
    if path.endswith(".csv"):
        found = read_landmark_table(content)
    else:
        found = read_landmarks(content, coordinates)
    persons = found.persons
    if not len(persons):
        raise SkipFile(NOBODY)
    _check_coordinates(persons, coordinates)
    places, frames = frame_positions([*found.numbers, *found.frames])
    alone = len(set(found.frames)) == len(found.frames)
    if not alone and found.image is None:
        raise DataError(
            "has several persons in a frame and no landmarks of the image to tell them "
            "apart by: world coordinates begin at everybody's own hips"
        )
    scores, channels = persons[..., 3], 2
    if coordinates == "world":
        # A joint has a place in metres however unsure it is.
        scores, channels = np.ones_like(scores), 3
    keypoint, score, without = join_tracks(
        Observations(
            places[len(found.numbers) :],
            persons[..., :channels],
            scores,
            [0 if alone else None] * len(persons),
        ),
        frames,
        max_persons,
        matched_by=None if alone else found.image[..., :2],
    )
    if not len(keypoint):
        raise SkipFile(NOBODY)
    sample = dict(frame_dir=without_suffix(path), total_frames=frames)
    sample["keypoint"] = keypoint
    if coordinates == "image":
        sample["keypoint_score"] = score
    if without:
        sample["notes"] = {f"persons beyond --max-persons {max_persons}": without}
    return [sample]


def _check_coordinates(persons: np.ndarray, coordinates: str) -> None:
    """Refuses coordinates of the one kind where the other is asked for."""
    hips = np.abs(persons[:, HIPS, :2].mean(axis=1)).max(axis=-1)  # [P]
    at_hips = float(np.median(hips)) <= ORIGIN
    if coordinates == "world" and not at_hips:
        raise DataError(
            f"has the hips {np.median(hips):.2g} from 0, expected the world landmarks, "
            "which begin there: give --coordinates image for those of the image"
        )
    largest = float(np.abs(persons[..., :2]).max())
    if coordinates == "image" and (at_hips or largest > 10 * MAX_NORMALIZED):
        raise DataError(
            f"has the hips {np.median(hips):.2g} from 0 and a largest coordinate of "
            f"{largest:.2g}, expected parts of the image: give --coordinates world for "
            "metres, and leave pixels undone"
        )


def convert_mediapipe(
    raw: str,
    out: str,
    allow_bad: bool = False,
    jobs: int | None = None,
    coordinates: str = "image",
    list_file: str | None = None,
    img_shape: tuple[int, int] | None = None,
    max_persons: int = 5,
) -> dict:
    """Convert a folder of landmarks into an annotation file and report on it.

    Args:
        raw: folder or zip of .json or of .csv files.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.
        coordinates: "image", 2D, or "world", 3D in metres.
        list_file: csv of labels; None if folders say them. See `labelled_files`.
        img_shape: (height, width) of the videos, for pixels in place of parts of the
            image; a list may say it of each.
        max_persons: rows a video at most, those of the largest sum of scores.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: as `labelled_files.convert_labelled`.
    """
    return convert_labelled(
        raw,
        (".json", ".csv"),
        partial(parse_video, coordinates=coordinates, max_persons=max_persons),
        out,
        meta=dict(layout="mediapipe33", **layout_meta("mediapipe33")),
        units="metres, y down" if coordinates == "world" else None,
        normalized=coordinates == "image",
        list_file=list_file,
        img_shape=img_shape,
        allow_bad=allow_bad,
        jobs=jobs,
    )
