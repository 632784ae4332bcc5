"""Tests of rendering, and of GIF and MP4 files."""

import cv2
import numpy as np
from PIL import Image

from errors import raises
from msg3d.errors import ConfigError
from msg3d.skeletons import skeleton
from msg3d.visualization.files import write_gif, write_mp4
from msg3d.visualization.frames import LARGEST, SMALLEST, limits, render
from msg3d.visualization.scene import Scene, ScoresOverTime

LAYOUT = skeleton(
    {
        "num_node": 3,
        "inward": [(0, 1), (2, 1)],
        "center": 1,
        "joints": ["left_hand", "head", "right_hand"],
    }
)
BLUE, ORANGE = (0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E)


def scene(persons=1, frames=5, **options):
    """Hands that move down frame by frame; no right hand in the last frame."""
    points = np.zeros((persons, frames, 3, 2))
    points[:, :, 0, 0], points[:, :, 2, 0] = 1, -1
    points[:, :, [0, 2], 1] = -0.2 * np.arange(frames)[:, None]
    points[..., 0] += 3 * np.arange(persons)[:, None, None]
    points[:, -1, 2] = np.nan
    return Scene("waves", LAYOUT, points, **options)


def find_color(image, color):
    """Return the number of pixels of a color, and their mean position (x, y)."""
    rows, columns = (np.abs(image.astype(int) - color).max(-1) < 40).nonzero()
    return len(rows), np.array([columns.mean(), rows.mean()])


def position(scene, frame, joint, pixels=200):
    """Return the pixel (x, y) of a joint of the first person, without scores."""
    low, high = limits(scene.view())
    relative = (scene.view()[0, frame, joint] - low) / (high - low)
    side = 0.93 * pixels  # of the square that contains the persons
    return (pixels - side) / 2 + relative[0] * side, pixels - relative[1] * side


def test_joints_are_drawn_at_their_positions():
    rendered = scene(sizes=np.ones((1, 5, 3)))
    frames = list(render(rendered, pixels=200))
    assert len(frames) == 5
    assert all(frame.shape == (200, 200, 3) for frame in frames)
    for number in (0, 3):
        for joint in (0, 2):
            x, y = position(rendered, number, joint)
            color = frames[number][int(y) - 4, int(x)].astype(int)
            assert color.min() < 200, (number, joint)  # the circle
    assert find_color(frames[3], BLUE)[1][0] > find_color(frames[3], ORANGE)[1][0]
    assert find_color(frames[-1], ORANGE)[0] == 0 < find_color(frames[-1], BLUE)[0]


def test_circles_grow_with_the_sizes():
    sizes = np.zeros((1, 5, 3))
    sizes[0, 2] = 1
    small, _, large, *_ = render(scene(sizes=sizes), pixels=200)
    growth = (large < 250).any(-1).sum() - (small < 250).any(-1).sum()
    # A point is 100 / 72 pixels. Bones cover parts of the circles.
    area = 3 * np.pi / 4 * (LARGEST - SMALLEST) * (100 / 72) ** 2
    assert 0.7 * area < growth <= area


def test_cursor_moves_along_the_scores():
    values = np.array([[0.2, 0.8], [0.9, 0.1], [np.nan, np.nan], [0.5, 0.5]])
    rendered = scene(scores=ScoresOverTime(np.arange(4), values, ("a", "b")))
    first, *_, last = render(rendered, pixels=200)
    assert first.shape == (200, 400, 3)
    plot = (slice(80, 165), slice(205, 400))
    changed = (first[plot] != last[plot]).any((0, 2)).nonzero()[0]
    # The axes span 55% to 97% of the width.
    assert changed.min() + 205 <= 222
    assert changed.max() + 205 >= 386


def test_predicted_class_is_shown():
    values = np.array([[0.2, 0.8], [0.9, 0.1], [np.nan, np.nan], [0.5, 0.5]])
    rendered = scene(scores=ScoresOverTime(np.arange(4), values, ("a", "b")))
    heading = (slice(0, 30), slice(210, 400))
    first, second, absent, *_ = (
        frame[heading] for frame in render(rendered, pixels=200)
    )
    assert (first != second).any()
    assert (absent == absent[0, 0]).all()


def test_gif_has_all_frames_and_the_exact_duration(tmp_path):
    path = tmp_path / "a.gif"
    write_gif(path, render(scene(), pixels=100), 30)
    with Image.open(path) as gif:
        assert gif.n_frames == 5
        assert gif.size == (100, 100)
        durations = []
        for number in range(5):
            gif.seek(number)
            durations.append(gif.info["duration"])
    assert sum(durations) == 170
    assert set(durations) <= {30, 40}
    with raises("option", ConfigError, file=path.name, field="fps"):
        write_gif(path, [], 60)
    assert path.exists()


def test_mp4_round_trip(tmp_path):
    path = tmp_path / "a.mp4"
    frames = list(render(scene(persons=2), pixels=160))
    write_mp4(path, frames, 25)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == 25
    for frame in frames:
        success, image = video.read()
        assert success
        assert np.abs(image[..., ::-1].astype(int) - frame).mean() < 6
    assert not video.read()[0]
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
