"""Backward-compatible aliases for names in `msg3d.apis`."""

from msg3d.apis import ExportedFileError, KeypointError, Prediction, Recognizer

__all__ = ["ExportedFileError", "KeypointError", "Prediction", "Recognizer"]
