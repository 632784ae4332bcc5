"""Entry points for programs and commands."""

from .exported import ExportedFileError
from .keypoint_input import KeypointError
from .prediction import Prediction
from .recognizer import Recognizer
from .stream import Stream
from .trained import ConfigError

__all__ = [
    "ConfigError",
    "ExportedFileError",
    "KeypointError",
    "Prediction",
    "Recognizer",
    "Stream",
]
