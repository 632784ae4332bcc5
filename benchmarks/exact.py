"""Compare outputs and gradients of MS-G3D with the plain published form's.

The plain form in float64 is the measure. In another format its own error (`plain`) shows
what rounding does. `error` is that of the output relative to its greatest value, `gradient
error` that of all gradients by their norm. MS-G3D is exact if no error is above 10 times
the plain form's own, or above 1e-9 in float64; in float32, where rounding may flip a ReLU,
1e-5 for outputs and 2e-2 for gradients pass.
"""

import copy
from argparse import Namespace

import torch
from torch import Tensor

from . import networks as nets
from .networks import OURS, PLAIN
from .timing import first_line, progress

CHANNELS, BATCH = 24, 2
FACTOR = 10
FLOOR = {"error": {"float64": 1e-9, "float32": 1e-5}}
FLOOR["gradient_error"] = {"float64": 1e-9, "float32": 2e-2}


def run(options, results) -> None:
    rows, dtypes = [], dict.fromkeys(["float64", "float32", *options.dtypes])
    for layout in options.layouts:
        size = Namespace(**{**vars(options), "base_channels": CHANNELS})
        plain, ours = (nets.build(name, layout, size) for name in (PLAIN, OURS))
        # Graphs and statistics as if trained.
        nets.reference("weights").rebuild_weights(plain, torch.float64)
        ours.double().load_state_dict(plain.state_dict())
        for part in ("infer", "absent", "train"):
            progress(f"comparing with the plain form: {layout} {part}")
            expected = _values(plain, layout, part, "float64", options)
            for dtype in dtypes:
                row = {"part": part, "layout": layout, "dtype": dtype}
                if nets.unsupported(dtype, options.device):
                    continue
                rows.append(row)
                try:
                    for network, name in ((ours, ""), (plain, "plain_")):
                        values = _values(network, layout, part, dtype, options)
                        row |= {
                            name + k: e for k, e in errors(values, expected).items()
                        }
                    row["exact"] = is_exact(row)
                except Exception as error:
                    row.update(exact=False, exception=first_line(error))
                results.table("exact", rows)
    results.passed = all(row["exact"] for row in rows)


def _values(network, layout: str, part: str, dtype: str, options) -> list[Tensor]:
    """Return the output, and for "train" all gradients, in float64."""
    network = copy.deepcopy(network).to(options.device, nets.storage(dtype))
    clips = nets.keypoints(options, BATCH, layout, dtype, part)
    with nets.precision(dtype):
        values = [nets.step_of(part, network, clips, dtype)()]
    if part == "train":
        values += [parameter.grad for parameter in network.parameters()]
    return [value.double() for value in values]


def errors(values: list[Tensor], expected: list[Tensor]) -> dict:
    """Return the relative errors of the output and, if given, of all gradients."""
    output = (values[0] - expected[0]).abs().max() / expected[0].abs().max()
    if len(expected) == 1:
        return {"error": float(output)}
    ours, plain = (torch.cat([g.flatten() for g in v[1:]]) for v in (values, expected))
    gradient = (ours - plain).norm() / plain.norm()
    return {"error": float(output), "gradient_error": float(gradient)}


def is_exact(row: dict) -> bool:
    """Return whether no error of a row is above its limit, or NaN."""
    return all(
        row[key] <= max(FACTOR * row[f"plain_{key}"], floor.get(row["dtype"], 0))
        for key, floor in FLOOR.items()
        if key in row
    )
