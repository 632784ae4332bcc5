"""Read and write networks as `.pt2` archives of torch.export."""

import io
import os
import pickle
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from pathlib import PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram

from ..errors import CheckpointError


class ProgramScores:
    """A program of torch.export, as a function from inputs to scores."""

    def __init__(self, program: ExportedProgram) -> None:
        # The guards of recent PyTorch compare memory layouts with those of the traced
        # sizes; the results are right for all sizes, as `export` checks.
        guarded = "check_guards" in signature(program.module).parameters
        self._network = program.module(**({"check_guards": False} if guarded else {}))

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Scores [B, classes], or targets, of B arrays [clips, M, T, V, C] of one shape."""
        keypoint = torch.from_numpy(np.stack(inputs).astype(np.float32, copy=False))
        scores: NDArray[np.float32] = self._network(keypoint).numpy()
        return scores


def program_bytes(program: ExportedProgram, entries: dict[str, str]) -> bytes:
    """The archive of a program, with further text files in it by name."""
    file = io.BytesIO()
    torch.export.save(program, file, extra_files=entries)
    return file.getvalue()


def load_program(
    file: str | io.BytesIO, entry: str
) -> tuple[ProgramScores, str | None]:
    """Read an archive of torch.export.

    Pickles in it are read as plain weights only, which torch.export does not do.

    NOTE: it is still a program, whose operators torch looks up by the names that the
    file gives: of untrusted files, load only ONNX.

    Args:
        file: path, or the open file.
        entry: name of a text file in the archive.

    Returns:
        The program as a function, and the text of the entry; None if there is none.

    Raises:
        CheckpointError: not such an archive, or corrupt (`corrupt`), or with objects
            that unpickling would execute (`unsafe`).
    """
    extra = {entry: ""}
    try:
        _refuse_objects(file)
        with _plain_pickles():
            program = torch.export.load(file, extra_files=extra)
    except Exception as error:  # corrupt files raise errors of many types
        refused = isinstance(error, pickle.UnpicklingError)  # by torch's safe unpickler
        why = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"torch.export.load cannot read the archive ({why:.200}). Use a file that "
            "`msg3d export` wrote.",
            kind="unsafe" if refused else "corrupt",
            file=file if isinstance(file, str) else None,
        ) from error
    return ProgramScores(program), extra[entry] or None


def _refuse_objects(file: str | io.BytesIO) -> None:
    """Refuse objects, which would be unpickled without limits; our files have none."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).name.startswith(("custom_obj_", "opaque_obj_")):
                raise pickle.UnpicklingError(f"{name} could execute code")
    if not isinstance(file, str):
        file.seek(0)


@contextmanager
def _plain_pickles() -> Iterator[None]:
    """Make torch.load, which torch.export calls without limits, read weights only."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
