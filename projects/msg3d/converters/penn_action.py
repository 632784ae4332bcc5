"""Converter for Penn Action (Zhang, Zhu and Derpanis, ICCV 2013).

The release contains a MATLAB file `Penn_Action/labels/NNNN.mat` for each of 2326 videos
of 15 sports. Its fields are `action`, `pose` (the side facing the camera), `train` (1 or
-1), `dimensions` (height, width, frames), and `x`, `y`, and `visibility` [T, 13] of
manually annotated joints. The data are free for research with citation.
https://dreamdragon.github.io/PennAction/

Coordinates are in pixels with y down. `keypoint_score` is the visibility. Invisible
joints have a position too, often (1, 1). The splits `train` and `val` are those of the
release. The videos are not needed.
"""

import re
from pathlib import PurePosixPath

import numpy as np

from ..errors import DataError
from ..io import StrPath
from ..io.mat_file import read_mat
from ..io.number_lines import as_float32
from ..skeletons import layout_meta
from .convert import Splits, convert
from .parse_files import Parsed

RELEASED_FILES = 2326
SUFFIX = ".mat"
NAME = re.compile(r"\d{4}")
LAYOUT, JOINTS = "penn13", 13
CLASSES = (
    *("baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk"),
    *("golf_swing", "jump_rope", "jumping_jacks", "pullup", "pushup", "situp"),
    *("squat", "strum_guitar", "tennis_forehand", "tennis_serve"),
)
VIEWS = ("back", "front", "left", "right")
FIELDS = ("action", "pose", "x", "y", "visibility", "train", "dimensions")
# The largest file of the release has 663 frames, 0.3 MB without compression.
MAX_BYTES = 2**20


def parse_video(path: str, content: bytes) -> list[dict]:
    """Parse a Penn Action `.mat` file.

    Args:
        path: path of the file. The file name is the number of the video.
        content: content of the file, in the format of MATLAB version 5.

    Returns:
        A list of one sample, dict(frame_dir, label 0..14, total_frames, keypoint float32
        [1, T, 13, 2], keypoint_score float32 [1, T, 13], img_shape, original_shape, view,
        side, notes).

    Raises:
        DataError: the name or a field is invalid.
    """
    stem = PurePosixPath(path).stem
    if NAME.fullmatch(stem) is None:
        raise DataError("the file name does not match NNNN.mat", kind="file-name")
    fields = _load(content)
    x, y, visibility = (_joints(fields, field) for field in ("x", "y", "visibility"))
    if not x.shape == y.shape == visibility.shape:
        raise DataError(
            f"'x', 'y', and 'visibility' have shapes {x.shape}, {y.shape}, and "
            f"{visibility.shape}, expected the same [frames, {JOINTS}]",
            kind="shape",
            field="x",
        )
    if not np.isin(visibility, (0, 1)).all():
        raise DataError(
            "'visibility' contains values other than 0 and 1",
            kind="score",
            field="visibility",
        )
    height, width, frames = _numbers(fields, "dimensions", 3)
    if min(height, width) < 1:
        raise DataError(
            f"'dimensions' is {height} x {width}, expected at least 1 x 1 pixels",
            kind="img-shape",
            field="dimensions",
        )
    (train,) = _numbers(fields, "train", 1)
    if train not in (1, -1):
        raise DataError(
            f"'train' is {train}, expected 1 or -1", kind="split", field="train"
        )
    keypoint = as_float32(np.stack([x, y], axis=-1))  # (T, V, C)
    sample = {
        "frame_dir": stem,
        "label": CLASSES.index(_word(fields, "action", CLASSES)),
        "total_frames": len(keypoint),
        "keypoint": keypoint[None],
        "keypoint_score": visibility.astype(np.float32)[None],
        "img_shape": (height, width),
        "original_shape": (height, width),
        "view": _word(fields, "pose", VIEWS),
        "side": "train" if train == 1 else "val",
    }
    if frames != len(keypoint):
        note = "difference between the numbers of video frames and annotated frames"
        sample["notes"] = {note: abs(frames - len(keypoint))}
    return [sample]


def _load(content: bytes) -> dict[str, np.ndarray | str]:
    fields = read_mat(content)
    for name in FIELDS:
        if name not in fields:
            raise DataError(
                f"{name!r} is missing, expected the fields {', '.join(FIELDS)}",
                kind="structure",
                field=name,
            )
    return fields


def _real(fields: dict[str, np.ndarray | str], name: str) -> np.ndarray:
    array = fields[name]
    if isinstance(array, str):
        raise DataError(
            f"{name!r} is {array[:40]!r}, expected numbers", kind="dtype", field=name
        )
    if not np.isfinite(array).all():
        raise DataError(
            f"{name!r} contains NaN or infinity", kind="not-finite", field=name
        )
    return array


def _joints(fields: dict[str, np.ndarray | str], name: str) -> np.ndarray:
    array = _real(fields, name)
    if array.ndim != 2 or array.shape[1] != JOINTS or not len(array):
        raise DataError(
            f"{name!r} has shape {array.shape}, expected [frames, {JOINTS}]",
            kind="shape",
            field=name,
        )
    return array


def _numbers(fields: dict[str, np.ndarray | str], name: str, count: int) -> list[int]:
    array = _real(fields, name)
    if array.size != count or (array != np.floor(array)).any():
        raise DataError(
            f"{name!r} is {array.ravel()[:9].tolist()}, expected {count} "
            f"integer{'s' * (count > 1)}",
            kind="number",
            field=name,
        )
    return [int(number) for number in array.ravel()]


def _word(
    fields: dict[str, np.ndarray | str], name: str, known: tuple[str, ...]
) -> str:
    word = fields[name]
    if not isinstance(word, str) or word not in known:
        raise DataError(
            f"{name!r} is {str(word)[:40]!r}, expected one of {', '.join(known)}",
            kind="label",
            field=name,
        )
    return word


def make_splits(samples: list[dict], sides: dict[str, str]) -> Splits:
    """Return protocol -> (train ids, val ids) for the split of the release."""
    names = [sample["frame_dir"] for sample in samples]
    train = [name for name in names if sides[name] == "train"]
    return {"official": (train, [name for name in names if sides[name] == "val"])}


def convert_penn_action(
    raw: StrPath, out: StrPath, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert Penn Action to an annotation file, and write a report.

    Args:
        raw: folder or archive with the `.mat` files, such as Penn_Action/labels.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or contains no `.mat` file.
    """
    views: dict[str, str] = {}
    sides: dict[str, str] = {}

    def complete(parsed: Parsed) -> Parsed:
        for sample in parsed.samples:
            views[sample["frame_dir"]] = sample.pop("view")
            sides[sample["frame_dir"]] = sample.pop("side")
        return parsed

    return convert(
        raw,
        SUFFIX,
        parse_video,
        out,
        splits=lambda samples: make_splits(samples, sides),
        meta=lambda samples: dict(
            classes=list(CLASSES), **layout_meta(LAYOUT), view=views
        ),
        units="px",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
        split_names=lambda protocol: ("train", "val"),
        complete=complete,
        max_bytes=MAX_BYTES,
    )
