"""Frames as a gif or an mp4, written whole or not at all."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..errors import PictureError
from ..io.atomic import whole_file

# A gif's times are hundredths of a second, and below two of them viewers slow down.
FASTEST_GIF = 50


def write_gif(path: str, frames: Iterable[np.ndarray], fps: float) -> None:
    """Writes an endless gif.

    Args:
        path: where to.
        frames: uint8 [H, W, 3], at least one.
        fps: frames a second, at most 50.

    Raises:
        PictureError: more frames a second.
        OSError: the file cannot be written.
    """
    if fps > FASTEST_GIF:
        raise PictureError(
            f"{path}: a gif shows at most {FASTEST_GIF} frames a second, but fps is "
            f"{fps:g}: give --fps {FASTEST_GIF} or write an .mp4"
        )
    # The delay is rounded in hundredths: carrying the rest keeps the whole in time.
    images = [Image.fromarray(frame) for frame in frames]
    ends = np.rint(np.arange(len(images) + 1) * 100 / fps).astype(int) * 10
    palette = images[len(images) // 2].quantize(255)
    images = [one.quantize(palette=palette, dither=0) for one in images]
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
    """Writes an mp4 (MPEG-4 part 2, the codec that OpenCV's wheels have).

    Args:
        path: where to.
        frames: uint8 [H, W, 3] of one size, at least one.
        fps: frames a second.

    Raises:
        PictureError: OpenCV has no encoder.
        OSError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        made, writer = Path(folder, "clip.mp4"), None
        for frame in frames:
            if writer is None:
                height, width = frame.shape[:2]
                code = cv2.VideoWriter_fourcc(*"mp4v")
                writer = cv2.VideoWriter(str(made), code, fps, (width, height))
                if not writer.isOpened():
                    raise PictureError(
                        f"{path}: this OpenCV writes no mp4: write a .gif or .html"
                    )
            writer.write(frame[..., ::-1])  # blue, green, red
        writer.release()
        with whole_file(path) as file:
            file.write(made.read_bytes())
