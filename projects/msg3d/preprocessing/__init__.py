"""Array operations on keypoints `[M, T, V, C]`, shared by training and prediction."""

from .align import align_view, pre_normalize_3d, recenter
from .augment import limbs, mirror, mirrored_order, move_2d, rotate, scale
from .laban import EFFORTS, laban_effort
from .normalize import center_2d, scale_to_unit
from .persons import select_persons
from .sample import crop_times, interpolate, window
from .streams import bones, motion, skeleton_streams

__all__ = [
    "EFFORTS",
    "align_view",
    "bones",
    "center_2d",
    "crop_times",
    "interpolate",
    "laban_effort",
    "limbs",
    "mirror",
    "mirrored_order",
    "motion",
    "move_2d",
    "pre_normalize_3d",
    "recenter",
    "rotate",
    "scale",
    "scale_to_unit",
    "select_persons",
    "skeleton_streams",
    "window",
]
