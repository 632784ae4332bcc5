"""What a packed store's folder looks like: names, version and header."""

import json
import os
import re

import numpy as np

from ..errors import DataError

FORMAT, VERSION = "msg3d.packed", 1
HEADER = "store.json"
DATA_FOLDER = re.compile(r"data\.\d+")
# `row` is the first of persons x frames; `label` the largest if there are `several` (a
# list, for multi_class), -1 if not `labelled`; `targets` how many there are; `text` the
# first of the sample's `characters` of JSON.
INDEX = np.dtype(
    [
        ("row", "<i8"),
        ("persons", "<i4"),
        ("frames", "<i4"),
        ("label", "<i8"),
        ("labelled", "?"),
        ("several", "?"),
        ("targets", "<i4"),
        ("text", "<i8"),
        ("characters", "<i4"),
    ]
)


def read_header(path: str) -> dict:
    """What `store.json` says, of a version that is known.

    Raises:
        DataError: there is none, or it is another program's, or damaged.
    """
    if not os.path.exists(path):
        raise DataError(
            f"packed store {path} does not exist: set `ann_file` to where it is, or "
            "make it with tools/data/pack.py"
        )
    if not os.path.isdir(path):
        raise DataError(
            f"packed store {path} is a file: expected the folder that "
            "tools/data/pack.py writes (a .pkl is for type='SkeletonDataset')"
        )
    file = os.path.join(path, HEADER)
    try:
        with open(file, "rb") as opened:
            header = json.load(opened)
    except FileNotFoundError:
        raise DataError(
            f"packed store {path} has no {HEADER}: it is none, or its writing was "
            "interrupted: pack it again"
        ) from None
    except OSError as error:
        raise DataError(
            f"packed store {path} cannot be read: {error.strerror} ({file})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"packed store {path} is damaged ({file} is not JSON): copy or pack it again"
        ) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            f"packed store {path} is none ({file} is of another program): give the "
            "folder that tools/data/pack.py writes"
        )
    if header.get("version") != VERSION:
        raise DataError(
            f"packed store {path} is of version {header.get('version')!r}, and this "
            f"msg3d reads version {VERSION}: pack it again, or update msg3d"
        )
    return header


def refuse_foreign(path: str) -> None:
    """Refuses to write a store where something else is.

    Raises:
        DataError: there is a file, or a folder that is no packed store.
    """
    if os.path.exists(path) and (
        not os.path.isdir(path)
        or any(not name.startswith((HEADER, "data.")) for name in os.listdir(path))
    ):
        raise DataError(
            f"{path} is there and no packed store: give another name, or take it away"
        )


def new_folder(path: str) -> str:
    """An empty folder for data, in a store that may be there already."""
    refuse_foreign(path)
    if not os.path.exists(path):
        os.mkdir(path)
    number = 1
    while True:
        try:
            folder = os.path.join(path, f"data.{number}")
            os.mkdir(folder)
            return folder
        except FileExistsError:  # in use, or another writer's
            number += 1


def data_folder(path: str) -> str | None:
    """The folder that the store at `path` names, None if it names none."""
    try:
        with open(os.path.join(path, HEADER), "rb") as file:
            name = json.load(file)["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The folder is about to be deleted.
    named = isinstance(name, str) and DATA_FOLDER.fullmatch(name)
    return os.path.join(path, name) if named else None
