"""Networks by torch.export: `.pt2` archives, which need torch alone."""

import io
from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch
from torch.export import ExportedProgram

from .exported import KEY


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
    """The scores of an archive, and what it says of itself if it is one of ours."""
    extra = {KEY: ""}
    program = torch.export.load(file, extra_files=extra)
    said = extra[KEY]
    return ProgramScores(program), said or None
