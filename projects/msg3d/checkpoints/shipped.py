"""Paths of weights, and weights that are installed with the package, by name.

The folder `weights` of the package contains NAME.pth, and the model card NAME.md with its
metadata. `tools/ship_weights.py` writes both.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ..errors import CheckpointError

FOLDER = Path(__file__).parent.parent / "weights"
# Prefix of a path whose special characters are percent-encoded. MMEngine's
# `--cfg-options` would remove spaces, and split the path at commas.
ENCODED = "encoded:"


def shipped_weights() -> dict[str, Path]:
    """Return the files of the shipped weights by name, sorted by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.pth"))}


def shipped_name(path: str) -> str | None:
    """Return the name of a file of shipped weights, or None for another file."""
    name = Path(path).stem
    return name if str(shipped_weights().get(name)) == path else None


def card_of(name: str) -> dict[str, Any]:
    """Return the metadata of shipped weights, the front matter of their model card.

    The keys are those of the Hugging Face Hub, such as `license`, and `msg3d`, a
    dictionary with the data set, the result, and the training run.

    Raises:
        CheckpointError: there is no card (kind `not-found`), or it has no metadata (kind
            `structure`).
    """
    import yaml

    path = FOLDER / f"{name}.md"
    if not path.is_file():
        raise CheckpointError(
            "the model card does not exist. Pass the name of shipped weights.",
            kind="not-found",
            file=str(path),
        )
    text = path.read_text(encoding="utf-8")
    _, *parts = text.split("---\n", 2)
    card = yaml.safe_load(parts[0]) if len(parts) == 2 else None
    if not isinstance(card, dict) or "msg3d" not in card:
        raise CheckpointError(
            "the model card does not begin with metadata between two lines `---`",
            kind="structure",
            file=str(path),
        )
    return card


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
