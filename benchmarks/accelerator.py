"""Check the code path for accelerators: parity, compilation, memory, and throughput.

The reference is the published form (`plain`). Without a GPU, the same code path runs on the
CPU. Nothing new is measured after the time limit.

`parity` is the largest relative error of the output, of any gradient, and of any running
statistic, after the network is applied twice in training mode. The reference is `plain` in
float64. `compile` is the same for the network compiled as one graph, relative to eager
execution. Both must be at most 1e-9 in float64. `saved` is the memory per additional clip
that is kept for the backward pass. In compiled form, the partitioner of inductor selects it.
On a CPU, compiled form is without inductor's code generation, which takes many minutes.
`peak` and `speed` have the columns of `memory` and `speed`.
"""

import copy
import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from unittest.mock import patch

import torch
from torch import Tensor, nn

from msg3d.models import by_sample

from . import memory, processes, speed
from . import networks as nets
from .exact import pair
from .networks import OURS, PLAIN
from .results import table
from .saved import saved_per_clip
from .timing import first_line, progress

EXACT = 1e-9
# Gradients smaller than this share of the largest one are rounding errors of zero: those of
# a bias before a BatchNorm, for example.
NEGLIGIBLE = 1e-3
CLIPS = 2  # for comparisons and counts
SHORT = 20  # frames for counts in an emulated data type
# Inductor without the generation of code, which needs no C++ compiler.
PARTITIONED = "aot_eager_decomp_partition"
Tensors = dict[str, list[Tensor]]  # quantity -> tensors


def run(options, results) -> None:
    deadline, tables = time.monotonic() + 60 * options.minutes, {}
    with accelerator_path():
        for name, case, measure in jobs(options):
            rows, new = tables.setdefault(name, []), []
            progress(f"{name}: {' '.join(map(str, case.values()))}")
            if time.monotonic() > deadline:
                limit = f"skipped: the limit of {options.minutes:g} minutes is reached"
                new = [{**case, "error": limit}]
            else:
                try:
                    for new in measure(case, options):
                        results.table(name, rows + new)
                        if time.monotonic() > deadline:
                            break
                except Exception as error:
                    results.passed = False
                    new = [*new, {**case, "error": first_line(error)}]
            rows += new
            results.table(name, rows)
            print(table(new), file=sys.stderr)
            results.passed &= all(row.get("exact", True) for row in new)


@contextmanager
def accelerator_path() -> Iterator[None]:
    """Process whole batches on a CPU, as on accelerators."""
    with patch.object(by_sample, "MIN_ELEMENTS", 1 << 60):
        yield


def jobs(options) -> Iterator[tuple[str, dict, Callable]]:
    """Yield the table, the case, and the function that measures each job.

    The function receives the case and the options, and yields the rows so far.
    """
    amp = [dtype for dtype in options.dtypes if dtype != "tf32"]
    for layout in options.layouts:
        yield "parity", {"layout": layout}, parity
        devices = [("meta", "float32"), *((options.device, dtype) for dtype in amp)]
        for device, dtype in devices:
            case = {"layout": layout, "device": device, "dtype": dtype, "mode": "eager"}
            yield "saved", case, saved
        for dtype, batch in product(amp, options.batch):
            case = {"layout": layout, "dtype": dtype, "batch": batch}
            yield "peak", case, unless_emulated(peak, dtype, options)
        for dtype, batch, mode in product(options.dtypes, options.batch, options.modes):
            case = {"layout": layout, "dtype": dtype, "batch": batch, "mode": mode}
            yield "speed", case, unless_emulated(throughput, dtype, options)
        yield "compile", {"layout": layout}, compiled_parity
        for dtype in amp:
            case = {"layout": layout, "device": options.device, "dtype": dtype}
            measure = unless_emulated(saved, dtype, options)
            yield "saved", {**case, "mode": "compiled"}, measure


def unless_emulated(measure: Callable, dtype: str, options) -> Callable:
    """Return a job that reports that it is skipped if the CPU emulates the data type."""
    reason = f"skipped: this CPU has no instructions for {dtype}"
    if not nets.emulated(dtype, options.device):
        return measure
    return lambda case, options: iter([[{**case, "error": reason}]])


class Twice(nn.Module):
    """Sum of the outputs of a network for clips [N, M, T, V, C] and the reversed clips."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        return self.network(clips) + self.network(clips.flip(2))


def parity(case: dict, options) -> Iterator[list[dict]]:
    """Compare both forms with the published form in float64."""
    plain, ours = pair(case["layout"], options)
    expected = after_step(plain, Twice, case["layout"], "float64", options)
    rows = []
    for dtype, (name, network) in product(
        ("float64", "float32"), ((OURS, ours), (PLAIN, plain))
    ):
        if (name, dtype) == (PLAIN, "float64"):
            continue
        actual = after_step(network, Twice, case["layout"], dtype, options)
        row = {**case, "network": name, "dtype": dtype}
        rows.append(row | errors(actual, expected, dtype))
        yield rows


def compiled_parity(case: dict, options) -> Iterator[list[dict]]:
    """Compare the compiled form, which must be one graph, with eager execution."""
    _, ours = pair(case["layout"], options)
    backend, start = compiler(options.device), time.monotonic()

    def whole_graph(network: nn.Module) -> nn.Module:
        return torch.compile(network, backend=backend, fullgraph=True, dynamic=False)

    actual, expected = (
        after_step(ours, wrap, case["layout"], "float64", options)
        for wrap in (whole_graph, lambda network: network)
    )
    torch._dynamo.reset()
    row = {**case, "backend": backend, "seconds": time.monotonic() - start}
    yield [row | errors(actual, expected, "float64")]


def compiler(device: str) -> str:
    """Return the backend of torch.compile.

    Inductor needs a C++ compiler. On a CPU, it would exceed the time limit.
    """
    names = (os.environ.get("CXX", "g++"), "c++", "clang++")
    generates = device == "cuda" and any(map(shutil.which, names))
    return "inductor" if generates else PARTITIONED


def after_step(
    network: nn.Module,
    wrap: Callable[[nn.Module], nn.Module],
    layout: str,
    dtype: str,
    options,
) -> Tensors:
    """Return the output, gradients, and running statistics of one step in float64.

    Args:
        network: network, which is copied.
        wrap: function that returns the module to run for a network.
        layout, dtype, options: see `networks.keypoints`.
    """
    network = copy.deepcopy(network).to(options.device, nets.storage(dtype))
    clips = nets.keypoints(options, CLIPS, layout, dtype)
    with nets.precision(dtype):
        out = nets.step_of("train", wrap(network), clips, dtype)()
    norms = [
        m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    ]
    values = {
        "output": [out],
        "gradient": [parameter.grad for parameter in network.parameters()],
        "statistics": [s for n in norms for s in (n.running_mean, n.running_var)],
    }
    return {name: [t.double() for t in tensors] for name, tensors in values.items()}


def errors(actual: Tensors, expected: Tensors, dtype: str) -> dict:
    """Return the largest relative error of each quantity, and `exact` for float64."""
    row: dict = {}
    for name, tensors in expected.items():
        norms = torch.stack([tensor.norm() for tensor in tensors])
        pairs = zip(actual[name], tensors, strict=True)
        differences = torch.stack([(a - b).norm() for a, b in pairs])
        # The maximum of a tensor is NaN if one value is.
        relative = differences / norms.clamp(min=NEGLIGIBLE * float(norms.max()))
        row[f"{name}_error"] = float(relative.max())
    if dtype == "float64":
        row["exact"] = all(error <= EXACT for error in row.values())
    return row


def saved(case: dict, options) -> Iterator[list[dict]]:
    """Count the bytes that both forms keep per additional clip."""
    device, rows = case["device"], []
    if nets.emulated(case["dtype"], device):
        options = Namespace(**{**vars(options), "frames": min(options.frames, SHORT)})
    for name in (PLAIN, OURS):
        network = nets.build(name, case["layout"], options).to(device).train()
        clips = nets.keypoints(options, CLIPS, case["layout"], case["dtype"]).to(device)
        network = network.to(clips.dtype)
        if case["mode"] == "compiled":
            network = torch.compile(
                network, backend=PARTITIONED, fullgraph=True, dynamic=False
            )

        def forward(clips: Tensor, network=network) -> Tensor:
            with nets.autocast(case["dtype"], device):
                return network(clips)

        size = saved_per_clip(forward, clips)
        rows.append({**case, "frames": options.frames, "network": name})
        rows[-1]["mib_per_clip"] = size / 2**20
        rows[-1]["of_plain"] = size / 2**20 / rows[0]["mib_per_clip"]
        yield rows
    torch._dynamo.reset()


def peak(case: dict, options) -> Iterator[list[dict]]:
    """Measure the peak memory of a training step of both forms."""
    rows = []
    for name in (PLAIN, OURS):
        task = {**vars(options), **case, "network": name}
        (peaks,) = processes.run(step_memory, task)
        rows.append({**case, "network": name, **peaks})
        rows[-1]["of_plain"] = peaks["peak_mib"] / rows[0]["peak_mib"]
        yield rows


def step_memory(task: dict) -> dict:
    """Measure in this process, see `memory.step_memory`."""
    with accelerator_path():
        return memory.step_memory(task)


def throughput(case: dict, options) -> Iterator[list[dict]]:
    """Time inference and training steps of both forms."""
    changes = {"models": [OURS], "parts": ["infer", "train"]}
    options = Namespace(**{**vars(options), **changes})
    layout, names = case["layout"], nets.names(options)
    sizes = {(layout, n): speed.count(n, layout, options) for n in names}
    yield from speed.time_case(case, sizes, options)
