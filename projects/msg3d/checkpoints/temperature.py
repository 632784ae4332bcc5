"""Temperature of the class probabilities, stored in `meta['temperature']` of a checkpoint.

`evaluation.calibration` explains and fits it. MMEngine writes new metadata in training, so
that a resumed or fine-tuned network is no longer calibrated.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from .reading import read_data, state_of
from .safe_tensors import SUFFIX

KEY = "temperature"


def stored_temperature(meta: Mapping[str, Any], file: str) -> float | None:
    """Return the temperature of a checkpoint, or None if it is not calibrated.

    Args:
        meta: metadata of the checkpoint.
        file: the checkpoint, for errors.

    Raises:
        CheckpointError: the temperature is not a positive number (kind `number`).
    """
    temperature = meta.get(KEY)
    if temperature is None:
        return None
    if type(temperature) not in (int, float) or not 0 < temperature < math.inf:
        raise CheckpointError(
            f"the temperature in the checkpoint is {temperature!r:.40}, expected a positive "
            "number. Calibrate the checkpoint again with `msg3d calibrate`.",
            kind="number",
            file=file,
            field=f"meta[{KEY!r}]",
        )
    return float(temperature)


def store_temperature(
    source: str, out: str, temperature: float, num_classes: int
) -> list[str]:
    """Write the weights and metadata of a checkpoint with a temperature.

    A temperature in `source` is replaced. The state of the optimizer is not written.

    Args:
        source: `.pth` or `.safetensors` file.
        out: `NAME.pth` or `NAME.safetensors`.
        temperature: temperature from `evaluation.fit_temperature`.
        num_classes: number of classes of the scores that the temperature was fitted on.

    Returns:
        The keys of `meta` that were not written, see `write_safetensors`.

    Raises:
        CheckpointError: the source contains no weights, or its head has another number of
            classes (kind `weights`); or `out` has another suffix (kind `file-name`).
        OSError: the file cannot be written.
    """
    from .convert import write_checkpoint  # imports MMAction2

    check_name(out)
    data = read_data(source)
    state = state_of(data, source)
    bias = state.get("cls_head.fc.bias")
    if bias is not None and len(bias) != num_classes:
        raise CheckpointError(
            f"the network has {len(bias)} classes, but the scores have {num_classes}. Pass "
            "the scores of this network.",
            kind="weights",
            file=source,
        )
    meta = data.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    return write_checkpoint(state, {**meta, KEY: temperature}, out)


def check_name(out: str) -> None:
    """Check the suffix of a checkpoint to write.

    Raises:
        CheckpointError: the suffix is not `.pth` or `.safetensors` (kind `file-name`).
    """
    if Path(out).suffix not in (".pth", SUFFIX):
        raise CheckpointError(
            f"the checkpoint cannot be written as {out}, expected NAME.pth or "
            f"NAME{SUFFIX}",
            kind="file-name",
            file=out,
        )
