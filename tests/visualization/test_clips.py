"""Gif and mp4 show each frame, for as long as they should."""

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
    """Hands go down frame by frame; the last frame lacks the right one."""
    points = np.zeros((persons, frames, 3, 2))
    points[:, :, 0, 0], points[:, :, 2, 0] = 1, -1
    points[:, :, [0, 2], 1] = -0.2 * np.arange(frames)[:, None]
    points[..., 0] += 3 * np.arange(persons)[:, None, None]
    points[:, -1, 2] = np.nan
    return Scene("waves", LAYOUT, points, **options)


def share(image, color):
    """Where a colour is, and how much of it."""
    near = (np.abs(image.astype(int) - color).max(-1) < 40).nonzero()
    return len(near[0]), np.array([one.mean() for one in near[::-1]])


def place(scene, frame, joint, pixels=200):
    """(x, y) pixels of a joint of the first person, without scores."""
    low, high = limits(scene.view())
    part = (scene.view()[0, frame, joint] - low) / (high - low)
    side = 0.93 * pixels  # of the square that holds the persons
    return (pixels - side) / 2 + part[0] * side, pixels - part[1] * side


def test_joints_are_where_they_belong():
    shown = scene(sizes=np.ones((1, 5, 3)))
    frames = list(render(shown, pixels=200))
    assert len(frames) == 5
    assert all(one.shape == (200, 200, 3) for one in frames)
    for number in (0, 3):
        for joint in (0, 2):
            x, y = place(shown, number, joint)
            color = frames[number][int(y) - 4, int(x)].astype(int)
            assert color.min() < 200, (number, joint)  # the circle
    assert share(frames[3], BLUE)[1][0] > share(frames[3], ORANGE)[1][0]
    assert share(frames[-1], ORANGE)[0] == 0 < share(frames[-1], BLUE)[0]


def test_size_is_what_is_asked():
    sizes = np.zeros((1, 5, 3))
    sizes[0, 2] = 1
    small, _, large, *_ = render(scene(sizes=sizes), pixels=200)
    grown = (large < 250).any(-1).sum() - (small < 250).any(-1).sum()
    # Circles of 420 points squared, a point 100 / 72 pixels; bones lie on them.
    area = 3 * np.pi / 4 * (LARGEST - SMALLEST) * (100 / 72) ** 2
    assert 0.7 * area < grown <= area


def test_scores_have_a_cursor_that_moves():
    values = np.array([[0.2, 0.8], [0.9, 0.1], [np.nan, np.nan], [0.5, 0.5]])
    shown = scene(scores=ScoresOverTime(np.arange(4), values, ("a", "b")))
    first, *_, last = render(shown, pixels=200)
    assert first.shape == (266, 200, 3)
    below = slice(210, 245)
    moved = (first[below] != last[below]).any((0, 2)).nonzero()[0]
    # The axes are from 7 % to 67 % of the width.
    assert moved.min() <= 15
    assert moved.max() >= 132


def test_gif_has_every_frame_and_the_time(tmp_path):
    path = tmp_path / "a.gif"
    write_gif(path, render(scene(), pixels=100), 30)
    with Image.open(path) as gif:
        assert gif.n_frames == 5
        assert gif.size == (100, 100)
        times = []
        for number in range(5):
            gif.seek(number)
            times.append(gif.info["duration"])
    assert sum(times) == 170
    assert set(times) <= {30, 40}
    with raises("option", ConfigError, file=path.name, field="fps"):
        write_gif(path, [], 60)
    assert path.exists()


def test_mp4_can_be_read_again(tmp_path):
    path = tmp_path / "a.mp4"
    frames = list(render(scene(persons=2), pixels=160))
    write_mp4(path, frames, 25)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == 25
    for frame in frames:
        there, image = video.read()
        assert there
        assert np.abs(image[..., ::-1].astype(int) - frame).mean() < 6
    assert not video.read()[0]
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]
