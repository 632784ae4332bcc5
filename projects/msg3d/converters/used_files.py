"""Files beside the sequences that a converter read: lists and tables."""

import os
from collections.abc import Iterable

from .parse_files import Parsed


def without_used(
    parsed: Parsed, raw: str, used: Iterable[str]
) -> tuple[Parsed, list[str]]:
    """What was parsed, without the files that were read in another way.

    Args:
        parsed: of `raw`; files in it that were used count as not looked at, or as
            left out, until now.
        raw: folder or archive.
        used: paths, or for files in an archive their names in it.

    Returns:
        The rest, and the names of what was used: within `raw`, if it is there.
    """
    raw, names = os.path.realpath(raw), []
    for path in map(os.fspath, used):
        inside = os.path.realpath(path).startswith(os.path.join(raw, ""))
        names.append(os.path.relpath(os.path.realpath(path), raw) if inside else path)
    left_out = {
        reason: [one for one in files if one not in names]
        for reason, files in parsed.left_out.items()
    }
    rest = parsed._replace(
        left_out={reason: files for reason, files in left_out.items() if files},
        others=[one for one in parsed.others if one not in names],
    )
    return rest, names
