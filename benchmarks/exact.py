"""Compare outputs and gradients of MS-G3D with those of the published form.

The published form (`plain`) in float64 is the reference. `error` is the largest error of
the output relative to its largest value. `gradient error` is the relative error of all
gradients in the Euclidean norm. The columns `plain ...` contain the errors of the published
form in the same data type, which are due to rounding. MS-G3D is exact if its errors are at
most 10 times those of the published form, or at most 1e-9 in float64. In float32, where
rounding may flip a ReLU, errors of 1e-5 (output) and 2e-2 (gradients) are accepted.
"""

import copy
from argparse import Namespace

import torch
from torch import Tensor, nn

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
        plain, ours = pair(layout, size)
        for part in ("infer", "absent", "train"):
            progress(f"comparing with the published form: {layout} {part}")
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
                            name + key: error
                            for key, error in errors(values, expected).items()
                        }
                    row["exact"] = is_exact(row)
                except Exception as error:
                    row.update(exact=False, exception=first_line(error))
                results.table("exact", rows)
    results.passed = all(row["exact"] for row in rows)


def pair(layout: str, options: Namespace) -> tuple[nn.Module, nn.Module]:
    """Return the published form and ours in float64, with the same random weights."""
    plain, ours = (nets.build(name, layout, options) for name in (PLAIN, OURS))
    # Learned graphs and statistics differ from their initial values.
    nets.reference("weights").rebuild_weights(plain, torch.float64)
    ours.double().load_state_dict(plain.state_dict())
    return plain, ours


def _values(network, layout: str, part: str, dtype: str, options) -> list[Tensor]:
    """Return the output and, for "train", all gradients in float64."""
    network = copy.deepcopy(network).to(options.device, nets.storage(dtype))
    clips = nets.keypoints(options, BATCH, layout, dtype, part)
    with nets.precision(dtype):
        values = [nets.step_of(part, network, clips, dtype)()]
    if part == "train":
        values += [parameter.grad for parameter in network.parameters()]
    return [value.double() for value in values]


def errors(values: list[Tensor], expected: list[Tensor]) -> dict:
    """Return the relative errors of the output and, if present, of all gradients."""
    output = (values[0] - expected[0]).abs().max() / expected[0].abs().max()
    if len(expected) == 1:
        return {"error": float(output)}
    actual, reference = (
        torch.cat([grad.flatten() for grad in tensors[1:]])
        for tensors in (values, expected)
    )
    gradient = (actual - reference).norm() / reference.norm()
    return {"error": float(output), "gradient_error": float(gradient)}


def is_exact(row: dict) -> bool:
    """Return whether all errors of a row are within their limits. NaN is not."""
    return all(
        row[key] <= max(FACTOR * row[f"plain_{key}"], floor.get(row["dtype"], 0))
        for key, floor in FLOOR.items()
        if key in row
    )
