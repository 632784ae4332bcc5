"""Entry points for programs and commands."""

from .keypoint_input import KeypointError
from .prediction import Prediction
from .recognizer import Recognizer
from .stream import Stream
from .trained import ConfigError

__all__ = ["ConfigError", "KeypointError", "Prediction", "Recognizer", "Stream"]
