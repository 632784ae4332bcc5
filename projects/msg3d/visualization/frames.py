"""Render scenes as images: persons, and a plot of the scores below them."""

from collections.abc import Callable, Iterator

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .scene import Scene, ScoresOverTime

# Areas of the joint markers in square points: without sizes, and for sizes 0 and 1.
PLAIN, SMALLEST, LARGEST = 14, 5, 420
CLASSES = 5


def render(
    scene: Scene, azimuth: float = 0, elevation: float = 0, pixels: int = 480
) -> Iterator[np.ndarray]:
    """Render a scene frame by frame.

    Args:
        scene: the scene.
        azimuth, elevation: viewing direction in degrees, for 3D.
        pixels: width of the image, and height of the area that shows the persons.

    Yields:
        Images, uint8 [height, width, 3]. Both sizes are even, as video codecs require.
    """
    flat = scene.view(azimuth, elevation)
    pixels += pixels % 2
    height = pixels + (pixels // 3 // 2 * 2 if scene.scores is not None else 0)
    figure = Figure(figsize=(pixels / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    share = pixels / height
    ax = figure.add_axes((0, 1 - share, 1, share * 0.93))
    ax.set_axis_off()
    draw = _persons(ax, scene, flat)
    heading = figure.text(0.02, 0.985, "", va="top", fontsize=9)
    frames = flat.shape[1]
    cursor = None
    if scene.scores is not None:
        cursor = _scores(figure, scene.scores, frames, 1 - share)
    for frame in range(frames):
        draw(frame)
        heading.set_text(f"{scene.title}   {frame}/{frames - 1}")
        if cursor is not None:
            cursor.set_xdata([frame, frame])
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def limits(flat: np.ndarray, margin: float = 0.06) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest (x, y) of a square around all points [M, T, V, 2]."""
    low, high = np.nanmin(flat, (0, 1, 2)), np.nanmax(flat, (0, 1, 2))
    half = max(float((high - low).max()), 1e-6) * (0.5 + margin)
    return (low + high) / 2 - half, (low + high) / 2 + half


def _persons(ax: Axes, scene: Scene, flat: np.ndarray) -> Callable[[int], None]:
    """Add persons to the axes, and return a function that draws a frame."""
    low, high = limits(flat)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    child, parent = (list(ends) for ends in zip(*scene.layout.inward, strict=True))
    artists = []
    for colors in scene.colors():
        bones = LineCollection(
            [], colors=[colors[joint] for joint in child], linewidths=2.2, zorder=1
        )
        ax.add_collection(bones)
        joints = ax.scatter(
            np.zeros(len(colors)),
            np.zeros(len(colors)),
            s=PLAIN,
            c=colors,
            alpha=1 if scene.sizes is None else 0.55,
            linewidths=0,
            zorder=2,
        )
        artists.append((bones, joints))

    def draw(frame: int) -> None:
        for person, (bones, joints) in enumerate(artists):
            pose = flat[person, frame]
            bones.set_segments(list(np.stack([pose[child], pose[parent]], 1)))
            joints.set_offsets(np.ma.masked_invalid(pose))
            if scene.sizes is not None:
                sizes = scene.sizes[person, frame]
                joints.set_sizes(SMALLEST + sizes * (LARGEST - SMALLEST))

    return draw


def _scores(
    figure: Figure, scores: ScoresOverTime, frames: int, share: float
) -> Line2D:
    """Plot the scores of the best classes, and return the cursor."""
    ax = figure.add_axes((0.07, share * 0.16, 0.6, share * 0.74))
    for number, label in enumerate(scores.best(CLASSES)):
        ax.plot(
            scores.frames,
            scores.values[:, label],
            color=matplotlib.color_sequences["tab10"][number],
            label=scores.classes[label],
            marker="." if len(scores.frames) < 20 else "",
        )
    ax.set(xlim=(0, max(frames - 1, 1)))
    ax.tick_params(labelsize=7)
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return ax.axvline(0, color="0.3", linewidth=1)
