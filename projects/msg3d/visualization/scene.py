"""A sequence for display: upright, seen from a viewpoint, with sizes and scores."""

from dataclasses import dataclass, replace

import numpy as np

from ..annotations.check import check_annotations, id_field, samples_of
from ..annotations.inspection.coordinates import fitting_layouts, own_layout, up_axis
from ..errors import DataError
from ..skeletons import Skeleton, skeleton
from ..stores.packing import load_any

# Rotations that turn an axis to +y, without mirroring left and right.
UPRIGHT = {
    "+y": np.diag([1, 1, 1]),
    "-y": np.diag([1, -1, -1]),
    "+z": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "-z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "+x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "-x": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
}
SIDES = {"left": "#1f77b4", "right": "#ff7f0e", "middle": "#6b6b6b"}
PERSONS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b")


@dataclass(frozen=True)
class ScoresOverTime:
    """Scores of windows of a sequence.

    Attributes:
        frames: the middle of each of W windows, [W], in frames of the scene.
        values: [W, classes]; NaN for windows without a person.
        classes: names of the classes.
    """

    frames: np.ndarray
    values: np.ndarray
    classes: tuple[str, ...]

    def best(self, count: int) -> list[int]:
        """The classes with the highest maximum score, best first."""
        greatest = np.nan_to_num(self.values, nan=-np.inf).max(0)
        return np.argsort(-greatest, kind="stable")[:count].tolist()

    def among(self, keypoint: np.ndarray, kept: int) -> "ScoresOverTime":
        """The scores for a scene with fewer frames.

        Pipelines drop the frames without the person that is present most often. If
        the number of other frames differs, the scores are stretched.

        Args:
            keypoint: of the complete sequence, [M, T, V, C].
            kept: number of frames of the scene.
        """
        seen = np.any(keypoint, (-2, -1))  # [M, T]
        frames = np.flatnonzero(seen[seen.sum(1).argmax()])
        if len(frames) != kept:
            frames = np.linspace(0, keypoint.shape[1] - 1, kept)
        return replace(self, frames=np.interp(self.frames, frames, np.arange(kept)))


@dataclass(frozen=True)
class Scene:
    """The content of a player.

    Attributes:
        title: of the sequence.
        layout: of the joints.
        points: float32 [M, T, V, C], x to the right, y up, in 3D z to the viewer; NaN
            if a joint is absent.
        sizes: of the joints' circles, [M, T, V], 0 to 1; None for the same size.
        scores: over time, if any.
        fps: frames per second.
    """

    title: str
    layout: Skeleton
    points: np.ndarray
    sizes: np.ndarray | None = None
    scores: ScoresOverTime | None = None
    fps: float = 30

    def colors(self) -> list[list[str]]:
        """Colors of each person's joints: per side for one person, else per person."""
        if len(self.points) > 1:
            joints = len(self.layout.joints)
            return [
                [PERSONS[person % len(PERSONS)]] * joints
                for person in range(len(self.points))
            ]
        sides = [joint.partition("_")[0] for joint in self.layout.joints]
        return [[SIDES.get(side, SIDES["middle"]) for side in sides]]

    def view(self, azimuth: float = 0, elevation: float = 0) -> np.ndarray:
        """The points seen from a direction, [M, T, V, 2], x right, y up.

        Args:
            azimuth: about the vertical in degrees, to the viewer's right.
            elevation: above the horizontal in degrees.
        """
        if self.points.shape[-1] == 2:
            return self.points
        return self.points @ view_matrix(azimuth, elevation)[:2].T


def view_matrix(azimuth: float, elevation: float) -> np.ndarray:
    """Rotation [3, 3] whose rows are the viewer's right, up, and backward directions."""
    (sin_a, sin_e), (cos_a, cos_e) = (
        f(np.radians([azimuth, elevation])) for f in (np.sin, np.cos)
    )
    return np.array(
        [
            [cos_a, 0, -sin_a],
            [-sin_e * sin_a, cos_e, -sin_e * cos_a],
            [cos_e * sin_a, sin_e, cos_e * cos_a],
        ]
    )


def read_sample(
    path: str, name: str | None = None, layout: str | dict | Skeleton | None = None
) -> tuple[dict, Skeleton, dict]:
    """Read and check a sample of an annotation file or store.

    Args:
        path: of the file.
        name: `frame_dir` of the sample; None for the first one.
        layout: of the joints; None to detect it from the file's meta, or from their
            number.

    Returns:
        The sample, its layout, and the file's `meta`.

    Raises:
        DataError: the file or the sample is invalid; there is no such sample
            (`unknown-name`), or its joints do not match the layout (`layout`).
    """
    data = load_any(path)
    samples = samples_of(data, path)
    by_id = {sample.get(id_field(samples)): sample for sample in samples}
    name = next(iter(by_id), None) if name is None else name
    if name not in by_id:
        raise DataError(
            f"the file has no such sample; its first are {list(by_id)[:3]}",
            kind="unknown-name",
            file=str(path),
            sample=name,
        )
    check_annotations([by_id[name]], source=path)
    joints = by_id[name]["keypoint"].shape[2]
    if layout is None:
        fitting = fitting_layouts(data, joints)
        layout = fitting[0] if fitting else own_layout(data, joints)
    if layout is None:
        raise DataError(
            f"no layout has {joints} joints, and the file's meta does not describe one. "
            "Set --layout: a .json file with num_node, inward as (child, parent), and "
            "center.",
            kind="layout",
            file=str(path),
        )
    if len(skeleton(layout).joints) != joints:
        name_of_layout = (
            f"layout {layout!r}" if isinstance(layout, str) else "the layout"
        )
        advised = " or ".join(map(repr, fitting_layouts(data, joints)))
        raise DataError(
            f"keypoint has {joints} joints, but {name_of_layout} has "
            f"{len(skeleton(layout).joints)}. Use the layout of the file"
            + (f", such as {advised}." if advised else "."),
            kind="layout",
            file=str(path),
            sample=name,
        )
    meta = data.get("meta") if isinstance(data, dict) else None
    return by_id[name], skeleton(layout), meta if isinstance(meta, dict) else {}


def upright(
    keypoint: np.ndarray, layout: Skeleton, up: str | None = None
) -> np.ndarray:
    """The points of a Scene: one person faces the viewer, several stand side by side.

    Args:
        keypoint: [M, T, V, C]; a joint that is exactly zero is absent.
        layout: of the joints.
        up: the axis that points up, such as `-y`. The default is detected from feet and
            head, else `+y`. In 2D it is always `-y`, as in images.

    Returns:
        float32 [M, T, V, C].

    Raises:
        DataError: all keypoints are zero (`no-person`).
    """
    if not keypoint.any():
        raise DataError("all keypoints are zero (no person detected)", kind="no-person")
    points = keypoint.astype(np.float64)
    points[~keypoint.any(-1)] = np.nan
    if keypoint.shape[-1] == 2:
        return (points * (1, -1)).astype(np.float32)
    up = up or up_axis({"": keypoint}, layout) or "+y"
    points = points @ UPRIGHT[up].T
    across = _across(points, layout)
    azimuth = np.degrees(np.arctan2(-across[2], across[0]))
    return (points @ view_matrix(azimuth, 0).T).astype(np.float32)


def _across(points: np.ndarray, layout: Skeleton) -> np.ndarray:
    """The direction to be turned to the viewer's right, (x, y, z)."""
    present = [one for one in points if not np.isnan(one).all()]
    if len(present) > 1:
        # From the first person to the second, so that none hides the other.
        return np.nanmean(present[1], (0, 1)) - np.nanmean(present[0], (0, 1))
    if layout.shoulders is not None:
        right, left = (present[0][:, list(end)].mean(1) for end in layout.shoulders)
        whole = (left - right)[~np.isnan(left - right).any(-1)]
        if len(whole):
            return whole.mean(0)
    return np.array([1.0, 0, 0])


def sample_name(sample: dict) -> str:
    """Return the id of a sample, for titles."""
    return str(sample.get("frame_dir", sample.get("filename")))
