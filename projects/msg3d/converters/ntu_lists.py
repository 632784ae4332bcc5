"""Published lists of NTU RGB+D samples without a usable skeleton.

Each list starts with a few lines of text, followed by one name per line. The lists are
part of the authors' code (github.com/shahroudy/NTURGB-D, folder Matlab): 302 names for
NTU RGB+D 60, and 535 names for NTU RGB+D 120, which include the 302.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import DataError
from ..io import StrPath
from .parse_files import Parsed

PUBLISHED = (
    "NTU_RGBD_samples_with_missing_skeletons.txt",
    "NTU_RGBD120_samples_with_missing_skeletons.txt",
)
LISTED = "listed as missing or incomplete"  # reason to skip a sample
SAMPLE = re.compile(r"S\d{3}C\d{3}P\d{3}R\d{3}A\d{3}")


def find_lists(raw: StrPath) -> list[str]:
    """Return the paths of the published lists in `raw` or in its parent folder."""
    root = Path(os.path.abspath(raw))  # noqa: PTH100  (resolves `..`, but no links)
    paths = [folder / name for folder in (root, root.parent) for name in PUBLISHED]
    return [str(path) for path in paths if path.is_file()]


def read_lists(paths: Iterable[StrPath]) -> tuple[str, ...]:
    """Return the sample names in all lists, sorted and without duplicates.

    Raises:
        DataError: a list cannot be read, contains no names, or contains other text
            between the names.
    """
    names: set[str] = set()
    for path in paths:
        names.update(_read_list(path))
    return tuple(sorted(names))


def _read_list(path: StrPath) -> list[str]:
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip().removesuffix(".skeleton") for line in file]
    except OSError as error:
        raise DataError(
            f"cannot read the list ({error.strerror}), expected the authors' list of "
            f"samples with missing skeletons, such as {PUBLISHED[0]}",
            kind="not-found" if isinstance(error, FileNotFoundError) else "io",
            file=os.fspath(path),
        ) from error
    names = []
    for number, line in enumerate(lines, 1):
        if SAMPLE.fullmatch(line):
            names.append(line)
        elif names and line:
            raise DataError(
                f"the line contains {line[:40]!r}, expected a sample name such as "
                "S001C002P005R002A008, as in all lines after the introduction",
                kind="structure",
                file=os.fspath(path),
                line=number,
            )
    if not names:
        raise DataError(
            "the list contains no sample names such as S001C002P005R002A008, expected the "
            "authors' list of samples with missing skeletons",
            kind="empty",
            file=os.fspath(path),
        )
    return names


def with_lists(parsed: Parsed, lists: list[str]) -> Parsed:
    """Add remarks that name the lists and how many of their samples were skipped."""
    skipped = {
        PurePosixPath(path).name.removesuffix(".skeleton")
        for reason, paths in parsed.left_out.items()
        if reason.startswith(LISTED)
        for path in paths
    }
    remarks = []
    for path in lists:
        names = read_lists([path])
        here = len(skipped.intersection(names))
        text = f"missing list {path}: {len(names)} names, {here} of them in these files"
        remarks.append(
            {"about": "missing list", "text": text, "names": len(names), "here": here}
        )
    if not lists:
        text = "missing list: not found; incomplete recordings are kept"
        remarks.append({"about": "missing list", "text": text})
    return parsed._replace(remarks=[*parsed.remarks, *remarks])
