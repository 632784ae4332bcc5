"""Converter for Northwestern-UCLA Multiview Action3D (Wang et al., CVPR 2014).

The public skeleton release consists of 1484 JSON files `aAA_sSS_eEE_vVV.json` (see
`formats.nw_ucla`): ten actions, ten subjects, three views.

- `xview`: the standard split, which trains on views 1 and 2 and tests on view 3. It leaks
  because the released view-3 files of actions a02 and a03 are byte-identical to the
  view-2 files. 95 of the 464 test sequences (20 %) are in the training set.
- `xview_v1` and `xview_v2`: test on view 1 or 2 and train on the other two views.
- `xview_clean`: `xview` without the copies in the test set, which removes a02 and a03.
- `xview_clean_v1`: trains on views 2 and 3 and tests on view 1, with all ten classes.
  Eight test sequences of subject 1 are excluded because they share more than half of
  their frames with training files of view 2. (a08_s01_e04_v01, which shares 65 of its 141
  frames, is kept.)
- `xsub`: trains on odd subjects and tests on even subjects. It contains no copies.

Report `xview` to compare with published results, and `xview_clean_v1` next to it.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from ..annotations.leaks import find_leaks
from ..errors import DataError
from ..formats.nw_ucla import LAYOUT, read_record
from ..io import StrPath
from ..io.json_data import read_json
from ..skeletons import layout_meta
from .convert import convert

RELEASED_FILES = 1484
NAME = re.compile(r"a(\d\d)_s(\d\d)_e(\d\d)_v(\d\d)")
# Action number in file names -> class, in label order. 7 and 10 do not exist.
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


def parse_sequence(path: str, content: bytes) -> list[dict]:
    """Parse a Northwestern-UCLA `.json` file.

    Args:
        path: path of the file. The file name contains action, subject, and view.
        content: content of the file. Its labels start at 1.

    Returns:
        A list of one sample, dict(frame_dir, label 0..9, total_frames, keypoint float32
        [1, T, 20, 3]).

    Raises:
        DataError: the name, the label, or the content is invalid.
    """
    stem = PurePosixPath(path).stem
    match = NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            "the file name does not match aAA_sSS_eEE_vVV.json", kind="file-name"
        )
    action, subject, _, view = map(int, match.groups())
    for field, number, known in (
        ("action", action, ACTIONS),
        ("subject", subject, range(1, 11)),
        ("view", view, range(1, 4)),
    ):
        if number not in known:
            raise DataError(
                f"the file name contains {field} {number}, expected one of "
                f"{', '.join(map(str, known))}",
                kind="file-name",
                field=field,
            )
    record = read_record(read_json(content))
    if record.name != stem:
        raise DataError(
            f"'file_name' is {record.name!r:.80}, expected {stem!r} as in the path",
            kind="file-name",
            field="file_name",
        )
    label = ACTIONS.index(action)
    if type(record.label) is not int or record.label != label + 1:
        raise DataError(
            f"'label' is {record.label!r:.40}, expected {label + 1} for action "
            f"a{action:02d} ({CLASSES[action]}) in the file name",
            kind="label",
            field="label",
        )
    sample = {
        "frame_dir": stem,
        "label": label,
        "total_frames": record.keypoint.shape[1],
        "keypoint": record.keypoint,
    }
    return [sample]


def subject_and_view(name: str) -> tuple[int, int]:
    """Parse subject and view in a sample name: `a01_s02_e03_v01` -> (2, 1)."""
    match = NAME.fullmatch(name)
    assert match is not None
    _, subject, _, view = match.groups()
    return int(subject), int(view)


def make_splits(samples: list[dict]) -> dict[str, tuple[list[str], list[str]]]:
    """Return protocol -> (train ids, val ids), as described in the module's docstring."""
    names = [sample["frame_dir"] for sample in samples]
    keypoints = {sample["frame_dir"]: sample["keypoint"] for sample in samples}

    def split_by(is_test: Callable[[int, int], bool]) -> tuple[list[str], list[str]]:
        return (
            [name for name in names if not is_test(*subject_and_view(name))],
            [name for name in names if is_test(*subject_and_view(name))],
        )

    splits = {
        "xview": split_by(lambda subject, view: view == 3),
        "xview_v1": split_by(lambda subject, view: view == 1),
        "xview_v2": split_by(lambda subject, view: view == 2),
        "xsub": split_by(lambda subject, view: subject % 2 == 0),
    }
    for name, source in (("xview_clean", "xview"), ("xview_clean_v1", "xview_v1")):
        train, val = splits[source]
        copies = set(find_leaks(keypoints, train, val)["mostly"])
        splits[name] = train, [sample for sample in val if sample not in copies]
    return splits


def _file_keys(name: str) -> tuple[str, str]:
    """Return the published names of a protocol's two splits."""
    if name in ("xview_v1", "xview_v2"):
        return f"xview_train{name[5:]}", f"xview_val{name[5:]}"
    return f"{name}_train", f"{name}_val"


def convert_nw_ucla(
    raw: StrPath, out: StrPath, allow_bad: bool = False, jobs: int | None = None
) -> dict:
    """Convert Northwestern-UCLA to an annotation file, and write a report.

    Args:
        raw: folder or archive with the `.json` files.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` cannot be read, or contains no `.json` file.
    """
    return convert(
        raw,
        ".json",
        parse_sequence,
        out,
        splits=make_splits,
        meta=_meta,
        units="m",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=RELEASED_FILES,
        split_names=_file_keys,
    )


def _meta(samples: list[dict]) -> dict:
    names = [sample["frame_dir"] for sample in samples]
    return dict(
        classes=list(CLASSES.values()),
        **layout_meta(LAYOUT),
        subject={name: subject_and_view(name)[0] for name in names},
        view={name: subject_and_view(name)[1] for name in names},
    )
