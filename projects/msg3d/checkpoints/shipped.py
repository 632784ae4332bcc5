"""Paths of weights, and weights that are installed with the package, by name."""

import os
from pathlib import Path
from urllib.parse import quote, unquote

from ..errors import CheckpointError

FOLDER = Path(__file__).parent.parent / "weights"
# Prefix of a path whose special characters are percent-encoded. MMEngine's
# `--cfg-options` would remove spaces, and split the path at commas.
ENCODED = "encoded:"


def shipped_weights() -> dict[str, Path]:
    """Return the files of the shipped weights by name, sorted by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.pth"))}


def find_weights(name: str) -> str:
    """Return the path of weights.

    Args:
        name: path of an existing file, result of `encode_path`, URL, or name of shipped
            weights.

    Returns:
        The path or URL, or the path of the shipped file.

    Raises:
        CheckpointError: neither the file nor the name exists (kind `not-found`).
    """
    if name.startswith(ENCODED):
        name = unquote(name.removeprefix(ENCODED))
    # Path.expanduser rejects names of unknown users, and Path.exists raises an error in a
    # folder that cannot be read.
    name = os.path.expanduser(name)  # noqa: PTH111
    if "://" in name or os.path.exists(name):  # noqa: PTH110
        return name
    shipped = shipped_weights()
    if name in shipped:
        return str(shipped[name])
    names = f", or one of the names {', '.join(shipped)}" if shipped else ""
    raise CheckpointError(
        f"the checkpoint to load does not exist. Pass the path of an existing file{names}.",
        kind="not-found",
        file=name,
        field="load_from",
    )


def encode_path(path: str) -> str:
    """Return a path for `--cfg-options load_from=...`, which `find_weights` decodes."""
    encoded = quote(path)
    return path if encoded == path else ENCODED + encoded
