"""Alias of `msg3d.apis` for programs written for earlier versions."""

from msg3d.apis import ExportedFileError, KeypointError, Prediction, Recognizer

__all__ = ["ExportedFileError", "KeypointError", "Prediction", "Recognizer"]
