"""Converter for MSR-Action3D (Li, Zhang and Liu, CVPR Workshops 2010).

The skeleton release consists of 567 text files `aAA_sSS_eEE_skeleton3D.txt` (see
`formats.msr_action3d`): twenty actions, ten subjects, up to three repeats. Frames without
joints are omitted and counted in the report. a13_s09_e02 is skipped because it contains
only frames without joints.

Splits, all of which train on subjects 1, 3, 5, 7, and 9:

- `xsub`: the 557 sequences of Wang et al., "Mining actionlet ensemble for action
  recognition with depth cameras", CVPR 2012. They exclude ten sequences whose skeletons
  are missing or too inaccurate. Most papers report this split, with all 20 classes.
- `as1`, `as2`, `as3`: the subsets of `xsub` defined by Li et al., with eight actions each
  (1 and 2: similar movements, 3: complex movements). Older papers report the mean of the
  three. Labels are those of all 20 classes.
- `xsub_all`: every sequence.
"""

import re
from pathlib import PurePosixPath

from ..errors import DataError
from ..formats.msr_action3d import LAYOUT, read_frames
from ..io import StrPath
from ..skeletons import layout_meta
from .convert import Splits, convert

RELEASED_FILES = 567
SUFFIX = "_skeleton3D.txt"
NAME = re.compile(r"a(\d\d)_s(\d\d)_e(\d\d)")
CLASSES = (
    *("high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch"),
    *("high throw", "draw x", "draw tick", "draw circle", "hand clap"),
    *("two hand wave", "side boxing", "bend", "forward kick", "side kick", "jogging"),
    *("tennis swing", "tennis serve", "golf swing", "pickup and throw"),
)
MAX_NUMBERS = {"action": 20, "subject": 10, "repeat": 3}  # in file names, from 1
TRAINING_SUBJECTS = (1, 3, 5, 7, 9)
SUBSETS = {
    "as1": (2, 3, 5, 6, 10, 13, 18, 20),
    "as2": (1, 4, 7, 8, 9, 11, 12, 14),
    "as3": (6, 14, 15, 16, 17, 18, 19, 20),
}
NOT_OF_CVPR_2012 = frozenset(
    (
        *("a02_s03_e02", "a04_s03_e01", "a07_s04_e01", "a13_s09_e01", "a13_s09_e02"),
        *("a13_s09_e03", "a14_s03_e01", "a20_s07_e01", "a20_s07_e03", "a20_s10_e03"),
    )
)


def parse_sequence(path: str, content: bytes) -> list[dict]:
    """Parse an MSR-Action3D `_skeleton3D.txt` file.

    Args:
        path: path of the file. The file name contains action, subject, and repeat.
        content: content of the file.

    Returns:
        A list of one sample, dict(frame_dir, label 0..19, total_frames, keypoint float32
        [1, T, 20, 3], notes).

    Raises:
        DataError: the name or a line is invalid.
        SkipFile: no frame contains a joint.
    """
    stem = PurePosixPath(path).name.removesuffix(SUFFIX)
    match = NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            f"the file name does not match aAA_sSS_eEE{SUFFIX}", kind="file-name"
        )
    for (field, last), text in zip(MAX_NUMBERS.items(), match.groups(), strict=True):
        if not 1 <= int(text) <= last:
            raise DataError(
                f"the file name contains {field} {int(text)}, expected 1 to {last}",
                kind="file-name",
                field=field,
            )
    keypoint, notes = read_frames(content)
    sample = {
        "frame_dir": stem,
        "label": int(match[1]) - 1,
        "total_frames": keypoint.shape[1],
        "keypoint": keypoint,
        "notes": notes,
    }
    return [sample]


def action_and_subject(name: str) -> tuple[int, int]:
    """Parse action and subject in a sample name: `a01_s02_e03` -> (1, 2)."""
    match = NAME.fullmatch(name)
    assert match is not None
    action, subject, _ = match.groups()
    return int(action), int(subject)


def make_splits(samples: list[dict]) -> Splits:
    """Return protocol -> (train ids, val ids), as described in the module's docstring."""
    names = [sample["frame_dir"] for sample in samples]

    def by_subject(names: list[str]) -> tuple[list[str], list[str]]:
        trains = [action_and_subject(name)[1] in TRAINING_SUBJECTS for name in names]
        return (
            [name for name, train in zip(names, trains, strict=True) if train],
            [name for name, train in zip(names, trains, strict=True) if not train],
        )

    listed = [name for name in names if name not in NOT_OF_CVPR_2012]
    splits = {"xsub": by_subject(listed)}
    for subset, actions in SUBSETS.items():
        splits[subset] = by_subject(
            [name for name in listed if action_and_subject(name)[0] in actions]
        )
    return {**splits, "xsub_all": by_subject(names)}


def convert_msr_action3d(
    raw: StrPath, out: StrPath, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert MSR-Action3D to an annotation file, and write a report.

    Args:
        raw: folder or archive with the `_skeleton3D.txt` files.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or contains no `_skeleton3D.txt` file.
    """
    return convert(
        raw,
        SUFFIX,
        parse_sequence,
        out,
        splits=make_splits,
        meta=_meta,
        units="m",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
    )


def _meta(samples: list[dict]) -> dict:
    names = [sample["frame_dir"] for sample in samples]
    return dict(
        classes=list(CLASSES),
        **layout_meta(LAYOUT),
        subject={name: action_and_subject(name)[1] for name in names},
    )
