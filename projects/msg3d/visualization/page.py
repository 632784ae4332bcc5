"""Player for scenes, as a single HTML page that works offline.

The page is `player.html`, with the placeholder `DATA` replaced by the scene as JSON.
Arrays are encoded as little-endian int16 in base64.
"""

import base64
import html
import json
from pathlib import Path

import numpy as np

from ..io.atomic import whole_file
from .scene import Scene

TEMPLATE = Path(__file__).with_name("player.html")
# Encodes absent joints and missing scores.
ABSENT = -32768
# Encodes the largest coordinate, and sizes and scores of 1.
UNIT = 10000
CLASSES = 8


def page(scene: Scene, azimuth: float = 0, elevation: float = 0) -> str:
    """Return the text of an HTML page that plays a scene.

    Args:
        scene: scene to play.
        azimuth, elevation: initial viewing direction in degrees, for 3D.
    """
    points = scene.points
    low, high = np.nanmin(points, (0, 1, 2)), np.nanmax(points, (0, 1, 2))
    middle = (low + high) / 2
    # All joints stay within the image from every direction.
    radius = max(float(np.nanmax(np.linalg.norm(points - middle, axis=-1))), 1e-6)
    data = {
        "title": scene.title,
        "fps": scene.fps,
        "shape": list(points.shape),
        "bones": [list(bone) for bone in scene.layout.inward],
        "joints": list(scene.layout.joints),
        "colors": scene.colors(),
        "points": _encode((points - middle) / radius),
        "sizes": None if scene.sizes is None else _encode(scene.sizes),
        "view": [azimuth, elevation],
        "scores": None,
    }
    if scene.scores is not None:
        best = scene.scores.best(CLASSES)
        data["scores"] = {
            "frames": scene.scores.frames.tolist(),
            "classes": [scene.scores.classes[label] for label in best],
            "values": _encode(scene.scores.values[:, best].T),  # (classes, W)
        }
    # Escaped, so that "</script>" in a name does not end the script.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    document = TEMPLATE.read_text(encoding="utf-8")
    document = document.replace("TITLE", html.escape(scene.title))
    return document.replace("/*DATA*/null", text)


def write_page(path: str, text: str) -> None:
    """Write an HTML page to a file atomically.

    Raises:
        OSError: the file cannot be written.
    """
    with whole_file(path) as file:
        file.write(text.encode())


def _encode(values: np.ndarray) -> str:
    integers = np.where(np.isnan(values), ABSENT, np.rint(np.nan_to_num(values) * UNIT))
    return base64.b64encode(integers.astype("<i2").tobytes()).decode()
