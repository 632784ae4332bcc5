"""Python API for prediction: recognizers, streams, and exported networks."""

from ..errors import ConfigError, ExportedFileError, KeypointError
from .prediction import Prediction
from .recognizer import Recognizer
from .stream import Stream

__all__ = [
    "ConfigError",
    "ExportedFileError",
    "KeypointError",
    "Prediction",
    "Recognizer",
    "Stream",
]
