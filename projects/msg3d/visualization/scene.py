"""Scenes for display, with upright sequences, joint sizes, and scores over time."""

from dataclasses import dataclass, replace

import numpy as np

from ..annotations.check import check_annotations, id_field, samples_of
from ..annotations.inspection.coordinates import fitting_layouts, own_layout, up_axis
from ..errors import DataError
from ..skeletons import Skeleton, skeleton
from ..stores.packing import load_any

# Rotations of an axis to +y that do not mirror left and right.
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
    """Class scores of sliding windows over a sequence.

    Attributes:
        frames: center of each of W windows, [W], in frames of the scene.
        values: scores, [W, classes]. Windows without a person are NaN.
        classes: class names.
    """

    frames: np.ndarray
    values: np.ndarray
    classes: tuple[str, ...]

    def best(self, count: int) -> list[int]:
        """Return the indices of the classes with the highest maximum score, best first."""
        maxima = np.nan_to_num(self.values, nan=-np.inf).max(0)
        return np.argsort(-maxima, kind="stable")[:count].tolist()

    def among(self, keypoint: np.ndarray, kept: int) -> "ScoresOverTime":
        """Return the scores with `frames` mapped to a scene with fewer frames.

        Pipelines drop frames in which the person that is present in most frames is
        absent. If this does not give `kept` frames, the scores are stretched instead.

        Args:
            keypoint: keypoints of the complete sequence, [M, T, V, C].
            kept: number of frames of the scene.
        """
        present = np.any(keypoint, (-2, -1))  # (M, T)
        frames = np.flatnonzero(present[present.sum(1).argmax()])
        if len(frames) != kept:
            frames = np.linspace(0, keypoint.shape[1] - 1, kept)
        return replace(self, frames=np.interp(self.frames, frames, np.arange(kept)))


@dataclass(frozen=True)
class Scene:
    """Sequence with everything that a player shows.

    Attributes:
        title: title of the sequence.
        layout: skeleton layout.
        points: joint positions, float32 [M, T, V, C]. x points right, y up, and in 3D z
            towards the viewer. Absent joints are NaN.
        sizes: sizes of the joint markers from 0 to 1, [M, T, V]. None for equal sizes.
        scores: scores over time. None to show no scores.
        fps: frames per second.
    """

    title: str
    layout: Skeleton
    points: np.ndarray
    sizes: np.ndarray | None = None
    scores: ScoresOverTime | None = None
    fps: float = 30

    def colors(self) -> list[list[str]]:
        """Return the color of each joint, [M][V].

        A single person is colored by side, and several persons by person.
        """
        if len(self.points) > 1:
            joints = len(self.layout.joints)
            return [
                [PERSONS[person % len(PERSONS)]] * joints
                for person in range(len(self.points))
            ]
        sides = [joint.partition("_")[0] for joint in self.layout.joints]
        return [[SIDES.get(side, SIDES["middle"]) for side in sides]]

    def view(self, azimuth: float = 0, elevation: float = 0) -> np.ndarray:
        """Return the points projected along a viewing direction, [M, T, V, 2].

        x points right and y up.

        Args:
            azimuth: rotation of the viewer about the vertical axis in degrees, to the
                right.
            elevation: elevation of the viewer above the horizontal in degrees.
        """
        if self.points.shape[-1] == 2:
            return self.points
        return self.points @ view_matrix(azimuth, elevation)[:2].T


def view_matrix(azimuth: float, elevation: float) -> np.ndarray:
    """Return the rotation [3, 3] with the viewer's right, up, and back vectors as rows."""
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
    """Read and check a sample of an annotation file or packed store.

    Args:
        path: path of the annotation file or store.
        name: id of the sample (`frame_dir`). None for the first sample.
        layout: skeleton layout. None to detect it from the file's `meta` or the number
            of joints.

    Returns:
        The sample, its layout, and the file's `meta`.

    Raises:
        DataError: the file or the sample is invalid, the file does not contain the
            sample (kind `unknown-name`), or its joints do not match the layout (kind
            `layout`).
    """
    data = load_any(path)
    samples = samples_of(data, path)
    by_id = {sample.get(id_field(samples)): sample for sample in samples}
    name = next(iter(by_id), None) if name is None else name
    if name not in by_id:
        raise DataError(
            "the file does not contain this sample. Its first samples are "
            f"{', '.join(map(repr, list(by_id)[:3]))}.",
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
            f"no known layout has {joints} joints, and 'meta' in the file does not define "
            "a layout. Pass --layout with a .json file that contains 'num_node', 'inward' "
            "(pairs of child and parent), and 'center'.",
            kind="layout",
            file=str(path),
        )
    if len(skeleton(layout).joints) != joints:
        label = f"layout {layout!r}" if isinstance(layout, str) else "the layout"
        suggestions = " or ".join(map(repr, fitting_layouts(data, joints)))
        raise DataError(
            f"'keypoint' has {joints} joints, but {label} has "
            f"{len(skeleton(layout).joints)}. Pass the layout of the file"
            + (f", for example {suggestions}." if suggestions else "."),
            kind="layout",
            file=str(path),
            sample=name,
        )
    meta = data.get("meta") if isinstance(data, dict) else None
    return by_id[name], skeleton(layout), meta if isinstance(meta, dict) else {}


def upright(
    keypoint: np.ndarray, layout: Skeleton, up: str | None = None
) -> np.ndarray:
    """Rotate keypoints to be upright, for `Scene.points`.

    A single person faces the viewer. Several persons stand side by side.

    Args:
        keypoint: keypoints [M, T, V, C]. Absent joints are exactly zero.
        layout: skeleton layout.
        up: axis that points up, such as `-y`. By default, it is detected from feet and
            head, with `+y` as the fallback. In 2D, it is always `-y`, as in images.

    Returns:
        Points, float32 [M, T, V, C]. Absent joints are NaN.

    Raises:
        DataError: all keypoints are zero (kind `no-person`).
    """
    if not keypoint.any():
        raise DataError(
            "all keypoints are zero (no person detected). Choose another sample.",
            kind="no-person",
        )
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
    """Return the direction (x, y, z) that the scene turns to the viewer's right."""
    present = [person for person in points if not np.isnan(person).all()]
    if len(present) > 1:
        # From the first person to the second, so that neither occludes the other.
        return np.nanmean(present[1], (0, 1)) - np.nanmean(present[0], (0, 1))
    if layout.shoulders is not None:
        right, left = (present[0][:, list(end)].mean(1) for end in layout.shoulders)
        widths = (left - right)[~np.isnan(left - right).any(-1)]
        if len(widths):
            return widths.mean(0)
    return np.array([1.0, 0, 0])


def sample_name(sample: dict) -> str:
    """Return the id of a sample, for titles."""
    return str(sample.get("frame_dir", sample.get("filename")))
