"""Rendering of scenes as images, with predicted scores beside the persons."""

from collections.abc import Callable, Iterator

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from .scene import Scene, ScoresOverTime

# Areas of the joint markers in square points: without sizes, and for sizes 0 and 1.
PLAIN, SMALLEST, LARGEST = 14, 5, 420
CLASSES = 5


def render(
    scene: Scene, azimuth: float = 0, elevation: float = 0, pixels: int = 480
) -> Iterator[np.ndarray]:
    """Render a scene as one image per frame.

    Args:
        scene: scene to render.
        azimuth, elevation: viewing direction in degrees, for 3D.
        pixels: height of the image, and width of the area that shows the persons. If the
            scene has scores, their plot takes the same width.

    Yields:
        RGB images, uint8 [height, width, 3]. Both sizes are even, as video codecs require.
    """
    flat = scene.view(azimuth, elevation)
    height = pixels + pixels % 2
    width = height if scene.scores is None else 2 * height
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, height / width, 0.93))
    ax.set_axis_off()
    draw = _persons(ax, scene, flat)
    heading = figure.text(0.02, 0.975, "", va="top", fontsize=9)
    frames = flat.shape[1]
    if scene.scores is not None:
        draw_scores = _scores(figure, scene.scores, frames)
    for frame in range(frames):
        draw(frame)
        heading.set_text(f"{scene.title}   {frame}/{frames - 1}")
        if scene.scores is not None:
            draw_scores(frame)
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
    figure: Figure, scores: ScoresOverTime, frames: int
) -> Callable[[int], None]:
    """Plot the best classes' scores, and return a function that marks a frame."""
    ax = figure.add_axes((0.55, 0.13, 0.42, 0.5))
    best = scores.best(CLASSES)
    colors = dict(zip(best, matplotlib.color_sequences["tab10"], strict=False))
    for label in best:
        ax.plot(
            scores.frames,
            scores.values[:, label],
            color=colors[label],
            label=scores.classes[label],
            marker="." if len(scores.frames) < 20 else "",
        )
    ax.set(xlim=(0, max(frames - 1, 1)), ylim=(0, 1.02))
    ax.set(xlabel="frame", ylabel="score")
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, frameon=False
    )
    cursor = ax.axvline(0, color="0.3", linewidth=1)
    prediction = figure.text(0.55, 0.97, "", va="top", fontsize=13, weight="bold")

    def draw(frame: int) -> None:
        cursor.set_xdata([frame, frame])
        values = scores.values[np.abs(scores.frames - frame).argmin()]
        if np.isnan(values).any():  # no person in the window
            prediction.set_text("")
            return
        label = int(values.argmax())
        prediction.set_text(f"{scores.classes[label]} {values[label]:.2f}")
        prediction.set_color(colors.get(label, "0.3"))

    return draw
