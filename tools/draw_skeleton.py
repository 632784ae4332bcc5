"""Draw skeleton layouts: joints with numbers and names, colored sides, and the center.

Blue is the left side of the person, who faces you, and orange the right. The ring is the
center of the graph. With --file, the default is the first frame with a person.

    python tools/draw_skeleton.py coco nturgb+d --out layouts.png
    python tools/draw_skeleton.py penn13 --out frame.png --file penn_action.pkl \\
        --sample 0001 --frame 12
"""

import argparse
import sys
import textwrap
from pathlib import Path

import matplotlib
import numpy as np

from msg3d.annotations.check import check_annotations, id_field, samples_of
from msg3d.annotations.inspection.coordinates import up_axis
from msg3d.errors import ConfigError, DataError
from msg3d.io.atomic import whole_file
from msg3d.skeletons import SKELETONS, Skeleton, skeleton
from msg3d.stores.packing import load_any

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import patheffects  # noqa: E402

TITLE = 36  # characters per line that fit above a drawing
COLORS = dict(left="tab:blue", right="tab:orange", middle="0.3")
OUTLINE = [patheffects.withStroke(linewidth=2, foreground="white")]

# A person who faces the viewer, y up, ten units tall: positions on the left side and in
# the middle. The head is three times its size, to separate eyes and ears.
POSE = {
    **dict(head=(0, 9.9), nose=(0, 9.2), neck_nose=(0, 9.0), neck=(0, 8.0)),
    **dict(shoulder_center=(0, 7.3), spine_shoulder=(0, 7.3), thorax=(0, 7.3)),
    **dict(spine3=(0, 6.8), spine2=(0, 6.0), spine1=(0, 5.2)),
    **dict(spine=(0, 5.9), spine_mid=(0, 5.9), torso=(0, 5.9)),
    **dict(hip_center=(0, 4.6), spine_base=(0, 4.6), pelvis=(0, 4.6), mid_hip=(0, 4.6)),
    **dict(eye_inner=(0.6, 10.0), eye=(1.3, 10.4), eye_outer=(2.0, 10.0)),
    **dict(ear=(2.7, 9.3), mouth=(0.8, 8.4)),
    **dict(collar=(0.6, 7.35), shoulder=(1.6, 7.0), elbow=(2.4, 5.7), wrist=(3.1, 4.4)),
    **dict(hand=(3.4, 3.8), hand_tip=(3.8, 3.0), thumb=(2.6, 3.5)),
    **dict(index=(3.3, 3.1), pinky=(4.0, 3.5)),
    **dict(hip=(0.9, 4.2), knee=(1.1, 2.3), ankle=(1.2, 0.6), heel=(0.6, -0.2)),
    **dict(foot=(1.6, 0.0), big_toe=(1.7, -0.8), small_toe=(2.7, -0.4)),
    "foot_index": (1.8, -0.4),
}
# A hand, its palm away from us if it is a right one; it has no sides.
HAND = {
    **dict(wrist=(0, 0), thumb_cmc=(1.3, 0.8), thumb_mcp=(2.2, 1.8)),
    **dict(thumb_ip=(2.9, 2.7), thumb_tip=(3.4, 3.6)),
    **{
        f"{finger}_{part}": (x + lean * step, y + step * length)
        for finger, x, y, lean, length in (
            *(("index", 1.2, 3.7, 0.2, 1.2), ("middle", 0.3, 3.9, 0.0, 1.4)),
            *(("ring", -0.6, 3.7, -0.15, 1.25), ("pinky", -1.4, 3.2, -0.3, 1.0)),
        )
        for step, part in enumerate(("mcp", "pip", "dip", "tip"))
    },
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "layouts", nargs="*", metavar="LAYOUT", help=", ".join(SKELETONS)
    )
    parser.add_argument("--all", action="store_true", help="every layout")
    parser.add_argument(
        "--out", required=True, help="image file to write, such as a.png"
    )
    parser.add_argument("--file", help="annotation file or store to draw a frame of")
    parser.add_argument("--sample", help="id of the sample (default: the first)")
    parser.add_argument(
        "--frame", type=int, help="number, from 0 (default: the first with a person)"
    )
    parser.add_argument(
        "--y-down",
        action=argparse.BooleanOptionalAction,
        help="whether y points down in 3D (default: as in the file's meta['units'], else "
        "no; always in 2D)",
    )
    args = parser.parse_args()
    try:
        _run(args)
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    path = Path(args.out)
    if path.suffix not in (".png", ".svg", ".pdf") or not path.parent.is_dir():
        raise ConfigError(
            "expected a .png, .svg, or .pdf in an existing folder",
            kind="file-name",
            file=str(path),
            field="--out",
        )
    names = list(SKELETONS) if args.all else args.layouts
    if not names:
        raise ConfigError(
            f"no layout is named, expected --all or some of {', '.join(SKELETONS)}",
            kind="option",
        )
    layouts = [skeleton(name) for name in names]
    if args.file is None:
        persons = [reference_pose(layout)[None] for layout in layouts]
        titles = names
    else:
        pose, title = _frame(args, layouts[0])
        persons = [pose] * len(names)
        titles = [f"{name}\n{title}" for name in names]
    columns = min(len(names), 4)
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.4 * columns, 4.6 * rows), squeeze=False, dpi=90
    )
    for ax in axes.flat:
        ax.axis("off")
    for ax, layout, pose, title in zip(axes.flat, layouts, persons, titles):
        name, *rest = title.split("\n", 1)
        title = "\n".join([f"{name} ({len(layout.joints)} joints)", *rest])
        _draw(ax, layout, pose, title)
    figure.tight_layout()
    with whole_file(path) as file:
        figure.savefig(file, format=path.suffix[1:])
    plt.close(figure)
    print(f"wrote {path}")


def reference_pose(layout: Skeleton) -> np.ndarray:
    """Return the joints of a standing person in a layout, [V, 2], y up."""
    if "left_wrist" not in layout.joints and "wrist" in layout.joints:
        return np.array([HAND[name] for name in layout.joints], dtype=float)
    return np.array([_place(name) for name in layout.joints], dtype=float)


def _place(joint: str) -> tuple[float, float]:
    side, _, part = joint.partition("_")
    if side not in ("left", "right"):
        return POSE[joint]
    x, y = POSE[part]
    return (x, y) if side == "left" else (-x, y)


def _frame(args: argparse.Namespace, layout: Skeleton) -> tuple[np.ndarray, str]:
    """Return the persons of a frame of a file, [M, V, 2] with y up, and a title."""
    data = load_any(args.file)
    samples = samples_of(data, args.file)
    named = {sample.get(id_field(samples)): sample for sample in samples}
    name = next(iter(named)) if args.sample is None else args.sample
    if name not in named:
        raise DataError(
            f"has no sample {name!r}: the first ones are {list(named)[:3]}",
            kind="unknown-name",
            file=args.file,
        )
    check_annotations([named[name]], source=args.file)
    keypoint = named[name]["keypoint"].astype(float)
    where = dict(file=args.file, sample=name)
    there = np.flatnonzero(keypoint.any(axis=(0, 2, 3)))
    if args.frame is not None and not 0 <= args.frame < keypoint.shape[1]:
        raise DataError(
            f"has frames 0 to {keypoint.shape[1] - 1}, but --frame is {args.frame}",
            kind="frame-numbers",
            **where,
        )
    if not len(there):
        raise DataError("has no person in any frame", kind="no-person", **where)
    frame = int(there[0]) if args.frame is None else args.frame
    if frame not in there:
        raise DataError(
            f"has no person in frame {frame}: the first frame with a person is "
            f"{there[0]}",
            kind="no-person",
            **where,
        )
    pose = keypoint[:, frame]  # (M, V, C)
    absent = ~pose.any(-1)
    y_down = pose.shape[-1] == 2 or _y_down(args.y_down, data)
    pose = pose[..., :2] * (1, -1 if y_down else 1)
    pose[absent] = np.nan
    if keypoint.shape[2:] == (len(layout.joints), 3):
        up = up_axis({name: keypoint}, layout)
        if up == ("+y" if y_down else "-y"):
            other = "--no-y-down" if y_down else "--y-down"
            print(f"{name} is upside down: {other} turns it over")
    return pose, textwrap.fill(f"{name}, frame {frame}", TITLE)


def _y_down(option: bool | None, data) -> bool:
    """Return the option, or else what the file states in its units."""
    if option is not None:
        return option
    meta = data.get("meta") if isinstance(data, dict) else None
    return isinstance(meta, dict) and "y down" in str(meta.get("units"))


def _draw(ax, layout: Skeleton, persons: np.ndarray, title: str) -> None:
    """Draw persons [M, V, 2] in a layout, with NaN for absent joints."""
    if persons.shape[1] != len(layout.joints):
        raise DataError(
            f"the file has {persons.shape[1]} joints, but {' '.join(title.split())}: "
            "name the layout of the file",
            kind="layout",
        )
    sides = [_side(name) for name in layout.joints]
    colors = [COLORS[side] for side in sides]
    shift = dict(left=(5, -3), right=(-5, -3), middle=(5, 3))
    for pose in persons:
        for child, parent in layout.inward:
            ends = pose[[child, parent]]
            ax.plot(*ends.T, color=colors[child], linewidth=2, zorder=1)
        ax.scatter(*pose.T, c=colors, s=22, zorder=2)
        ax.scatter(
            *pose[layout.center], s=110, facecolors="none", edgecolors="k", zorder=3
        )
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
    for joint, (name, color) in enumerate(zip(layout.joints, colors)):
        ax.text(
            0.99,
            1 - joint * step,
            f"{joint} {name}",
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


if __name__ == "__main__":
    sys.exit(main())
