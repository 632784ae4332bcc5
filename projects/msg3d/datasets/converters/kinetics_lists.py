"""The label lists of Kinetics-skeleton: each clip's side and class.

{"--07WQ2iBlw": {"has_skeleton": true, "label": "javelin throw",
  "label_index": 166}, ...}
"""

import glob
import gzip
import os
import re

from ..annotations import AnnotationError
from .json_numbers import read_json
from .parse_files import BadFile

LIST = re.compile(r"kinetics_(train|val)_label\.json(\.gz)?")


def read_label_lists(folder: str) -> dict[str, dict[str, dict]]:
    """The two label lists of a folder, or of the folders in it.

    Args:
        folder: holds kinetics_train_label.json and kinetics_val_label.json, or the
            same with `.gz` behind.

    Returns:
        side ("train", "val") -> clip -> dict(has_skeleton, label, label_index).

    Raises:
        AnnotationError: both are missing, one is twice there or not as above, or the
            two contradict one another. One that is missing is empty.
    """
    folder, lists = os.fspath(folder), {}
    for pattern in ("*", "*/*"):
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
            match = LIST.search(os.path.basename(path))
            if match is None or not os.path.isfile(path):
                continue
            if match[1] in lists:
                raise AnnotationError(
                    f"{path} is a second list of the {match[1]} clips: leave one"
                )
            lists[match[1]] = _read_label_list(path)
    if not lists:
        raise AnnotationError(
            f"{folder} holds no kinetics_train_label.json or kinetics_val_label.json: "
            "they come with the release; put them there, or say with --lists where they "
            "lie"
        )
    # Half of the release is enough to test, or to train, with.
    lists = {side: lists.get(side, {}) for side in ("train", "val")}
    both = set(lists["train"]) & set(lists["val"])
    if both:
        raise AnnotationError(
            f"{len(both)} clips are in both label lists, first {min(both)}: a clip "
            "belongs to one side"
        )
    return lists


def _read_label_list(path: str) -> dict[str, dict]:
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            content = file.read()
        found = read_json(content)
    except (OSError, EOFError, BadFile) as error:
        raise AnnotationError(
            f"label list {path} cannot be read ({error}): get it again"
        ) from error
    wanted = dict(has_skeleton=bool, label=str, label_index=int)
    for clip, entry in found.items() if isinstance(found, dict) else [("list", None)]:
        if not isinstance(entry, dict) or any(
            type(entry.get(field)) is not kind for field, kind in wanted.items()
        ):
            raise AnnotationError(
                f"label list {path}: {clip!r} is no object with has_skeleton, label and "
                "label_index"
            )
    return found


def class_names(lists: dict[str, dict[str, dict]]) -> list[str]:
    """The classes in the order of their label_index.

    Raises:
        AnnotationError: the lists do not give each index one name.
    """
    pairs = {
        (entry["label_index"], entry["label"])
        for entries in lists.values()
        for entry in entries.values()
    }
    names = [name for _, name in sorted(pairs)]
    if [index for index, _ in sorted(pairs)] != list(range(len(pairs))) or len(
        set(names)
    ) < len(names):
        raise AnnotationError(
            f"the label lists pair {len(pairs)} label_index with names, expected each "
            "of 0, 1, 2 ... to have one name: they belong to different releases"
        )
    return names
