"""SBU Kinect Interaction (Yun et al., CVPR Workshops 2012) as annotations.

The release is `PAIR/ACTION/RUN/skeleton_pos.txt`, as `s01s02/01/001/skeleton_pos.txt`:
eight interactions of two persons, 21 pairs of seven people, 282 sequences at 15 frames
a second. A line is a frame: its number, and (x, y, z) of 15 joints of the first
person, then of the second, with commas between: 91 fields.

The release's numbers are world coordinates brought to the range of the image, x and y
in 0..1 with y down, so one unit is 2.56 m of x, 1.92 m of y and 1.28 m of z. Its
authors' formula takes that back: x' = 1280 - 2560 x, y' = 960 - 1920 y,
z' = 10000 z / 7.8125, millimetres, y up and x to the left of the image. Bones then
keep their length: neck to torso varies by 0.1 % within a sequence (median), by 1 % as
released. `units="metres"` gives these, divided by 1000; `units="raw"` the release's
own. Turning a skeleton makes sense in metres only.

Splits `fold1` to `fold5`: the published five folds by pair of people. The same
persons do occur on both sides, in other pairs. Report the mean of the five.
"""

import re
from functools import partial

import numpy as np

from ..errors import DataError
from ..io.number_lines import as_float32, read_number_lines
from ..skeletons import layout_meta
from .convert import Splits, convert

RELEASED_FILES = 282
SUFFIX = "skeleton_pos.txt"
PATH = re.compile(r"(?:.*/)?(s\d\ds\d\d)/(\d\d)/(\d\d\d)/skeleton_pos\.txt")
CLASSES = (
    *("approaching", "departing", "kicking", "pushing"),
    *("shaking hands", "hugging", "exchanging object", "punching"),
)
PERSONS, JOINTS = 2, 15
# Tested on these pairs, trained on all others.
FOLDS = (
    ("s01s02", "s03s04", "s05s02", "s06s04"),
    ("s02s03", "s02s07", "s03s05", "s05s03"),
    ("s01s03", "s01s07", "s07s01", "s07s03"),
    ("s02s01", "s02s06", "s03s02", "s03s06"),
    ("s04s02", "s04s03", "s04s06", "s06s02", "s06s03"),
)
PAIRS = tuple(sorted(pair for fold in FOLDS for pair in fold))
UNITS = {
    "raw": "the release's own: x and y in 0..1 of the image, y down, z scaled",
    "metres": "metres, y up",
}
_OFFSET = np.array([1.28, 0.96, 0])
_SCALE = np.array([-2.56, -1.92, 1.28])


def parse_sequence(path: str, content: bytes, units: str = "raw") -> list[dict]:
    """One text file as a sample, the only one of the list.

    Args:
        path: where it came from; it ends in PAIR/ACTION/RUN/skeleton_pos.txt.
        content: a line a frame: its number, and 2 x 15 x 3 coordinates.
        units: "raw" or "metres".

    Returns:
        dict(frame_dir, label 0..7, total_frames, keypoint float32 [2, T, 15, 3],
        notes).

    Raises:
        DataError: what is wrong, in which line, and what was expected. A file that ends
            between two frames cannot be told from a shorter one.
    """
    match = PATH.fullmatch(path)
    if match is None:
        raise DataError(
            "the path does not end in PAIR/ACTION/RUN/skeleton_pos.txt, as "
            "s01s02/01/001/skeleton_pos.txt does: keep the release's folders"
        )
    pair, action, run = match.groups()
    if pair not in PAIRS:
        raise DataError(f"the path says pair {pair}, expected one of {list(PAIRS)}")
    if not 1 <= int(action) <= len(CLASSES):
        raise DataError(f"the path says action {action}, expected 01 to 08")
    lines = read_number_lines(content, 1 + PERSONS * JOINTS * 3, separator=",")
    numbers = lines[:, 0]
    odd = numbers != np.floor(numbers)
    if odd.any():
        line = int(np.argmax(odd))
        raise DataError(
            f"the first field is {numbers[line]:g}, expected the number of the frame",
            line=line + 1,
        )
    coordinates = lines[:, 1:].reshape(-1, PERSONS, JOINTS, 3)
    if units == "metres":
        present = coordinates.any(axis=-1, keepdims=True)
        coordinates = (coordinates * _SCALE + _OFFSET) * present
    keypoint = as_float32(coordinates).swapaxes(0, 1).copy()  # [M, T, V, C]
    if not keypoint.any():
        raise DataError(f"every joint is zero in all {len(lines)} frames")
    sample = dict(
        frame_dir=f"{pair}_a{action}_{run}",
        label=int(action) - 1,
        total_frames=len(lines),
        keypoint=keypoint,
    )
    jumps = int(np.sum(np.diff(numbers) != 1))
    if jumps:
        what = "frame numbers that do not follow the one before (all frames are kept)"
        sample["notes"] = {what: jumps}
    return [sample]


def make_splits(samples: list[dict]) -> Splits:
    """(train, val) ids of each fold."""
    names = [sample["frame_dir"] for sample in samples]
    return {
        f"fold{number}": (
            [name for name in names if pair_of(name) not in fold],
            [name for name in names if pair_of(name) in fold],
        )
        for number, fold in enumerate(FOLDS, 1)
    }


def pair_of(name: str) -> str:
    """`s01s02_a01_001` -> `s01s02`."""
    return name.partition("_")[0]


def convert_sbu(
    raw: str,
    out: str,
    allow_bad: bool = False,
    jobs: int | None = None,
    units: str = "raw",
) -> dict:
    """Convert the release into an annotation file and report on it.

    Args:
        raw: folder or archive of the release.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.
        units: "raw" or "metres"; see above.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or holds no such file.
    """
    return convert(
        raw,
        SUFFIX,
        partial(parse_sequence, units=units),
        out,
        splits=make_splits,
        meta=partial(_meta, units=units),
        units=UNITS[units],
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
    )


def _meta(samples: list[dict], units: str) -> dict:
    names = [sample["frame_dir"] for sample in samples]
    meta = dict(classes=list(CLASSES), **layout_meta("sbu15"))
    # Files of this data set have (neck, torso); the layout sbu15, which graphs are
    # made of, has it towards the centre.
    meta["inward"] = [(1, 2) if bone == (2, 1) else bone for bone in meta["inward"]]
    if units != "raw":
        meta["units"] = units
    return dict(**meta, pair={name: pair_of(name) for name in names})
