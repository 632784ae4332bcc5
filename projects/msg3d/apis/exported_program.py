"""Networks by torch.export: `.pt2` archives, which need torch alone."""

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Optional

import numpy as np
import torch
from torch.export import ExportedProgram

from ..errors import CheckpointError
from .exported import (
    KEY,
)


class ProgramScores:
    """A program of torch.export, as a function from inputs to scores."""

    def __init__(self, program: ExportedProgram) -> None:
        # The guards are of how eager torch would lay out memory for the traced sizes;
        # the numbers are right for all, as `export` checks.
        self._network = program.module(check_guards=False)

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Scores [B, classes] of B arrays [clips, M, T, V, C] of one shape."""
        keypoint = torch.from_numpy(np.stack(inputs).astype(np.float32, copy=False))
        return self._network(keypoint).numpy()


def program_bytes(program: ExportedProgram, said: str) -> bytes:
    """The archive, with `said`, JSON, as its entry `apis.exported.KEY`."""
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={KEY: said})
    return file.getvalue()


def load_program(file: str | io.BytesIO) -> tuple[ProgramScores, Optional[str]]:
    """The scores of an archive, and what it says of itself if it is one of ours.

    Pickles in it are read as plain weights only, which torch.export does not do.

    NOTE: it is a program all the same, whose operators torch looks up by the names that
    the file gives: only an ONNX file may come from strangers.

    Raises:
        CheckpointError: it is no such archive, or damaged, or has objects in it that
            unpickling would execute.
    """
    extra = {KEY: ""}
    try:
        _refuse_objects(file)
        with _plain_pickles():
            program = torch.export.load(file, extra_files=extra)
    except Exception as error:  # of any kind, as the damage is
        why = " ".join(str(error).split()) or type(error).__name__
        name = file if isinstance(file, str) else "the network"
        raise CheckpointError(
            f"{name} is no archive that torch.export.load can read ({why:.200}): give one "
            "that tools/export.py wrote"
        ) from error
    said = extra[KEY]
    return ProgramScores(program), said or None


def _refuse_objects(file: str | io.BytesIO) -> None:
    """Objects are unpickled without limits; exported networks of ours have none."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).name.startswith(("custom_obj_", "opaque_obj_")):
                raise ValueError(f"{name} could execute code")
    if not isinstance(file, str):
        file.seek(0)


@contextmanager
def _plain_pickles() -> Iterator[None]:
    """torch.load, which torch.export calls without limits, reads weights only."""
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
