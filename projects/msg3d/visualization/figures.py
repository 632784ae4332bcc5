"""Figures without a screen and without pyplot's global state, written whole."""

from pathlib import Path

from matplotlib.figure import Figure

from ..errors import PictureError
from ..io.atomic import whole_file

ENDINGS = (".png", ".svg", ".pdf")


def check_picture(path: str, endings: tuple[str, ...] = ENDINGS) -> Path:
    """The path of a picture that can be written; asked before the work.

    Raises:
        PictureError: another ending, or no such folder.
    """
    found = Path(path)
    if found.suffix not in endings or not found.parent.is_dir() or found.is_dir():
        raise PictureError(
            f"--out {path}: expected the name of a file that ends in "
            f"{' or '.join(endings)}, in a folder that exists"
        )
    return found


def save_figure(figure: Figure, path: str, dpi: int = 100) -> None:
    """Writes a figure, in the format that its ending names.

    Raises:
        PictureError: another ending, or no such folder.
        OSError: the file cannot be written.
    """
    path = check_picture(path)
    with whole_file(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=dpi)
