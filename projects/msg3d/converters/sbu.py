"""Converter for SBU Kinect Interaction (Yun et al., CVPR Workshops 2012).

The release contains 282 files `PAIR/ACTION/RUN/skeleton_pos.txt`, such as
`s01s02/01/001/skeleton_pos.txt` (see `formats.sbu`): eight interactions between two
persons, recorded with 21 pairs of seven people at 15 frames per second.

In the release, x and y are fractions of the image with y down, and z is scaled
(`units="unscaled"`). `units="m"` converts the coordinates to meters. Rotating a skeleton
is only meaningful in meters.

`fold1` to `fold5` are the published five folds by pair. The same persons occur in
training and test, in different pairs. Report the mean of the five folds.
"""

import re
from functools import partial

from ..errors import ConfigError, DataError
from ..formats.sbu import LAYOUT, read_frames
from ..io import StrPath
from ..skeletons import layout_meta
from ..skeletons.units import unit_name
from .convert import Splits, convert

RELEASED_FILES = 282
SUFFIX = "skeleton_pos.txt"
PATH = re.compile(r"(?:.*/)?(s\d\ds\d\d)/(\d\d)/(\d\d\d)/skeleton_pos\.txt")
CLASSES = (
    *("approaching", "departing", "kicking", "pushing"),
    *("shaking hands", "hugging", "exchanging object", "punching"),
)
# Test pairs of each fold. All other pairs are for training.
FOLDS = (
    ("s01s02", "s03s04", "s05s02", "s06s04"),
    ("s02s03", "s02s07", "s03s05", "s05s03"),
    ("s01s03", "s01s07", "s07s01", "s07s03"),
    ("s02s01", "s02s06", "s03s02", "s03s06"),
    ("s04s02", "s04s03", "s04s06", "s06s02", "s06s03"),
)
PAIRS = tuple(sorted(pair for fold in FOLDS for pair in fold))
UNITS = {
    "unscaled": "as released: x and y are fractions of the image, y down, z scaled",
    "m": "meters, y up",
}


def units_name(text: str) -> str:
    """Return the key of UNITS for a unit in any spelling that `unit_name` accepts.

    "raw" is another name for "unscaled".

    Raises:
        ConfigError: the unit is unsupported (kind `unit`).
    """
    name = "unscaled" if text == "raw" else unit_name(text)
    if name not in UNITS:
        raise ConfigError(
            f"the unit is {text!r}, expected one of {', '.join(UNITS)}", kind="unit"
        )
    return name


def parse_sequence(path: str, content: bytes, units: str = "unscaled") -> list[dict]:
    """Parse an SBU `skeleton_pos.txt` file.

    Args:
        path: path of the file, which ends with PAIR/ACTION/RUN/skeleton_pos.txt.
        content: content of the file.
        units: "unscaled" or "m"; see `units_name`.

    Returns:
        A list of one sample, dict(frame_dir, label 0..7, total_frames, keypoint float32
        [2, T, 15, 3], notes).

    Raises:
        DataError: the path or a line is invalid.
    """
    match = PATH.fullmatch(path)
    if match is None:
        raise DataError(
            "the path does not end with PAIR/ACTION/RUN/skeleton_pos.txt, such as "
            "s01s02/01/001/skeleton_pos.txt. Keep the folders of the release.",
            kind="file-name",
        )
    pair, action, run = match.groups()
    if pair not in PAIRS:
        raise DataError(
            f"the path contains pair {pair}, expected one of {', '.join(PAIRS)}",
            kind="file-name",
            field="pair",
        )
    if not 1 <= int(action) <= len(CLASSES):
        raise DataError(
            f"the path contains action {action}, expected 01 to 08",
            kind="file-name",
            field="action",
        )
    keypoint, notes = read_frames(content, units_name(units))
    sample = {
        "frame_dir": f"{pair}_a{action}_{run}",
        "label": int(action) - 1,
        "total_frames": keypoint.shape[1],
        "keypoint": keypoint,
        "notes": notes,
    }
    return [sample]


def make_splits(samples: list[dict]) -> Splits:
    """Return fold -> (train ids, val ids)."""
    names = [sample["frame_dir"] for sample in samples]
    return {
        f"fold{number}": (
            [name for name in names if pair_of(name) not in fold],
            [name for name in names if pair_of(name) in fold],
        )
        for number, fold in enumerate(FOLDS, 1)
    }


def pair_of(name: str) -> str:
    """Return the pair in a sample name: `s01s02_a01_001` -> `s01s02`."""
    return name.partition("_")[0]


def convert_sbu(
    raw: StrPath,
    out: StrPath,
    allow_bad: bool = False,
    jobs: int | None = None,
    units: str = "unscaled",
) -> dict:
    """Convert SBU Kinect Interaction to an annotation file, and write a report.

    Args:
        raw: folder or archive of the release.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        units: "unscaled" or "m"; see `units_name`.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or contains no `skeleton_pos.txt` file.
    """
    units = units_name(units)
    return convert(
        raw,
        SUFFIX,
        partial(parse_sequence, units=units),
        out,
        splits=make_splits,
        meta=partial(_meta, units=units),
        units=units,
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
    )


def _meta(samples: list[dict], units: str) -> dict:
    names = [sample["frame_dir"] for sample in samples]
    meta = dict(classes=list(CLASSES), **layout_meta(LAYOUT))
    # Published files contain the bone (neck, torso). In the layout sbu15, from which
    # graphs are built, this bone points to the center.
    meta["inward"] = [(1, 2) if bone == (2, 1) else bone for bone in meta["inward"]]
    if units != "unscaled":
        meta["units"] = units
    return dict(**meta, pair={name: pair_of(name) for name in names})
