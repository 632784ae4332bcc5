"""MSR-Action3D (Li, Zhang and Liu, CVPR Workshops 2010) as annotations.

The skeleton release is 567 text files `aAA_sSS_eEE_skeleton3D.txt`: twenty actions,
ten subjects, up to three repeats, 20 joints in metres. A frame is 20 lines
`x y z confidence`, in an order of joints of its own. Frames without any joint are left
out and counted in the report, and so is the one file that has no other
(a13_s09_e02).

Splits, subjects 1, 3, 5, 7 and 9 for training in each:

- `xsub`: the 557 sequences of Wang et al., "Mining actionlet ensemble for action
  recognition with depth cameras", CVPR 2012, which leaves out ten whose skeletons are
  missing or too wrong. What most papers report, all 20 classes at once.
- `as1`, `as2`, `as3`: of these, the three subsets of eight actions of Li et al.
  (1 and 2 alike movements, 3 complex ones), whose mean older papers report. Labels
  stay those of all 20 classes.
- `xsub_all`: every sequence.
"""

import re
from pathlib import PurePosixPath

import numpy as np

from ..errors import DataError, SkipFile
from ..io.number_lines import as_float32, read_number_lines
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
LAYOUT = "kinect20"
JOINTS = 20
# Where the joints of a file's frame stand in the layout, counted from 0.
ORDER = np.array(
    [5, 9, 3, 2, 13, 17, 1, 6, 10, 7, 11, 8, 12, 14, 18, 15, 19, 16, 20, 4]
)
ORDER -= 1
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
    """One text file as a sample, the only one of the list.

    Args:
        path: where it came from; its last part says action, subject and repeat.
        content: 20 lines `x y z confidence` a frame.

    Returns:
        dict(frame_dir, label 0..19, total_frames, keypoint float32 [1, T, 20, 3],
        notes).

    Raises:
        DataError: what is wrong, in which line, and what was expected. A file that ends
            between two frames cannot be told from a shorter one.
        SkipFile: no frame has a joint.
    """
    stem = PurePosixPath(path).name.removesuffix(SUFFIX)
    match = NAME.fullmatch(stem)
    if match is None:
        raise DataError(f"the file name is not of the form aAA_sSS_eEE{SUFFIX}")
    for field, text, known in zip(
        ("action", "subject", "repeat"), match.groups(), KNOWN
    ):
        if int(text) not in known:
            raise DataError(
                f"the file name says {field} {int(text)}, expected 1 to {known[-1]}"
            )
    lines = read_number_lines(content, 4)
    frames, left = divmod(len(lines), JOINTS)
    if left:
        raise DataError(
            f"the file ends with {left} lines of frame {frames}, expected {JOINTS} a "
            "frame: it is cut off",
            line=len(lines),
        )
    raw = as_float32(lines[:, :3].reshape(frames, JOINTS, 3), lines_a_frame=JOINTS)
    keypoint = np.empty_like(raw)
    keypoint[:, ORDER] = raw
    tracked = keypoint.any(axis=(1, 2))
    if not tracked.any():
        raise SkipFile("no joint in any frame")
    sample = dict(
        frame_dir=stem,
        label=int(match[1]) - 1,
        total_frames=int(tracked.sum()),
        keypoint=keypoint[tracked][None],
    )
    if not tracked.all():
        empty = int(np.sum(~tracked))
        sample["notes"] = {"frames without any joint left out": empty}
    return [sample]


KNOWN = (range(1, 21), range(1, 11), range(1, 4))


def action_and_subject(name: str) -> tuple[int, int]:
    """`a01_s02_e03` -> (1, 2)."""
    action, subject, _ = NAME.fullmatch(name).groups()
    return int(action), int(subject)


def make_splits(samples: list[dict]) -> Splits:
    """(train, val) ids of each protocol; the module's docstring says which."""
    names = [sample["frame_dir"] for sample in samples]

    def by_subject(chosen: list[str]) -> tuple[list[str], list[str]]:
        trained = [action_and_subject(name)[1] in TRAINING_SUBJECTS for name in chosen]
        return (
            [name for name, train in zip(chosen, trained) if train],
            [name for name, train in zip(chosen, trained) if not train],
        )

    listed = [name for name in names if name not in NOT_OF_CVPR_2012]
    splits = {"xsub": by_subject(listed)}
    for subset, actions in SUBSETS.items():
        splits[subset] = by_subject(
            [name for name in listed if action_and_subject(name)[0] in actions]
        )
    return {**splits, "xsub_all": by_subject(names)}


def convert_msr_action3d(
    raw: str, out: str, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert the release into an annotation file and report on it.

    Args:
        raw: folder or archive of the text files.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or holds no such file.
    """
    return convert(
        raw,
        SUFFIX,
        parse_sequence,
        out,
        splits=make_splits,
        meta=_meta,
        units="metres",
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
