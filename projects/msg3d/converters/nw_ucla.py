"""Northwestern-UCLA Multiview Action3D (Wang et al., CVPR 2014) as annotations.

The public skeleton release is 1484 JSON files `aAA_sSS_eEE_vVV.json`: ten actions,
ten subjects, three Kinect v1 views, 20 joints in metres. The standard split
(`xview`) trains on views 1 and 2 and tests on view 3.

It leaks: in the release the view-3 files of actions a02 and a03 are byte for byte
the view-2 files, so 95 of the 464 test sequences (20 %) are in the training set.
Hence `xview_clean_v1`: trained on views 2 and 3 and tested on view 1, whose
recordings are its own, less the 8 test sequences of subject 1 that share more than
half of their frames with training files of view 2 (one that stays,
a08_s01_e04_v01, shares 65 of its 141). It tests all ten classes, which
`xview_clean` (the standard test without its copies) does not: there a02 and a03 are
gone. Report `xview` to compare with published figures, and `xview_clean_v1` beside
it. `xsub` (odd subjects train, even ones test) is free of copies as it is.

Nothing is dropped in silence: every file is either in the result or in the report.
"""

import json
import re
from pathlib import PurePosixPath

import numpy as np

from ..annotations.leaks import find_leaks
from ..errors import DataError
from ..skeletons import skeleton
from .convert import convert

RELEASED_FILES = 1484
NAME = re.compile(r"a(\d\d)_s(\d\d)_e(\d\d)_v(\d\d)")
# The release numbers actions by this list (7 and 10 do not exist); labels follow it.
CLASSES = {
    1: "pick up with one hand",
    2: "pick up with two hands",
    3: "drop trash",
    4: "walk around",
    5: "sit down",
    6: "stand up",
    8: "donning",
    9: "doffing",
    11: "throw",
    12: "carry",
}
ACTIONS = list(CLASSES)
KINECT = skeleton("kinect20")


def parse_sequence(path: str, content: bytes) -> list[dict]:
    """One JSON file as a sample, the only one of the list.

    Args:
        path: where it came from; its last part says action, subject and view.
        content: `{"file_name": ..., "skeletons": [T, 20, 3], "label": 1..10}`.

    Returns:
        dict(frame_dir, label 0..9, total_frames, keypoint float32 [1, T, 20, 3]).

    Raises:
        DataError: what is wrong and what was expected, in one sentence.
    """
    stem = PurePosixPath(path).stem
    match = NAME.fullmatch(stem)
    if match is None:
        raise DataError("the file name is not of the form aAA_sSS_eEE_vVV.json")
    action, subject, _, view = map(int, match.groups())
    for field, number, known in (
        ("action", action, ACTIONS),
        ("subject", subject, range(1, 11)),
        ("view", view, range(1, 4)),
    ):
        if number not in known:
            raise DataError(
                f"the file name says {field} {number}, expected one of {list(known)}"
            )
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON, or cut off ({error})") from error
    fields = {"file_name", "label", "skeletons"}
    if not isinstance(record, dict) or not fields <= set(record):
        raise DataError(f"expected a JSON object with the fields {sorted(fields)}")
    if record["file_name"] != stem:
        raise DataError(
            f"file_name says {record['file_name']!r}, expected {stem!r} as the file is "
            "named"
        )
    label = ACTIONS.index(action)
    if type(record["label"]) is not int or record["label"] != label + 1:
        raise DataError(
            f"label is {record['label']!r}, expected {label + 1} for action "
            f"a{action:02d} ({CLASSES[action]}) as the file is named"
        )
    keypoint = _as_array(record["skeletons"])[None]
    sample = dict(
        frame_dir=stem,
        label=label,
        total_frames=keypoint.shape[1],
        keypoint=keypoint,
    )
    return [sample]


def _as_array(skeletons: list) -> np.ndarray:
    """The frames of a file as float32 [T, 20, 3]; DataError says what is wrong."""
    if not isinstance(skeletons, list) or not skeletons:
        raise DataError("skeletons is empty, expected at least one frame")
    joints = len(KINECT.joints)
    for number, frame in enumerate(skeletons):
        if not isinstance(frame, list) or len(frame) != joints:
            found = len(frame) if isinstance(frame, list) else type(frame).__name__
            raise DataError(
                f"skeletons has {found} joints in frame {number}, expected {joints}"
            )
        if any(not isinstance(joint, list) or len(joint) != 3 for joint in frame):
            raise DataError(
                f"skeletons has a joint without three coordinates in frame {number}, "
                "expected [x, y, z]"
            )
    try:
        array = np.array(skeletons)
    except ValueError:  # lists in place of numbers
        array = np.array(None)
    if array.dtype.kind not in "fi" or array.ndim != 3:
        raise DataError("skeletons holds something that is not a number")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).all(axis=(1, 2))
    if not finite.all():
        raise DataError(
            f"skeletons is NaN or infinite in {np.sum(~finite)} of {len(array)} frames, "
            f"first in frame {np.argmin(finite)}"
        )
    if not array.any():
        raise DataError(f"skeletons is zero in all {len(array)} frames")
    return array


def subject_and_view(name: str) -> tuple[int, int]:
    """`a01_s02_e03_v01` -> (2, 1)."""
    _, subject, _, view = NAME.fullmatch(name).groups()
    return int(subject), int(view)


def make_splits(samples: list[dict]) -> dict[str, tuple[list[str], list[str]]]:
    """(train, val) ids of each protocol; the module's docstring says which and why."""
    names = [sample["frame_dir"] for sample in samples]
    keypoints = {sample["frame_dir"]: sample["keypoint"] for sample in samples}

    def part(tested) -> tuple[list[str], list[str]]:
        return (
            [name for name in names if not tested(*subject_and_view(name))],
            [name for name in names if tested(*subject_and_view(name))],
        )

    splits = {
        "xview": part(lambda subject, view: view == 3),
        "xview_v1": part(lambda subject, view: view == 1),
        "xview_v2": part(lambda subject, view: view == 2),
        "xsub": part(lambda subject, view: subject % 2 == 0),
    }
    for name, source in (("xview_clean", "xview"), ("xview_clean_v1", "xview_v1")):
        train, val = splits[source]
        seen = set(find_leaks(keypoints, train, val)["mostly"])
        splits[name] = train, [one for one in val if one not in seen]
    return splits


def _file_keys(name: str) -> tuple[str, str]:
    """The names of a protocol's two splits in the file, as they are published."""
    if name in ("xview_v1", "xview_v2"):
        return f"xview_train{name[5:]}", f"xview_val{name[5:]}"
    return f"{name}_train", f"{name}_val"


def convert_nw_ucla(
    raw: str, out: str, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert the release into an annotation file and report on it.

    Args:
        raw: folder or archive of the JSON files.
        out: the annotation file; the report is written beside it.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or holds no .json file.
    """
    return convert(
        raw,
        ".json",
        parse_sequence,
        out,
        splits=make_splits,
        meta=_meta,
        units="metres",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
        split_names=_file_keys,
    )


def _meta(samples: list[dict]) -> dict:
    """What MMAction2 does not read, for people: classes, joints, who and where."""
    names = [sample["frame_dir"] for sample in samples]
    short = [
        joint.replace("left_", "l_").replace("right_", "r_") for joint in KINECT.joints
    ]
    return dict(
        classes=list(CLASSES.values()),
        joints=short,
        inward=list(KINECT.inward),
        center=KINECT.center,
        subject={name: subject_and_view(name)[0] for name in names},
        view={name: subject_and_view(name)[1] for name in names},
    )
