"""Array operations on keypoints [M, T, V, C], shared by training and prediction."""

from .align import align_view, pre_normalize_3d, recenter
from .augment import limbs, mirror, mirrored_order, move_2d, rotate, scale
from .laban import EFFORTS, laban_effort
from .normalize import center_2d, pre_normalize_2d, scale_to_unit
from .persons import format_gcn_input, select_persons
from .sample import crop_times, interpolate, pad_to, uniform_sample, window
from .streams import bones, motion, skeleton_streams

__all__ = [
    "EFFORTS",
    "align_view",
    "bones",
    "center_2d",
    "crop_times",
    "format_gcn_input",
    "interpolate",
    "laban_effort",
    "limbs",
    "mirror",
    "mirrored_order",
    "motion",
    "move_2d",
    "pad_to",
    "pre_normalize_2d",
    "pre_normalize_3d",
    "recenter",
    "rotate",
    "scale",
    "scale_to_unit",
    "select_persons",
    "skeleton_streams",
    "uniform_sample",
    "window",
]
