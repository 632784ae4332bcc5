"""Weights that are installed with the package, by name."""

import os
from pathlib import Path

from ..errors import CheckpointError

FOLDER = Path(__file__).parent.parent / "weights"


def shipped_weights() -> dict[str, Path]:
    """Return the files of the shipped weights by name, sorted by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.pth"))}


def find_weights(name: str) -> str:
    """Return the path of weights.

    Args:
        name: path of an existing file, URL, or name of shipped weights.

    Returns:
        The path or URL unchanged, or the path of the shipped file.

    Raises:
        CheckpointError: neither the file nor the name exists (kind `not-found`).
    """
    # Path.exists raises an error in a folder that cannot be read.
    if "://" in name or os.path.exists(name):  # noqa: PTH110
        return name
    shipped = shipped_weights()
    if name in shipped:
        return str(shipped[name])
    names = f", or one of the names {', '.join(shipped)}" if shipped else ""
    raise CheckpointError(
        f"the checkpoint to load does not exist. Pass the path of an existing file{names} "
        "(--weights, --resume, --checkpoint, or load_from).",
        kind="not-found",
        file=name,
        field="load_from",
    )
