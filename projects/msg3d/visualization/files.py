"""Atomic writers for figures, GIFs, and MP4 videos."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..errors import ConfigError
from ..io.atomic import whole_file

FIGURES = (".png", ".svg", ".pdf")
# GIF delays are multiples of 10 ms, and many viewers slow down delays below 20 ms.
FASTEST_GIF = 50


def check_picture(path: str, endings: tuple[str, ...] = FIGURES) -> Path:
    """Check and return the output path of an image, before the work starts.

    Raises:
        ConfigError: the extension is unsupported, or the folder does not exist (kind
            `file-name`).
    """
    picture = Path(path)
    if picture.suffix not in endings or not picture.parent.is_dir() or picture.is_dir():
        raise ConfigError(
            "the output path is invalid, expected a file name that ends in "
            f"{' or '.join(endings)}, in an existing folder",
            kind="file-name",
            file=str(path),
        )
    return picture


def save_figure(figure: Figure, path: str, dpi: int = 100) -> None:
    """Save a figure in the format of the file extension.

    Raises:
        ConfigError: the extension is unsupported, or the folder does not exist (kind
            `file-name`).
        OSError: the file cannot be written.
    """
    picture = check_picture(path)
    with whole_file(str(picture)) as file:
        figure.savefig(file, format=picture.suffix[1:], dpi=dpi)


def write_gif(path: str, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames to a looping GIF file.

    Args:
        path: path of the file.
        frames: at least one frame, uint8 [H, W, 3].
        fps: frames per second, at most 50.

    Raises:
        ConfigError: `fps` is greater than 50 (kind `option`).
        OSError: the file cannot be written.
    """
    from PIL import Image

    if fps > FASTEST_GIF:
        raise ConfigError(
            f"fps is {fps:g}, expected at most {FASTEST_GIF} frames per second in a GIF. "
            f"Use --fps {FASTEST_GIF}, or write an .mp4 file.",
            kind="option",
            file=str(path),
            field="fps",
        )
    # Round cumulative times instead of single delays, to avoid drift.
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
    """Write frames to an MP4 file (MPEG-4 Part 2, a codec in the OpenCV wheels).

    Args:
        path: path of the file.
        frames: at least one frame, uint8 [H, W, 3], all of the same size.
        fps: frames per second.

    Raises:
        ConfigError: this build of OpenCV has no MP4 encoder (kind `missing-package`).
        OSError: the file cannot be written.
    """
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        clip, writer = Path(folder, "clip.mp4"), None
        for frame in frames:
            if writer is None:
                height, width = frame.shape[:2]
                code = cv2.VideoWriter.fourcc(*"mp4v")
                writer = cv2.VideoWriter(str(clip), code, fps, (width, height))
                if not writer.isOpened():
                    raise ConfigError(
                        "this build of OpenCV cannot encode MP4. Write a .gif or .html "
                        "file instead.",
                        kind="missing-package",
                        file=str(path),
                    )
            writer.write(frame[..., ::-1])  # RGB -> BGR
        assert writer is not None, "no frames"
        writer.release()
        with whole_file(path) as file:
            file.write(clip.read_bytes())
