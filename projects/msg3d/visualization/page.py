"""A player for a scene as a single HTML page that works offline.

The page is `player.html` with the scene as JSON in its `DATA`; arrays in it are
little-endian int16 in base64.
"""

import base64
import html
import json
from pathlib import Path

import numpy as np

from ..io.atomic import whole_file
from .scene import Scene

TEMPLATE = Path(__file__).with_name("player.html")
# Value of absent joints and missing scores.
ABSENT = -32768
# Value of the largest coordinate, and of sizes and scores of 1.
UNIT = 10000
CLASSES = 8


def page(scene: Scene, azimuth: float = 0, elevation: float = 0) -> str:
    """The HTML of a scene.

    Args:
        scene: the scene.
        azimuth, elevation: initial position of the viewer in degrees, for 3D.
    """
    points = scene.points
    low, high = np.nanmin(points, (0, 1, 2)), np.nanmax(points, (0, 1, 2))
    middle = (low + high) / 2
    # The farthest joint stays in the picture from every direction.
    radius = max(float(np.nanmax(np.linalg.norm(points - middle, axis=-1))), 1e-6)
    data = {
        "title": scene.title,
        "fps": scene.fps,
        "shape": list(points.shape),
        "bones": [list(bone) for bone in scene.layout.inward],
        "joints": list(scene.layout.joints),
        "colors": scene.colors(),
        "points": _packed((points - middle) / radius),
        "sizes": None if scene.sizes is None else _packed(scene.sizes),
        "view": [azimuth, elevation],
        "scores": None,
    }
    if scene.scores is not None:
        best = scene.scores.best(CLASSES)
        data["scores"] = {
            "frames": scene.scores.frames.tolist(),
            "classes": [scene.scores.classes[label] for label in best],
            "values": _packed(scene.scores.values[:, best].T),  # [classes, W]
        }
    # A name must not end the script.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    made = TEMPLATE.read_text(encoding="utf-8")
    made = made.replace("TITLE", html.escape(scene.title))
    return made.replace("/*DATA*/null", text)


def write_page(path: str, text: str) -> None:
    """Write a page.

    Raises:
        OSError: the file cannot be written.
    """
    with whole_file(path) as file:
        file.write(text.encode())


def _packed(values: np.ndarray) -> str:
    whole = np.where(np.isnan(values), ABSENT, np.rint(np.nan_to_num(values) * UNIT))
    return base64.b64encode(whole.astype("<i2").tobytes()).decode()
