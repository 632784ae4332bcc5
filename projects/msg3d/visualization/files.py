"""Write figures and clips to files, atomically."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..errors import ConfigError
from ..io.atomic import whole_file

FIGURES = (".png", ".svg", ".pdf")
# Delays in a gif are hundredths of a second; viewers slow down below two of them.
FASTEST_GIF = 50


def check_picture(path: str, endings: tuple[str, ...] = FIGURES) -> Path:
    """The path of a picture, checked before the work starts.

    Raises:
        ConfigError: wrong ending, or the folder does not exist (`file-name`).
    """
    picture = Path(path)
    if picture.suffix not in endings or not picture.parent.is_dir() or picture.is_dir():
        raise ConfigError(
            f"expected a file name that ends in {' or '.join(endings)}, in an existing "
            "folder",
            kind="file-name",
            file=str(path),
        )
    return picture


def save_figure(figure: Figure, path: str, dpi: int = 100) -> None:
    """Write a figure, in the format of the ending.

    Raises:
        ConfigError: wrong ending, or the folder does not exist (`file-name`).
        OSError: the file cannot be written.
    """
    picture = check_picture(path)
    with whole_file(str(picture)) as file:
        figure.savefig(file, format=picture.suffix[1:], dpi=dpi)


def write_gif(path: str, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write an endless gif.

    Args:
        path: of the file.
        frames: uint8 [H, W, 3], at least one.
        fps: frames per second, at most 50.

    Raises:
        ConfigError: more frames per second (`option`).
        OSError: the file cannot be written.
    """
    from PIL import Image

    if fps > FASTEST_GIF:
        raise ConfigError(
            f"fps is {fps:g}, but a gif shows at most {FASTEST_GIF} frames per second. "
            f"Use --fps {FASTEST_GIF}, or write an .mp4.",
            kind="option",
            file=str(path),
            field="fps",
        )
    # Delays are rounded; rounding their sums avoids drift.
    images = [Image.fromarray(frame) for frame in frames]
    ends = np.rint(np.arange(len(images) + 1) * 100 / fps).astype(int) * 10
    palette = images[len(images) // 2].quantize(255)
    images = [
        image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images
    ]
    with whole_file(path) as file:
        images[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=np.diff(ends).tolist(),
            loop=0,
        )


def write_mp4(path: str, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write an mp4 (MPEG-4 part 2, the codec in OpenCV's wheels).

    Args:
        path: of the file.
        frames: uint8 [H, W, 3] of one size, at least one.
        fps: frames per second.

    Raises:
        ConfigError: OpenCV has no encoder (`missing-package`).
        OSError: the file cannot be written.
    """
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        made, writer = Path(folder, "clip.mp4"), None
        for frame in frames:
            if writer is None:
                height, width = frame.shape[:2]
                code = cv2.VideoWriter.fourcc(*"mp4v")
                writer = cv2.VideoWriter(str(made), code, fps, (width, height))
                if not writer.isOpened():
                    raise ConfigError(
                        "this build of OpenCV cannot encode mp4. Write a .gif or .html.",
                        kind="missing-package",
                        file=str(path),
                    )
            writer.write(frame[..., ::-1])  # blue, green, red
        assert writer is not None, "no frames"
        writer.release()
        with whole_file(path) as file:
            file.write(made.read_bytes())
