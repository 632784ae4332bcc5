"""Reader and writer for `.pt2` archives of torch.export."""

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

from ..errors import CheckpointError, ConfigError


class ProgramScores:
    """Callable that returns the scores of a program of torch.export.

    Args:
        program: program that maps float32 [B, clips, M, T, V, C] to scores or targets.
    """

    def __init__(self, program: ExportedProgram) -> None:
        # Recent PyTorch versions add guards that compare memory layouts with those of
        # the traced sizes. `export` verifies the results for other sizes.
        guarded = "check_guards" in signature(program.module).parameters
        self._network = program.module(**({"check_guards": False} if guarded else {}))

    @torch.no_grad()
    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of equal shape.

        Returns:
            float32 [B, classes] for classification or [B, targets] for regression.
        """
        keypoint = torch.from_numpy(np.stack(inputs).astype(np.float32, copy=False))
        scores: NDArray[np.float32] = self._network(keypoint).numpy()
        return scores

    def features(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Raise ConfigError, since `.pt2` files have no features."""
        raise ConfigError(
            "a .pt2 file returns scores only. Use the checkpoint or an .onnx file for "
            "features.",
            kind="config",
            field="features",
        )


def program_bytes(program: ExportedProgram, entries: dict[str, str]) -> bytes:
    """Return the content of a `.pt2` archive.

    Args:
        program: program to save.
        entries: dictionary from the names of additional text files to their content.
    """
    file = io.BytesIO()
    torch.export.save(program, file, extra_files=entries)
    return file.getvalue()


def load_program(
    file: str | io.BytesIO, entry: str
) -> tuple[ProgramScores, str | None]:
    """Load a `.pt2` archive of torch.export, without unpickling custom objects.

    Unlike torch.export.load, this function unpickles only plain weights.

    NOTE: The archive is still a program, and PyTorch looks up its operators by name.
    Load untrusted networks as ONNX only.

    Args:
        file: path or open file of the archive.
        entry: name of a text file in the archive.

    Returns:
        Callable that returns the scores of the program, and the content of the text
        file, or None if it is missing or empty.

    Raises:
        CheckpointError: the archive is corrupt or invalid (kind `corrupt`), or
            unpickling it could execute code (kind `unsafe`).
    """
    extra = {entry: ""}
    try:
        _reject_objects(file)
        with _weights_only():
            program = torch.export.load(file, extra_files=extra)
    except Exception as error:  # corrupt files raise errors of many types
        unsafe = isinstance(error, pickle.UnpicklingError)  # of torch's safe unpickler
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"torch.export.load cannot read the archive ({reason:.200}). Use a file "
            "written by `msg3d export`.",
            kind="unsafe" if unsafe else "corrupt",
            file=file if isinstance(file, str) else None,
        ) from error
    return ProgramScores(program), extra[entry] or None


def _reject_objects(file: str | io.BytesIO) -> None:
    """Reject custom objects, which PyTorch would unpickle without restrictions."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).name.startswith(("custom_obj_", "opaque_obj_")):
                raise pickle.UnpicklingError(f"{name} could execute code")
    if not isinstance(file, str):
        file.seek(0)


@contextmanager
def _weights_only() -> Iterator[None]:
    """Restrict the calls of torch.load in torch.export to plain weights."""
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
