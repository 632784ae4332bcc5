"""Errors with a stable `kind` and the place that they refer to.

Programs and tests check `kind` and `where`; the wording of a message may change. The
kinds are listed in `KINDS`, and those of annotation files, which the checker reports
as faults, in `msg3d.annotations.faults.KINDS`.
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
    "wrong-path": "A folder was given where a file is expected, or a file for a folder.",
    "io": "The operating system could not read or write the file.",
    "empty": "The file, folder, or list contains nothing.",
    "truncated": "The file ends before its content does.",
    "corrupt": "The content of the file is damaged.",
    "corrupt-archive": "The archive is damaged, encrypted, or not an archive.",
    "unsafe": "The file asks to import or execute code.",
    "wrong-file-type": "The file is of another type than expected.",
    "unknown-format": "No reader recognizes the file.",
    "version": "The file was written by an unsupported version.",
    "too-large": "The file claims more data than it contains, or than is allowed.",
    "file-name": "The name of the file does not have the expected form.",
    "exists": "Something else already exists at the output path.",
    "locked": "Another process is using the file or folder.",
    # text, tables, and JSON
    "encoding": "The text is not in the expected encoding.",
    "syntax": "The text is not valid JSON, CSV, or another expected syntax.",
    "structure": "An entry is missing, or an object is not of the expected structure.",
    "columns": "A table lacks a column, or has a column twice or an unknown one.",
    "row": "A row of a table has the wrong number of cells.",
    "number": "A value is not a number, or out of range.",
    "duplicate": "An entry that must be unique appears twice.",
    "unknown-name": "A name refers to something that does not exist.",
    # arrays and keypoints
    "dtype": "An array has an unsupported data type.",
    "shape": "An array has the wrong shape.",
    "not-finite": "Numbers are NaN or infinite.",
    "incomplete-joint": "A joint has some of its numbers and lacks others.",
    "no-person": "No person is detected in any frame.",
    "persons": "Persons cannot be told apart, or there are too many or too few.",
    "frame-numbers": "Frame numbers are missing, repeated, or too far apart.",
    "layout": "The joints do not match the skeleton layout.",
    "unit": "Coordinates do not fit the unit, or the unit does not fit the file.",
    "img-shape": "The size of the image is missing or invalid.",
    # labels, splits, scores, and targets
    "label": "A label or class is missing or invalid.",
    "split": "A split is missing, ambiguous, or leaks between its sides.",
    "samples-differ": "Files that belong together have different samples or labels.",
    "score": "Scores are missing or invalid.",
    "target": "Regression targets are missing or invalid.",
    # configs, options, and networks
    "option": "An option is invalid, or contradicts another one.",
    "config": "The config does not describe what is expected of it.",
    "missing-package": "A package is not installed, or its version is too old.",
    "weights": "The weights do not fit the network, or contain something else.",
    "worker": "A worker process was killed.",
}


@dataclass(frozen=True)
class Where:
    """The place that an error refers to; each attribute is None if unknown.

    Attributes:
        file: path of the file or folder.
        line: line of the file, from 1.
        sample: id of the sample, or its position in a list of samples without ids.
        field: field of the sample or file, such as `keypoint` or `split['train']`.
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
    """Base class of the errors that msg3d raises.

    `str(error)` is the place and the message: `data/a.csv, line 3: has 4 cells, ...`.

    Args:
        message: what is wrong, what was expected, and how to fix it, without the place.
        kind: a key of `KINDS`, or of `msg3d.annotations.faults.KINDS`.
        file, line, sample, field: the attributes of `Where` that are known.

    Attributes:
        message, kind: as given.
        where: the place.
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
        """A copy that fills in parts of the place that are still unknown.

        A reader knows the line of a fault, and its caller the name of the file:

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

    # Keyword-only arguments would be lost between processes.
    def __reduce__(self) -> tuple[Callable[..., "MSG3DError"], tuple[object, ...]]:
        return _restored, (type(self), self.message, self.kind, vars(self.where))


def _restored(
    error_type: type[MSG3DError], message: str, kind: str, where: dict[str, Any]
) -> MSG3DError:
    return error_type(message, kind=kind, **where)


class DataError(MSG3DError):
    """A data file, annotation, array of keypoints, or score file cannot be used."""


class PickleError(DataError, pickle.UnpicklingError):
    """A pickle is refused or corrupt.

    Also an `UnpicklingError`, which callers of `pickle` and `mmengine.load` expect.
    """


class CheckpointError(MSG3DError, pickle.UnpicklingError):
    """Weights or an exported network cannot be used.

    Also an `UnpicklingError`, which callers of `torch.load` expect.
    """


class ConfigError(MSG3DError):
    """A config or an option cannot be used, or does not fit its network or data."""


class SkipFile(Exception):
    """Not an error: a raw file is skipped on purpose.

    The text is the reason, the same for all files that are skipped for it.
    """


# Names that earlier versions used.
AnnotationError = BadFile = KeypointError = ScoreError = TraitError = DataError
ExportedFileError = CheckpointError
PictureError = MSG3DError
LeftOut = SkipFile
