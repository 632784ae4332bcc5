"""Converter for Bandai-Namco-Research-Motiondataset-2 (Kobayashi et al., 2023).

The release consists of 2902 files `dataset-2_CONTENT_STYLE_NNN.bvh` (see `formats.bvh`):
optical motion capture at 30 frames per second. Three actors perform ten actions in seven
styles. License: CC BY-NC 4.0.
https://github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset

The label is the style. All joints are kept except the root, which never moves.
Coordinates are in meters with y up. Only every second frame is kept (15 per second).

Splits:

- `xcontent`: trains on seven actions and tests on the other three (CONTENTS_TESTED).
- `seq`: tests on every fifth recording of each action and style.
"""

import re
from pathlib import PurePosixPath

import numpy as np

from ..errors import DataError, SkipFile
from ..formats.bvh import Motion, read_bvh
from ..io import StrPath
from ..io.number_lines import as_float32
from .convert import Splits, convert

RELEASED_FILES = 2902
SUFFIX = ".bvh"
NAME = re.compile(r"dataset-2_([a-z-]+)_([a-z]+)_(\d{3})")
STYLES = (
    *("active", "elderly", "exhausted", "feminine", "masculine", "normal"),
    "youthful",
)
CONTENTS = (
    *("raise-up-both-hands", "raise-up-left-hand", "raise-up-right-hand", "run"),
    *("walk", "walk-turn-left", "walk-turn-right"),
    *("wave-both-hands", "wave-left-hand", "wave-right-hand"),
)
CONTENTS_TESTED = ("raise-up-right-hand", "walk-turn-right", "wave-right-hand")
ROOT = "joint_Root"
# Joint -> parent, in the order of the annotation file.
PARENTS = {
    "Hips": ROOT,
    "Spine": "Hips",
    "Chest": "Spine",
    "Neck": "Chest",
    "Head": "Neck",
    **{"Shoulder_L": "Chest", "UpperArm_L": "Shoulder_L"},
    **{"LowerArm_L": "UpperArm_L", "Hand_L": "LowerArm_L"},
    **{"Shoulder_R": "Chest", "UpperArm_R": "Shoulder_R"},
    **{"LowerArm_R": "UpperArm_R", "Hand_R": "LowerArm_R"},
    **{"UpperLeg_L": "Hips", "LowerLeg_L": "UpperLeg_L"},
    **{"Foot_L": "LowerLeg_L", "Toes_L": "Foot_L"},
    **{"UpperLeg_R": "Hips", "LowerLeg_R": "UpperLeg_R"},
    **{"Foot_R": "LowerLeg_R", "Toes_R": "Foot_R"},
}
JOINTS = list(PARENTS)
FRAME_TIME = 1 / 30
FRAME_STEP = 2
CENTIMETERS = 100  # per meter


def parse_recording(path: str, content: bytes) -> list[dict]:
    """Parse a Motiondataset-2 `.bvh` file.

    Args:
        path: path of the file. The file name contains action, style, and number.
        content: content of the file; see `formats.bvh`. Units are centimeters.

    Returns:
        A list of one sample, dict(frame_dir, label 0..6, total_frames, keypoint float32
        [1, T, 21, 3], style, content).

    Raises:
        DataError: the name, a line, the joints, or the frame rate is invalid.
        SkipFile: the file belongs to Motiondataset-1.
    """
    stem = PurePosixPath(path).stem
    if stem.startswith("dataset-1_"):
        raise SkipFile("part of Motiondataset-1")
    match = NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            "the file name does not match dataset-2_CONTENT_STYLE_NNN.bvh",
            kind="file-name",
        )
    action, style, _ = match.groups()
    for field, name, known in (("content", action, CONTENTS), ("style", style, STYLES)):
        if name not in known:
            raise DataError(
                f"the file name contains the {field} {name}, expected one of "
                f"{', '.join(known)}",
                kind="file-name",
                field=field,
            )
    motion = read_bvh(content)
    _check(motion)
    indices = {joint.name: index for index, joint in enumerate(motion.joints)}
    positions = motion.positions()[::FRAME_STEP, [indices[name] for name in JOINTS]]
    keypoint = as_float32(positions) / np.float32(CENTIMETERS)
    sample = {
        "frame_dir": stem.removeprefix("dataset-2_"),
        "label": STYLES.index(style),
        "total_frames": len(keypoint),
        "keypoint": keypoint[None],  # [M, T, V, C]
        "style": style,
        "content": action,
    }
    return [sample]


def _check(motion: Motion) -> None:
    parents = {
        joint.name: motion.joints[joint.parent].name if joint.parent >= 0 else None
        for joint in motion.joints
    }
    expected = {ROOT: None, **PARENTS}
    if parents != expected:
        wrong = sorted(set(parents.items()) ^ set(expected.items()), key=str)[0][0]
        raise DataError(
            f"joint {wrong[:40]!r} is missing or has a different parent than in the release",
            kind="layout",
            field=wrong[:40],
        )
    if abs(motion.frame_time - FRAME_TIME) > 1e-4:
        raise DataError(
            f"the frame time is {motion.frame_time:g} s, expected {FRAME_TIME:.4f} s",
            kind="frame-numbers",
        )


def make_splits(samples: list[dict]) -> Splits:
    """Return a dict from each protocol of the module docstring to (train ids, val ids)."""
    splits: Splits = {}
    for protocol, is_tested in (
        ("xcontent", lambda sample: sample["content"] in CONTENTS_TESTED),
        ("seq", lambda sample: int(sample["frame_dir"][-3:]) % 5 == 1),
    ):
        sides: tuple[list[str], list[str]] = ([], [])
        for sample in samples:
            sides[is_tested(sample)].append(sample["frame_dir"])
        splits[protocol] = sides
    return splits


def convert_bandai(
    raw: StrPath, out: StrPath, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert Motiondataset-2 to an annotation file, and write a report.

    Args:
        raw: folder or archive with the `.bvh` files.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or contains no `.bvh` file.
    """
    return convert(
        raw,
        SUFFIX,
        parse_recording,
        out,
        splits=make_splits,
        meta=_meta,
        units="m",
        file_unit="cm",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
    )


def _meta(samples: list[dict]) -> dict:
    return {
        "classes": list(STYLES),
        "joints": JOINTS,
        "inward": [
            (JOINTS.index(name), JOINTS.index(parent))
            for name, parent in PARENTS.items()
            if parent in PARENTS
        ],
        "center": JOINTS.index("Hips"),
    }
