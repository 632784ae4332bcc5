"""Figures of skeleton layouts, with the number, name, and side of each joint."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..annotations.inspection.coordinates import up_axis
from ..errors import DataError
from ..skeletons import Skeleton, skeleton
from .scene import read_sample, sample_name

TITLE_WIDTH = 36  # characters per line that fit above a panel
COLORS = {"left": "tab:blue", "right": "tab:orange", "middle": "0.3"}
OUTLINE = [patheffects.withStroke(linewidth=2, foreground="white")]

# A person who faces the viewer, y up, 10 units tall: joints in the middle and on the left
# side. The head is enlarged three times, to separate eyes and ears.
POSE = {
    **{"head": (0, 9.9), "nose": (0, 9.2), "neck_nose": (0, 9.0), "neck": (0, 8.0)},
    **{"shoulder_center": (0, 7.3), "spine_shoulder": (0, 7.3), "thorax": (0, 7.3)},
    **{"spine3": (0, 6.8), "spine2": (0, 6.0), "spine1": (0, 5.2)},
    **{"spine": (0, 5.9), "spine_mid": (0, 5.9), "torso": (0, 5.9)},
    **{
        "hip_center": (0, 4.6),
        "spine_base": (0, 4.6),
        "pelvis": (0, 4.6),
        "mid_hip": (0, 4.6),
        "spine_navel": (0, 5.5),
        "spine_chest": (0, 6.6),
        "belly": (0, 5.5),
    },
    **{"eye_inner": (0.6, 10.0), "eye": (1.3, 10.4), "eye_outer": (2.0, 10.0)},
    **{"ear": (2.7, 9.3), "mouth": (0.8, 8.4)},
    **{
        "collar": (0.6, 7.35),
        "clavicle": (0.6, 7.35),
        "shoulder": (1.6, 7.0),
        "elbow": (2.4, 5.7),
        "wrist": (3.1, 4.4),
    },
    **{"hand": (3.4, 3.8), "hand_tip": (3.8, 3.0), "thumb": (2.6, 3.5)},
    **{"index": (3.3, 3.1), "pinky": (4.0, 3.5)},
    **{"index_knuckle": (3.3, 3.4), "pinky_knuckle": (4.2, 3.6)},
    "middle_tip": (3.8, 2.8),
    **{"hip": (0.9, 4.2), "knee": (1.1, 2.3), "ankle": (1.2, 0.6), "heel": (0.6, -0.2)},
    **{"foot": (1.6, 0.0), "big_toe": (1.7, -0.8), "small_toe": (2.7, -0.4)},
    "foot_index": (1.8, -0.4),
}
# A hand without sides. The palm of a right hand faces away from the viewer.
HAND = {
    **{"wrist": (0, 0), "thumb_cmc": (1.3, 0.8), "thumb_mcp": (2.2, 1.8)},
    **{"thumb_ip": (2.9, 2.7), "thumb_tip": (3.4, 3.6)},
    **{
        f"{finger}_{part}": (x + lean * step, y + step * length)
        for finger, x, y, lean, length in (
            *(("index", 1.2, 3.7, 0.2, 1.2), ("middle", 0.3, 3.9, 0.0, 1.4)),
            *(("ring", -0.6, 3.7, -0.15, 1.25), ("pinky", -1.4, 3.2, -0.3, 1.0)),
        )
        for step, part in enumerate(("mcp", "pip", "dip", "tip"))
    },
}
# Hands of a body hang from the wrists, with the thumbs inside.
POSE |= {
    "hand_root" if joint == "wrist" else joint: (3.4 - x / 2, 4 - y / 2)
    for joint, (x, y) in HAND.items()
}
# Landmarks of the face in rows (first number, last number, first x, step, y), above the
# head of the body. The jaw curves upward.
FACE_ROWS = (
    *(
        (17, 21, -2.8, 0.5, 17.1),
        (22, 26, 0.8, 0.5, 17.1),
        (27, 27, 0, 0, 16.7),
        (28, 28, 0, 0, 16.3),
    ),
    *((29, 29, 0, 0, 15.9), (30, 30, 0, 0, 15.5), (31, 35, -1.2, 0.6, 15.0)),
    *((36, 36, -2.7, 0, 16.3), (37, 38, -2.3, 0.7, 16.6), (39, 39, -1.1, 0, 16.3)),
    *((40, 41, -1.6, -0.7, 15.9), (42, 42, 1.1, 0, 16.3), (43, 44, 1.6, 0.7, 16.6)),
    *((45, 45, 2.7, 0, 16.3), (46, 47, 2.3, -0.7, 15.9), (48, 54, -1.8, 0.6, 14.4)),
    *((55, 59, 1.2, -0.6, 12.8), (60, 64, -1.2, 0.6, 13.9), (65, 67, 0.6, -0.6, 13.4)),
)
FACE = {
    number: ((number - 8) * 0.6, 12 + (number - 8) ** 2 / 15) for number in range(17)
}
FACE |= {
    number: (x + step * (number - first), y)
    for first, last, x, step, y in FACE_ROWS
    for number in range(first, last + 1)
}
POSE |= {f"face_{number}": (abs(x), y) for number, (x, y) in FACE.items() if x <= 0}


class Pose(NamedTuple):
    """Persons in one frame, to draw in a figure of a layout.

    Attributes:
        persons: joint positions [M, V, 2], y up. Absent joints are NaN.
        title: second line of the title.
        upside_down: whether the persons appear to be upside down.
    """

    persons: np.ndarray
    title: str = ""
    upside_down: bool = False


def layouts_figure(names: Sequence[str], poses: Sequence[Pose] = ()) -> Figure:
    """Draw skeleton layouts side by side.

    Args:
        names: names of the layouts.
        poses: pose to draw in each layout. By default, a standing person is drawn.
    """
    layouts = [skeleton(name) for name in names]
    poses = poses or [Pose(reference_pose(layout)[None]) for layout in layouts]
    columns = min(len(names), 4)
    rows = -(-len(names) // columns)
    # A list of more than 45 joints needs more space.
    height = 4.6 * max(1, *(len(layout.joints) / 45 for layout in layouts))
    figure = Figure(figsize=(4.4 * columns, height * rows), dpi=90)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, name, layout, pose in zip(axes.flat, names, layouts, poses, strict=False):
        title = f"{name} ({len(layout.joints)} joints)"
        if pose.title:
            title += f"\n{pose.title}"
        _draw(ax, layout, pose.persons, title)
    figure.tight_layout()
    return figure


def reference_pose(layout: Skeleton) -> np.ndarray:
    """Return the joint positions of a standing person in a layout, [V, 2], y up."""
    if "left_wrist" not in layout.joints and "wrist" in layout.joints:
        positions = [HAND.get(name) for name in layout.joints]
    else:
        positions = [_body_position(name) for name in layout.joints]
    if None in positions:  # a custom layout with other joint names
        return _radial(layout)
    return np.array(positions, dtype=float)


def _body_position(joint: str) -> tuple[float, float] | None:
    side, _, part = joint.partition("_")
    if side not in ("left", "right"):
        return POSE.get(joint)
    if part not in POSE:
        return None
    x, y = POSE[part]
    return (x, y) if side == "left" else (-x, y)


def _radial(layout: Skeleton) -> np.ndarray:
    """Place the joints on circles around the center, one circle per tree level."""
    parents = dict(layout.bones)
    children = [
        [child for child, parent in parents.items() if parent == joint != child]
        for joint in range(len(layout.joints))
    ]
    positions = np.zeros((len(layout.joints), 2))

    def leaves(joint: int) -> int:
        return sum(map(leaves, children[joint])) or 1

    def place(joint: int, start: float, end: float, radius: float) -> None:
        angle = (start + end) / 2
        positions[joint] = radius * np.sin(angle), radius * np.cos(angle)
        share = (end - start) / leaves(joint)
        for child in children[joint]:
            stop = start + share * leaves(child)
            place(child, start, stop, radius + 1)
            start = stop

    roots = [joint for joint, parent in parents.items() if parent == joint]
    for root in roots:
        place(root, 0, 2 * np.pi, 0)
    return positions


def pose_of_file(
    file: str,
    layout: Skeleton | str,
    sample: str | None = None,
    frame: int | None = None,
    y_down: bool | None = None,
) -> Pose:
    """Return the persons in a frame of an annotation file or packed store.

    Args:
        file: path of the annotation file or store.
        layout: skeleton layout of the file.
        sample: id of the sample. None for the first sample.
        frame: index of the frame. None for the first frame with a person.
        y_down: whether y points down in 3D. None to read it from `units` in the file's
            `meta`. If `units` is missing, y points up. In 2D, y always points down.

    Raises:
        DataError: the sample (kind `unknown-name`) or frame (kind `frame-numbers`) does
            not exist, or contains no person (kind `no-person`).
    """
    data, layout, meta = read_sample(file, sample, layout)
    keypoint, name = data["keypoint"].astype(float), sample_name(data)
    where: dict[str, Any] = {"file": file, "sample": name}
    present = np.flatnonzero(keypoint.any(axis=(0, 2, 3)))
    if frame is not None and not 0 <= frame < keypoint.shape[1]:
        raise DataError(
            f"--frame is {frame}, expected 0 to {keypoint.shape[1] - 1} as in the sample",
            kind="frame-numbers",
            **where,
        )
    if not len(present):
        raise DataError(
            "no person in any frame. Pass another sample (--sample).",
            kind="no-person",
            **where,
        )
    frame = int(present[0]) if frame is None else frame
    if frame not in present:
        raise DataError(
            f"no person in frame {frame}. Pass the first frame with a person, --frame "
            f"{present[0]}.",
            kind="no-person",
            **where,
        )
    pose = keypoint[:, frame]  # (M, V, C)
    absent = ~pose.any(-1)
    down = pose.shape[-1] == 2 or _y_down(y_down, meta)
    pose = pose[..., :2] * (1, -1 if down else 1)
    pose[absent] = np.nan
    upside_down = False
    if keypoint.shape[2:] == (len(layout.joints), 3):
        upside_down = up_axis({name: keypoint}, layout) == ("+y" if down else "-y")
    return Pose(pose, textwrap.fill(f"{name}, frame {frame}", TITLE_WIDTH), upside_down)


def _y_down(option: bool | None, meta: dict) -> bool:
    """Return the option, or read it from `units` in the file's `meta` if it is None."""
    return "y down" in str(meta.get("units")) if option is None else option


def _draw(ax: Axes, layout: Skeleton, persons: np.ndarray, title: str) -> None:
    """Draw persons [M, V, 2], with NaN for absent joints."""
    if persons.shape[1] != len(layout.joints):
        raise DataError(
            f"the file has {persons.shape[1]} joints, but the layout is "
            f"{' '.join(title.split())}. Pass the layout of the file.",
            kind="layout",
        )
    sides = [_side(name) for name in layout.joints]
    colors = [COLORS[side] for side in sides]
    shift = {"left": (5, -3), "right": (-5, -3), "middle": (5, 3)}
    for pose in persons:
        for child, parent in layout.inward:
            ends = pose[[child, parent]]
            ax.plot(*ends.T, color=colors[child], linewidth=2, zorder=1)
        ax.scatter(pose[:, 0], pose[:, 1], c=colors, s=22, zorder=2)
        x, y = pose[layout.center]
        ax.scatter(x, y, s=110, facecolors="none", edgecolors="k", zorder=3)
        for joint in np.flatnonzero(~np.isnan(pose[:, 0])):
            ax.annotate(
                str(joint),
                pose[joint],
                xytext=shift[sides[joint]],
                textcoords="offset points",
                ha="right" if sides[joint] == "right" else "left",
                color=colors[joint],
                fontsize=8,
                path_effects=OUTLINE,
                zorder=4,
            )
    ax.set_title(title, fontsize=10)
    ax.set_aspect("equal", adjustable="datalim", anchor="W")
    ax.margins(0.1)
    step = min(0.045, 1 / len(layout.joints))
    for row, (name, color) in enumerate(zip(layout.joints, colors, strict=True)):
        ax.text(
            0.99,
            1 - row * step,
            f"{row} {name}",
            transform=ax.transAxes,
            ha="left",
            va="top",
            fontsize=7.5,
            color=color,
        )


def _side(joint: str) -> str:
    return (
        joint.partition("_")[0] if joint.startswith(("left_", "right_")) else "middle"
    )
