"""Whether ours computes what the plain form does, at a small size.

The plain form in float64 is the measure. Its own error in another format says what
rounding does; that of ours must not be much worse.
"""

import copy

import torch
from torch import Tensor, nn

from .networks import OURS, PLAIN, build
from .precision import lacks, settings, storage
from .progress import first_line, progress
from .results import Results, table
from .steps import infer_step, keypoints, train_step

CHANNELS, BATCH = 24, 2
FACTOR = 10  # times the plain form's own error
# Relative errors that pass whatever the plain form's is: float64 decides. In other
# formats rounding may flip a ReLU or a maximum, which is a jump of the gradient.
OUTPUT_FLOOR = {"float64": 1e-9, "float32": 1e-5}
GRADIENT_FLOOR = {"float64": 1e-9, "float32": 2e-2}


def run(options, results: Results) -> None:
    """Outputs and gradients in all formats; `results.data["exact"]`."""
    rows = results.data["exact"] = []
    dtypes = dict.fromkeys(["float64", "float32", *options.dtypes])
    for layout in options.layouts:
        plain, ours = _pair(layout, options)
        for part in ("infer", "absent", "train"):
            progress(f"comparing with the plain form: {layout} {part}")
            wanted = _values(plain, layout, part, "float64", options)
            for dtype in (name for name in dtypes if not lacks(name, options.device)):
                row = dict(part=part, layout=layout, dtype=dtype, exact=False)
                rows.append(row)
                try:
                    found = _values(ours, layout, part, dtype, options)
                except Exception as error:
                    row["exception"] = first_line(error)
                    continue
                same = _values(plain, layout, part, dtype, options)
                row["max_abs_difference"] = float((found[0] - same[0]).abs().max())
                row["error"], row["gradient_error"] = _errors(found, wanted)
                row["plain_error"], row["plain_gradient_error"] = _errors(same, wanted)
                row["exact"] = _is_exact(row)
    results.exact = all(row["exact"] for row in rows)
    results.show("Exactness", _text(rows))


def _pair(layout: str, options) -> tuple[nn.Module, nn.Module]:
    """The plain form and ours in float64, with graphs and statistics as if learned."""
    plain, ours = (build(name, layout, options, CHANNELS) for name in (PLAIN, OURS))
    from weights import rebuild_weights  # of the tests, as the plain form is

    rebuild_weights(plain, torch.float64)
    ours.double().load_state_dict(plain.state_dict())
    return plain.to(options.device), ours.to(options.device)


def _values(network, layout: str, part: str, dtype: str, options) -> list[Tensor]:
    """The output, and in training the gradient of every parameter, in float64."""
    network = copy.deepcopy(network).to(storage(dtype))
    clips = keypoints(BATCH, layout, options, dtype, present=part != "absent")
    make = train_step if part == "train" else infer_step
    with settings(dtype):
        found = [make(network, clips, dtype)()]
    if part == "train":
        found += [parameter.grad for parameter in network.parameters()]
    return [value.double() for value in found]


def _errors(found: list, wanted: list) -> tuple[float, float | None]:
    """Relative: of the output by its greatest value, of all gradients by their norm."""
    output = (found[0] - wanted[0]).abs().max() / wanted[0].abs().max()
    if len(wanted) == 1:
        return float(output), None
    mine, theirs = (
        torch.cat([gradient.flatten() for gradient in gradients[1:]])
        for gradients in (found, wanted)
    )
    return float(output), float((mine - theirs).norm() / theirs.norm())


def _is_exact(row: dict) -> bool:
    """Not so if an error is NaN, either."""
    limit = max(FACTOR * row["plain_error"], OUTPUT_FLOOR.get(row["dtype"], 0))
    if not row["error"] <= limit:
        return False
    if row["gradient_error"] is None:
        return True
    floor = GRADIENT_FLOOR.get(row["dtype"], 0)
    return row["gradient_error"] <= max(FACTOR * row["plain_gradient_error"], floor)


def _text(rows: list) -> str:
    columns = {
        "part": lambda row: row["part"],
        "layout": lambda row: row["layout"],
        "dtype": lambda row: row["dtype"],
        "max abs difference": lambda row: f"{row['max_abs_difference']:.1e}",
        "error": lambda row: f"{row['error']:.1e}",
        "plain's": lambda row: f"{row['plain_error']:.1e}",
        "gradient error": lambda row: f"{row['gradient_error']:.1e}",
        "plain's own": lambda row: f"{row['plain_gradient_error']:.1e}",
        "exact": lambda row: "yes" if row["exact"] else "NO",
        "exception": lambda row: row["exception"],
    }
    return (
        f"{table(rows, columns)}\n\n`max abs difference`: of the outputs of ours and "
        "the plain form, both in that format. The errors are relative, against the "
        "plain form in float64, of the output by its greatest value, of all gradients "
        f"by their norm. Ours is exact if no error is above {FACTOR} times the plain "
        "form's own; in float64 above 1e-9, and in float32, where rounding may flip a "
        "ReLU, above 1e-5 for outputs and 2e-2 for gradients."
    )
