"""Time inference and training steps of MS-G3D and of its published form.

Parts: `infer` is the forward pass in eval mode; `absent` is the same with one person per
clip; `mix` is the same with one person in 70 % of the clips, as in NTU RGB+D (rounded: 7 of
10 clips, 6 of 8); `train` is the forward and backward pass in training mode. Absent persons
take the same time in training, because `data_bn` normalizes over the batch. All networks are
timed in turn. `times plain` is the median of the published form (`plain`) divided by the
median of the network. `gemm` is one large square matrix product. `gemm limit` is the time of
all FLOPs of the network at the rate of `gemm`, where a training step counts as three forward
passes. `gemm share` is this limit divided by the median. `gmac` counts the convolutions and
matrix products that a forward pass computes per clip, without those it skips for absent
persons. `mparams` is the number of parameters in millions. `difference` is the largest
difference from the output of the published form, relative to its largest value. ST-GCN,
AAGCN, and CTR-GCN have their default sizes.
"""

import gc
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn

from msg3d.apis.flops import flop_counter
from msg3d.engine.hooks.memory_hook import keep_freed_memory

from . import networks as nets
from .chart import save_chart
from .networks import OURS, PLAIN
from .timing import first_line, interleave, progress

GEMM = "gemm"
GEMM_SIZE = {"cpu": 2048, "cuda": 8192}
COMPILE = {"compiled": "default", "cudagraphs": "reduce-overhead"}
# The first step compiles. CUDA graphs also need a run and a recording before they replay.
WARM_UPS = {"eager": 1, "compiled": 2, "cudagraphs": 4}
# Differences of outputs that are due to rounding.
ROUNDING = {
    "float64": 1e-8,
    "float32": 1e-3,
    "tf32": 0.1,
    "bfloat16": 0.3,
    "float16": 0.1,
}


def run(options, results) -> None:
    if options.allocator == "reuse" and options.device == "cpu":
        keep_freed_memory()
    rows, sizes = [], {}
    for layout, name in product(options.layouts, nets.names(options)):
        progress(f"counting FLOPs: {layout} {name}")
        sizes[layout, name] = count(name, layout, options)
    for case in product(options.layouts, options.dtypes, options.batch, options.modes):
        case = dict(zip(("layout", "dtype", "batch", "mode"), case, strict=True))
        first_row = len(rows)
        for case_rows in time_case(case, sizes, options):
            rows[first_row:] = case_rows
            results.table("speed", rows)
    results.passed = all(row.get("exact", True) for row in rows)
    save_chart(rows, options.output.with_suffix(".svg"))


def time_case(case: dict, sizes: dict, options) -> Iterator[list[dict]]:
    """Time all parts of a case, and yield its rows so far after each round.

    Args:
        case: layout, dtype, batch, and mode.
        sizes: (layout, name of the network) -> result of `count`.
        options: options of the command.
    """
    reason = nets.unsupported(case["dtype"], options.device, case["mode"])
    if reason:
        yield [{**case, "error": reason}]
        return
    networks, failures = build_all(case, options)
    rows: list[dict] = []
    for part in options.parts:
        first_row, part_case = len(rows), {"part": part, **case}
        with nets.precision(case["dtype"]):
            for measurements in time_part(part_case, networks, options):
                rows[first_row:] = make_rows(part_case, failures, sizes, *measurements)
                yield list(rows)
    networks.clear()
    torch._dynamo.reset()
    gc.collect()


def count(name: str, layout: str, options) -> dict:
    """Return millions of parameters, and GMAC of a clip with all persons and with one.

    They are counted on the CPU, with keys "mparams", "infer", and "absent". The result is
    empty if the network fails.
    """
    sizes = {}
    try:
        network = nets.build(name, layout, options)
        sizes["mparams"] = sum(p.numel() for p in network.parameters()) / 1e6
        for part in ("infer", "absent"):
            clip = nets.keypoints(options, 1, layout, "float32", part).cpu()
            step = nets.step_of(part, network, clip, "float32")
            step()  # computes the constant features of absent persons
            with flop_counter() as counter:
                step()
            sizes[part] = counter.get_total_flops() / 2e9
    except Exception:  # reported when the network is timed
        return {}
    return sizes


def gmac_of(part: str, batch: int, sizes: dict) -> float:
    """Return the mean GMAC per clip of a part."""
    single = {"absent": batch, "mix": nets.single_clips(batch)}.get(part, 0)
    return (single * sizes["absent"] + (batch - single) * sizes["infer"]) / batch


def build_all(case: dict, options) -> tuple[dict, dict]:
    """Return name -> network prepared for the mode, and name -> error of the others."""
    networks, failures = {}, {}
    for name in nets.names(options):
        try:
            network = nets.build(name, case["layout"], options)
            network = network.to(options.device, nets.storage(case["dtype"]))
            networks[name] = prepare(network, case["mode"])
        except Exception as error:
            failures[name] = first_line(error)
    return networks, failures


def prepare(network: nn.Module, mode: str) -> nn.Module:
    """Compile a network if the mode requires it."""
    if mode == "eager":
        return network
    compiled = torch.compile(network, mode=COMPILE[mode])
    if mode == "cudagraphs":
        # CUDA graphs may reuse the memory of the previous step.
        mark_step = torch.compiler.cudagraph_mark_step_begin
        compiled.register_forward_pre_hook(lambda *_: mark_step())
    return compiled


def gemm_step(dtype: str, device: str):
    """Return a function that multiplies two square matrices, and its GFLOPs."""
    size = GEMM_SIZE[device]
    left = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    left = left.to(device, nets.AUTOCAST.get(dtype, nets.storage(dtype)))
    right, out = left.T.contiguous(), torch.empty_like(left)
    return lambda: torch.mm(left, right, out=out), 2e-9 * size**3


def time_part(case: dict, networks: dict, options):
    """Yield differences, errors, GFLOPs of the matrix product, and times per round."""
    part, dtype, device = case["part"], case["dtype"], options.device
    description = "{part} {layout} {dtype} {mode} batch {batch}".format(**case)
    clips = nets.keypoints(options, case["batch"], case["layout"], dtype, part)
    steps, errors, differences, expected = {}, {}, {}, None
    for name, network in networks.items():
        progress(f"{description}: first steps of {name}")
        step = nets.step_of(part, network, clips, dtype)
        try:
            for _ in range(WARM_UPS[case["mode"]]):
                out = step()
        except Exception as error:
            errors[name] = first_line(error)
            continue
        steps[name] = step
        if name == PLAIN:
            expected = out.clone()  # CUDA graphs overwrite the output.
        elif network.comparable and expected is not None:
            differences[name] = relative_difference(out, expected)
    steps[GEMM], gflop = gemm_step(dtype, device)
    expected = out = None
    for times in interleave(steps, options.rounds, description, device, errors=errors):
        yield differences, errors, gflop, times


def relative_difference(output: Tensor, expected: Tensor) -> float:
    """Return the largest difference, relative to the largest expected value."""
    output, expected = output.double(), expected.double()
    return float((output - expected).abs().max() / expected.abs().max())


def make_rows(case, failures, sizes, differences, errors, gflop, times) -> list[dict]:
    """Return a row per network, and a row for the matrix product."""
    rows, errors = [], {**failures, **errors}
    rate = gflop / times[GEMM]["median_ms"]
    for name in dict.fromkeys([*times, *errors]):
        row = {**case, "network": name, **times.get(name, {})}
        rows.append(row)
        if name == GEMM:
            row["gflop_per_s"] = 1e3 * rate
        elif name in times:
            row["clips_per_s"] = 1e3 * case["batch"] / row["median_ms"]
            if PLAIN in times:
                row["times_plain"] = times[PLAIN]["median_ms"] / row["median_ms"]
            size, batch = sizes[case["layout"], name], case["batch"]
            if size:
                row["mparams"] = size["mparams"]
                row["gmac"] = gmac_of(case["part"], batch, size)
                passes = 3 if case["part"] == "train" else 1
                work = 2 * passes * batch * row["gmac"]
                row["gflop_per_s"] = 1e3 * work / row["median_ms"]
                row["gemm_limit_ms"] = work / rate
                row["gemm_share"] = row["gemm_limit_ms"] / row["median_ms"]
        if name in differences:
            row["difference"] = differences[name]
            if name == OURS:
                row["exact"] = differences[name] <= ROUNDING[case["dtype"]]
        if name in errors:
            row["error"] = errors[name]
    return rows
