"""Exceptions of msg3d, each with a stable `kind` and a location.

Check `kind` and `where` in programs and tests, since the wording of messages may change.
`KINDS` lists the kinds, except those of faults in annotation files, which are listed in
`msg3d.annotations.faults.KINDS`.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "KINDS",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "MSG3DError",
    "PickleError",
    "SkipFile",
    "Where",
]

KINDS = {
    # files and folders
    "not-found": "The file or folder does not exist.",
    "wrong-path": "The path is a folder instead of a file, or the reverse.",
    "io": "The operating system could not read or write the file.",
    "empty": "The file, folder, or list contains nothing.",
    "truncated": "The file ends unexpectedly.",
    "corrupt": "The content of the file is damaged.",
    "corrupt-archive": "The archive is damaged, encrypted, or not an archive.",
    "unsafe": "Loading the file would import or execute code.",
    "wrong-file-type": "The file does not have the expected type.",
    "unknown-format": "No reader recognizes the file.",
    "version": "The file was written by an unsupported version.",
    "too-large": "The file declares more data than it contains, or than is allowed.",
    "file-name": "The file name does not have the expected form.",
    "exists": "The output path already exists.",
    "locked": "Another process is using the file or folder.",
    # text, tables, and JSON
    "encoding": "The text is not in the expected encoding.",
    "syntax": "The text is not valid JSON, CSV, or another expected syntax.",
    "structure": "An entry is missing, or an object has an unexpected structure.",
    "columns": "A table has a missing, duplicate, or unknown column.",
    "row": "A row of a table has the wrong number of cells.",
    "number": "A value is not a number, or out of range.",
    "duplicate": "An entry that must be unique appears twice.",
    "unknown-name": "A name refers to something that does not exist.",
    # arrays and keypoints
    "dtype": "An array has an unsupported data type.",
    "shape": "An array has the wrong shape.",
    "not-finite": "An array contains NaN or infinite values.",
    "incomplete-joint": "Some, but not all, coordinates of a joint are missing.",
    "no-person": "No person is detected in any frame.",
    "persons": "Persons cannot be distinguished, or there are too many or too few.",
    "frame-numbers": "Frame numbers are missing, repeated, or too far apart.",
    "frame-rate": "The frame rate or the times of frames are invalid.",
    "layout": "The joints do not match the skeleton layout.",
    "unit": "The coordinates do not match the unit, or the unit does not suit the file.",
    "img-shape": "The image size is missing or invalid.",
    # labels, splits, scores, and targets
    "label": "A label or class is missing or invalid.",
    "split": "A split is missing or ambiguous, or training and test samples overlap.",
    "samples-differ": "Files that belong together have different samples or labels.",
    "score": "Scores are missing or invalid.",
    "target": "Regression targets are missing or invalid.",
    # configs, options, and networks
    "option": "An option is invalid or conflicts with another option.",
    "config": "The config is invalid, incomplete, or unsuitable.",
    "missing-package": "A package is not installed, or its version is too old.",
    "weights": "The file contains no weights, or they do not match the network.",
    "worker": "A worker process was killed.",
}


@dataclass(frozen=True)
class Where:
    """Location of an error. Unknown attributes are None.

    Attributes:
        file: path of the file or folder.
        line: line number in the file, from 1.
        sample: id of the sample, or its index in the list of samples if it has no id.
        field: field of the sample or file, such as `keypoint` or `split['train']`. It is
            not part of the text `str(where)`.
    """

    file: str | None = None
    line: int | None = None
    sample: str | int | None = None
    field: str | None = None

    def __str__(self) -> str:
        parts = [] if self.file is None else [self.file]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.sample is not None:
            parts.append(f"sample {self.sample!r}")
        return ", ".join(parts)


class MSG3DError(ValueError):
    """Base class of the exceptions of msg3d.

    `str(error)` consists of the location and the message, for example
    `data/a.csv, line 3: the row has 4 cells, expected 5`.

    Args:
        message: problem, expected value, and remedy, without the location.
        kind: key of `KINDS` or `msg3d.annotations.faults.KINDS`.
        file, line, sample, field: location of the error, see `Where`.

    Attributes:
        message: text without the location.
        kind: kind of the error.
        where: location of the error, a `Where`.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        file: str | None = None,
        line: int | None = None,
        sample: str | int | None = None,
        field: str | None = None,
    ) -> None:
        self.message, self.kind = message, kind
        self.where = Where(file, line, sample, field)
        super().__init__(message)

    def __str__(self) -> str:
        place = str(self.where)
        return f"{place}: {self.message}" if place else self.message

    def at(
        self,
        *,
        file: str | None = None,
        line: int | None = None,
        sample: str | int | None = None,
        field: str | None = None,
    ) -> "Self":
        """Return a copy of the error with unknown parts of the location filled in.

        For example, a parser raises an error with the line, and its caller adds the file:

            except DataError as error:
                raise error.at(file=path) from error
        """
        known = self.where
        return type(self)(
            self.message,
            kind=self.kind,
            file=file if known.file is None else known.file,
            line=line if known.line is None else known.line,
            sample=sample if known.sample is None else known.sample,
            field=field if known.field is None else known.field,
        )

    # By default, pickling an exception loses its keyword-only arguments.
    def __reduce__(self) -> tuple[Callable[..., "MSG3DError"], tuple[object, ...]]:
        return _restore, (type(self), self.message, self.kind, vars(self.where))


def _restore(
    error_type: type[MSG3DError], message: str, kind: str, where: dict[str, Any]
) -> MSG3DError:
    return error_type(message, kind=kind, **where)


class DataError(MSG3DError):
    """Invalid data file, annotation file, keypoint array, or score file."""


class PickleError(DataError, pickle.UnpicklingError):
    """Unsafe or corrupt pickle file.

    Also an `UnpicklingError`, which callers of `pickle` and `mmengine.load` expect.
    """


class CheckpointError(MSG3DError, pickle.UnpicklingError):
    """Invalid checkpoint or exported network.

    Also an `UnpicklingError`, which callers of `torch.load` expect.
    """


class ConfigError(MSG3DError):
    """Invalid config or option, or mismatch with the network or data."""


class SkipFile(Exception):
    """Signal that a raw file is skipped on purpose, which is not an error.

    `str(exception)` is the reason. Conversion reports group skipped files by reason.
    """


# Backward-compatible aliases for names in earlier versions.
AnnotationError = BadFile = KeypointError = ScoreError = TraitError = DataError
ExportedFileError = CheckpointError
PictureError = MSG3DError
LeftOut = SkipFile
