"""Convert published data sets and users' recordings to annotation files."""

from .bandai import convert_bandai
from .kinetics import convert_kinetics
from .msr_action3d import convert_msr_action3d
from .ntu import convert_ntu
from .nw_ucla import convert_nw_ucla
from .penn_action import convert_penn_action
from .sbu import convert_sbu
from .udiva import convert_udiva
from .user_data import convert_coco_json, convert_folder, convert_mediapipe

__all__ = [
    "convert_bandai",
    "convert_coco_json",
    "convert_folder",
    "convert_kinetics",
    "convert_mediapipe",
    "convert_msr_action3d",
    "convert_ntu",
    "convert_nw_ucla",
    "convert_penn_action",
    "convert_sbu",
    "convert_udiva",
]
