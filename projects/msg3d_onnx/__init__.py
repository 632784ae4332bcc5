"""Exported networks without torch and MMAction2: onnxruntime and numpy are enough.

    from msg3d_onnx import Recognizer

    recognizer = Recognizer.from_exported("model.onnx")
    recognizer.predict(keypoint).name

`Recognizer` is that of `msg3d`, read from the same source, and so is the preprocessing.
"""

from .source import ExportedFileError, KeypointError, Prediction, Recognizer

__all__ = ["ExportedFileError", "KeypointError", "Prediction", "Recognizer"]
