"""Reader for the label lists of Kinetics-skeleton (split and class of each clip).

Example of a list:

{"--07WQ2iBlw": {"has_skeleton": true, "label": "javelin throw",
  "label_index": 166}, ...}
"""

import glob
import gzip
import os
import re
from pathlib import Path

from ..errors import DataError
from ..io import StrPath
from ..io.json_data import read_json
from .parse_files import Parsed

OTHER_INDEX = "label_index differs from the label list (labeled by class name)"
LIST = re.compile(r"kinetics_(train|val)_label\.json(\.gz)?")
ENTRY = {"has_skeleton": bool, "label": str, "label_index": int}


def find_label_lists(folder: StrPath) -> dict[str, str]:
    """Find the two label lists of Kinetics-skeleton in a folder or its subfolders.

    Args:
        folder: folder with kinetics_train_label.json and kinetics_val_label.json, or
            these names with `.gz` appended.

    Returns:
        side ("train", "val") -> path of the list, for the lists that exist.

    Raises:
        DataError: both lists are missing, or a list exists twice.
    """
    folder = os.fspath(folder)
    lists: dict[str, str] = {}
    for pattern in ("*", "*/*"):
        # Unlike `Path.glob`, this skips hidden files.
        pattern = os.path.join(glob.escape(folder), pattern)  # noqa: PTH118
        for path in sorted(glob.glob(pattern)):  # noqa: PTH207
            match = LIST.search(Path(path).name)
            if match is None or not Path(path).is_file():
                continue
            if match[1] in lists:
                raise DataError(
                    f"the list of {match[1]} clips also exists as {lists[match[1]]}, "
                    "expected one list. Remove one of the files.",
                    kind="duplicate",
                    file=path,
                )
            lists[match[1]] = path
    if not lists:
        raise DataError(
            "found no kinetics_train_label.json or kinetics_val_label.json, expected these "
            "label lists of the release. Copy them to this folder, or pass their folder "
            "with --lists.",
            kind="not-found",
            file=folder,
        )
    return lists


def read_label_lists(paths: dict[str, str]) -> dict[str, dict[str, dict]]:
    """Read the label lists of Kinetics-skeleton.

    Args:
        paths: paths of the lists, as `find_label_lists` returns them.

    Returns:
        side ("train", "val") -> clip -> dict(has_skeleton, label, label_index). A missing
        list is empty.

    Raises:
        DataError: a list cannot be read or has another structure, or a clip is in both.
    """
    lists = {side: _read_label_list(path) for side, path in paths.items()}
    # Half of the release is enough for testing, or for training.
    lists = {side: lists.get(side, {}) for side in ("train", "val")}
    both = set(lists["train"]) & set(lists["val"])
    if both:
        raise DataError(
            f"{len(both)} clips, such as {min(both)}, are in both label lists, expected "
            "each clip in one list. Use the lists of one release.",
            kind="split",
            sample=min(both),
        )
    return lists


def _read_label_list(path: str) -> dict[str, dict]:
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            entries = read_json(file.read())
    except DataError as error:
        raise error.at(file=path) from error
    except (OSError, EOFError) as error:
        raise DataError(
            f"cannot read the list ({error}). Download it again.",
            kind="io" if getattr(error, "errno", None) else "corrupt-archive",
            file=path,
        ) from error
    if not isinstance(entries, dict):
        raise DataError(
            f"the file contains a {type(entries).__name__}, expected an object with an "
            "entry per clip",
            kind="structure",
            file=path,
        )
    for clip, entry in entries.items():
        if not isinstance(entry, dict) or any(
            type(entry.get(field)) is not kind for field, kind in ENTRY.items()
        ):
            raise DataError(
                f"entry {clip!r} is invalid, expected an object with 'has_skeleton', "
                "'label', and 'label_index'",
                kind="structure",
                file=path,
                field=clip,
            )
    return entries


def class_names(lists: dict[str, dict[str, dict]]) -> list[str]:
    """Return the class names in the label lists, in the order of `label_index`.

    Raises:
        DataError: an index has several names, a name several indices, or indices are
            missing.
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
            f"the label lists contain {len(pairs)} pairs of 'label_index' and 'label', "
            "expected exactly one label for each index from 0. Use the lists of one "
            "release.",
            kind="label",
        )
    return names


def with_labels(
    parsed: Parsed,
    listed: dict[str, dict],
    unlisted: str | None,
    classes: list[str],
) -> Parsed:
    """Label the samples with the label lists, and skip clips that the lists exclude.

    Args:
        parsed: clips without labels, from `parse_clip`.
        listed: clip -> entry in one of the label lists.
        unlisted: side ("train", "val") whose list is missing. Clips that are not listed
            are assigned to this side. None if both lists exist.
        classes: names of the classes in label order, for clips that are not listed.
    """
    by_name = {
        name: {"has_skeleton": True, "label": name, "label_index": index}
        for index, name in enumerate(classes)
    }
    samples, refused, assigned = [], list(parsed.refused), []
    left_out = {reason: list(files) for reason, files in parsed.left_out.items()}
    for sample in map(dict, parsed.samples):
        clip, name = sample["frame_dir"], sample.pop("class_name")
        index, entry = sample.pop("label_index"), listed.get(clip)
        if entry is None and unlisted is not None and name in by_name:
            entry = by_name[name]
            assigned.append(clip)
        if entry is None:
            reason = "in no label list" + (
                "" if unlisted is None else ", and its class is not in the list either"
            )
            left_out.setdefault(reason, []).append(f"{clip}.json")
        elif not entry["has_skeleton"]:
            reason = "has_skeleton is false in the label list"
            left_out.setdefault(reason, []).append(f"{clip}.json")
        elif name != entry["label"]:
            why = (
                f"'label' is {name!r}, expected {entry['label']!r} as in the label list"
            )
            refused.append({"file": f"{clip}.json", "kind": "label", "why": why})
        else:
            sample["label"] = entry["label_index"]
            if index != entry["label_index"]:
                sample["notes"] = {**sample["notes"], OTHER_INDEX: 1}
            samples.append(sample)
    remarks = list(parsed.remarks)
    if assigned:
        text = (
            f"{len(assigned)} clips are in no label list. They were assigned to "
            f"{unlisted} and labeled by class name, because there is no {unlisted} list"
        )
        about = "clips in no label list"
        remarks.append(
            {"about": about, "text": text, "side": unlisted, "clips": assigned}
        )
    return parsed._replace(
        samples=samples, refused=refused, left_out=left_out, remarks=remarks
    )
