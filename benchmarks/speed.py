"""Time inference and training steps of MS-G3D and its plain published form.

Parts: `infer`, forward in eval mode; `absent`, the same with one person in each clip;
`train`, forward and backward in training mode. All networks are timed in turn. `times
plain`: median of the plain form divided by that of the network. `gemm`: one large square
matrix product; `gemm limit`: time of all FLOPs of the network at that rate (a training step
counts as three forward passes), and `gemm share` its part of the median. `gmac` counts
convolutions and matrix products of one clip, forward, all persons present. `difference`: of
the output from the plain form's, relative to its greatest value. ST-GCN and AAGCN have their
own size.
"""

import gc
from itertools import product

import torch
from torch import Tensor, nn

from msg3d.apis.flops import flop_counter

from . import networks as nets
from .chart import save_chart
from .networks import OURS, PLAIN
from .timing import first_line, interleave, progress

GEMM = "gemm"
GEMM_SIZE = {"cpu": 2048, "cuda": 8192}
COMPILE = {"compiled": "default", "cudagraphs": "reduce-overhead"}
# The first step compiles. CUDA graphs run once more and record before they replay.
WARM_UPS = {"eager": 1, "compiled": 2, "cudagraphs": 4}
# Differences of the outputs that rounding explains.
ROUNDING = {
    "float64": 1e-8,
    "float32": 1e-3,
    "tf32": 0.1,
    "bfloat16": 0.3,
    "float16": 0.1,
}


def run(options, results) -> None:
    rows, gmac = [], {}
    for layout, name in product(options.layouts, nets.names(options)):
        progress(f"counting FLOPs: {layout} {name}")
        gmac[layout, name] = count_gmac(name, layout, options)
    for case in product(options.layouts, options.dtypes, options.batch, options.modes):
        case = dict(zip(("layout", "dtype", "batch", "mode"), case, strict=True))
        reason = nets.unsupported(case["dtype"], options.device, case["mode"])
        if reason:
            rows.append({**case, "error": reason})
            results.table("speed", rows)
            continue
        networks, broken = build_all(case, options)
        for part in options.parts:
            done, here = len(rows), {"part": part, **case}
            with nets.precision(case["dtype"]):
                for measured in time_part(here, networks, options):
                    rows[done:] = make_rows(here, broken, gmac, *measured)
                    results.table("speed", rows)
        networks.clear()
        torch._dynamo.reset()
        gc.collect()
    results.passed = all(row.get("exact", True) for row in rows)
    save_chart(rows, options.output.with_suffix(".svg"))


def count_gmac(name: str, layout: str, options) -> float:
    """Return GMAC per clip, counted on the CPU, or 0 for a network that fails."""
    try:
        network = nets.build(name, layout, options)
        clip = nets.keypoints(options, 1, layout, "float32").cpu()
        with flop_counter() as counter:
            nets.step_of("infer", network, clip, "float32")()
    except Exception:  # is reported when the network is timed
        return 0
    return counter.get_total_flops() / 2e9


def build_all(case: dict, options) -> tuple[dict, dict]:
    """Return the networks as the mode runs them, and the errors of others, by name."""
    networks, broken = {}, {}
    for name in nets.names(options):
        try:
            network = nets.build(name, case["layout"], options)
            network = network.to(options.device, nets.storage(case["dtype"]))
            networks[name] = run_in(case["mode"], network)
        except Exception as error:
            broken[name] = first_line(error)
    return networks, broken


def run_in(mode: str, network: nn.Module) -> nn.Module:
    """Return the network as that mode runs it."""
    if mode == "eager":
        return network
    compiled = torch.compile(network, mode=COMPILE[mode])
    if mode == "cudagraphs":
        # Tells CUDA graphs where a step begins: the last one's memory may be reused.
        mark = torch.compiler.cudagraph_mark_step_begin
        compiled.register_forward_pre_hook(lambda *_: mark())
    return compiled


def gemm_step(dtype: str, device: str):
    """Return a function that multiplies two square matrices, and its GFLOPs."""
    size = GEMM_SIZE[device]
    left = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    left = left.to(device, nets.AUTOCAST.get(dtype, nets.storage(dtype)))
    right, out = left.T.contiguous(), torch.empty_like(left)
    return lambda: torch.mm(left, right, out=out), 2e-9 * size**3


def time_part(case: dict, networks: dict, options):
    """Yield differences, errors, GFLOPs of the matrix product, and times, each round."""
    part, dtype, device = case["part"], case["dtype"], options.device
    what = "{part} {layout} {dtype} {mode} batch {batch}".format(**case)
    clips = nets.keypoints(options, case["batch"], case["layout"], dtype, part)
    steps, errors, differences, expected = {}, {}, {}, None
    for name, network in networks.items():
        progress(f"{what}: first steps of {name}")
        step = nets.step_of(part, network, clips, dtype)
        try:
            for _ in range(WARM_UPS[case["mode"]]):
                out = step()
        except Exception as error:
            errors[name] = first_line(error)
            continue
        steps[name] = step
        if name == PLAIN:
            expected = out.clone()  # CUDA graphs overwrite it
        elif network.comparable and expected is not None:
            differences[name] = relative_difference(out, expected)
    steps[GEMM], gflop = gemm_step(dtype, device)
    expected = out = None
    for times in interleave(steps, options.rounds, what, device, errors=errors):
        yield differences, errors, gflop, times


def relative_difference(output: Tensor, expected: Tensor) -> float:
    """Return the greatest difference, relative to the greatest expected value."""
    output, expected = output.double(), expected.double()
    return float((output - expected).abs().max() / expected.abs().max())


def make_rows(case, broken, gmac, differences, errors, gflop, times) -> list[dict]:
    """Return a row for each network, and one for the matrix product."""
    rows, errors = [], {**broken, **errors}
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
            # The arithmetic for absent persons is each network's own affair.
            if case["part"] != "absent":
                row["gmac"] = gmac[case["layout"], name]
                passes = 3 if case["part"] == "train" else 1
                work = 2 * passes * case["batch"] * row["gmac"]
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
