"""The label lists of Kinetics-skeleton: each clip's side and class.

{"--07WQ2iBlw": {"has_skeleton": true, "label": "javelin throw",
  "label_index": 166}, ...}
"""

import glob
import gzip
import os
import re

from ..errors import DataError
from ..io.json_data import read_json
from .parse_files import (
    Parsed,
)

OTHER_INDEX = "label_index is not the label list's (the name decides)"
LIST = re.compile(r"kinetics_(train|val)_label\.json(\.gz)?")


def find_label_lists(folder: str) -> dict[str, str]:
    """The two label lists of a folder, or of the folders in it.

    Args:
        folder: holds kinetics_train_label.json and kinetics_val_label.json, or the
            same with `.gz` behind.

    Returns:
        side ("train", "val") -> path, of those that are there.

    Raises:
        DataError: both are missing, or one is twice there.
    """
    folder, lists = os.fspath(folder), {}
    for pattern in ("*", "*/*"):
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
            match = LIST.search(os.path.basename(path))
            if match is None or not os.path.isfile(path):
                continue
            if match[1] in lists:
                raise DataError(
                    f"{path} is a second list of the {match[1]} clips: leave one"
                )
            lists[match[1]] = path
    if not lists:
        raise DataError(
            f"{folder} holds no kinetics_train_label.json or kinetics_val_label.json: "
            "they come with the release; put them there, or say with --lists where they "
            "lie"
        )
    return lists


def read_label_lists(paths: dict[str, str]) -> dict[str, dict[str, dict]]:
    """What the label lists say.

    Args:
        paths: as `find_label_lists` gives them.

    Returns:
        side ("train", "val") -> clip -> dict(has_skeleton, label, label_index). One
        that is missing is empty.

    Raises:
        DataError: one is not as above, or the two contradict one another.
    """
    lists = {side: _read_label_list(path) for side, path in paths.items()}
    # Half of the release is enough to test, or to train, with.
    lists = {side: lists.get(side, {}) for side in ("train", "val")}
    both = set(lists["train"]) & set(lists["val"])
    if both:
        raise DataError(
            f"{len(both)} clips are in both label lists, first {min(both)}: a clip "
            "belongs to one side"
        )
    return lists


def _read_label_list(path: str) -> dict[str, dict]:
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            content = file.read()
        found = read_json(content)
    except (OSError, EOFError, DataError) as error:
        raise DataError(
            f"label list {path} cannot be read ({error}): get it again"
        ) from error
    wanted = dict(has_skeleton=bool, label=str, label_index=int)
    for clip, entry in found.items() if isinstance(found, dict) else [("list", None)]:
        if not isinstance(entry, dict) or any(
            type(entry.get(field)) is not kind for field, kind in wanted.items()
        ):
            raise DataError(
                f"label list {path}: {clip!r} is no object with has_skeleton, label and "
                "label_index"
            )
    return found


def class_names(lists: dict[str, dict[str, dict]]) -> list[str]:
    """The classes in the order of their label_index.

    Raises:
        DataError: the lists do not give each index one name.
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
        raise DataError(
            f"the label lists pair {len(pairs)} label_index with names, expected each "
            "of 0, 1, 2 ... to have one name: they belong to different releases"
        )
    return names


def with_labels(
    parsed: Parsed,
    listed: dict[str, dict],
    unlisted: str | None,
    classes: list[str],
) -> Parsed:
    """The samples with the lists' labels; those the lists do not want left out.

    Args:
        listed: clip -> entry.
        unlisted: the side without a list, to which clips belong that are not listed;
            None where both lists are there.
        classes: names in the order of their labels, for those clips.
    """
    by_name = _entries_by_name(classes)
    samples, refused, taken = [], list(parsed.refused), []
    left_out = {reason: list(files) for reason, files in parsed.left_out.items()}
    for one in parsed.samples:
        sample = dict(one)
        clip, name = sample["frame_dir"], sample.pop("class_name")
        index, entry = sample.pop("label_index"), listed.get(clip)
        if entry is None and unlisted is not None and name in by_name:
            entry = by_name[name]
            taken.append(clip)
        if entry is None:
            reason = "in no label list" + (
                "" if unlisted is None else ", and of a class that the list lacks"
            )
            left_out.setdefault(reason, []).append(f"{clip}.json")
        elif not entry["has_skeleton"]:
            reason = "has_skeleton is false in the label list"
            left_out.setdefault(reason, []).append(f"{clip}.json")
        elif name != entry["label"]:
            why = f"label is {name!r}, but the label list says {entry['label']!r}"
            refused.append(dict(file=f"{clip}.json", why=why))
        else:
            sample["label"] = entry["label_index"]
            if index != entry["label_index"]:
                sample["notes"] = {**sample["notes"], OTHER_INDEX: 1}
            samples.append(sample)
    parsed = parsed._replace(samples=samples, refused=refused, left_out=left_out)
    if not taken:
        return parsed
    text = (
        f"{len(taken)} clips stand in no label list: taken as {unlisted}, label by "
        f"class name, because no {unlisted} list was found"
    )
    remark = dict(about="clips in no label list", text=text, side=unlisted, clips=taken)
    return parsed._replace(remarks=[*parsed.remarks, remark])


def _entries_by_name(classes: list[str]) -> dict[str, dict]:
    """What a list would say of a clip of each class, for the clips of no list."""
    return {
        name: dict(has_skeleton=True, label=name, label_index=index)
        for index, name in enumerate(classes)
    }
