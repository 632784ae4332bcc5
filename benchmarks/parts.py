"""Profile the parts of a training step of the NTU RGB+D recipes, on a CPU.

The step is that of `mim train` without worker processes: samples are read, prepared, and
collated, followed by the forward pass with the loss, the backward pass, and the optimizer.
`share` is the share of the step. `limit` is a lower bound of the time: products at the rate
of `gemm`, one large square matrix product, and other operators at the bandwidth of adding
two arrays of 4 MB, with each argument accessed once. `gflop` of the step counts three
forward passes, and that of products includes recomputation. `gemm share` is its time at the
rate of `gemm`, divided by the time of the part. The profiler itself takes up to a tenth of
the step, mostly in `views, memory, Python`.
"""

import re
import tempfile
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from math import prod
from pathlib import Path
from statistics import median

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.profiler import ProfilerActivity, profile, record_function

from msg3d.apis.flops import count_flops, input_shape
from msg3d.engine.hooks.memory_hook import keep_freed_memory

from . import processes
from .samples import sized_config, write_samples
from .speed import GEMM, gemm_step
from .timing import interleave, progress, quartiles

FORMS = {"nturgb+d": "3d", "coco": "2d"}  # layout -> recipe
ELEMENTS = 1 << 20
STEP = "step"
STAGES = ("reading and collation", "data preprocessor", "optimizer")
WEIGHTS, ADJACENCY = "products with weights", "products with adjacency matrices"
PRODUCTS = {
    **dict.fromkeys(("mm", "addmm", "addmm_"), WEIGHTS),
    **dict.fromkeys(("bmm", "baddbmm", "baddbmm_"), ADJACENCY),
}
OPERATORS = {
    **dict.fromkeys(("native_batch_norm", "native_batch_norm_backward"), "BatchNorm"),
    **dict.fromkeys(("copy_", "fill_", "zero_"), "copies and zeros"),
    **dict.fromkeys(("sum", "mean"), "sums"),
}
ELEMENTWISE, OTHER = "ReLU, additions, and masks", "views, memory, Python"
KINDS = dict.fromkeys((*PRODUCTS.values(), *OPERATORS.values(), ELEMENTWISE, OTHER))
# Parts of the names of operators that read no elements themselves
NO_ELEMENTS = re.compile(
    "alias|detach|diagonal|empty|expand|flatten|item|lift|narrow|permute|resize|resolve|"
    "result_type|scalar|select|shape|slice|split|squeeze|stride|transpose|unbind|unfold|"
    "view|zeros|^(t|to)$"
)


def run(options, results) -> None:
    unknown = set(options.layouts) - set(FORMS)
    if unknown:
        raise ValueError(f"--layouts {unknown.pop()}: expected one of {list(FORMS)}")
    rows: list[dict] = []
    for layout in options.layouts:
        progress(f"profiling {layout}")
        (rounds,) = processes.run(profile_rounds, {**vars(options), "layout": layout})
        rows += make_rows(layout, rounds)
        results.table("parts", rows)


def profile_rounds(task: dict) -> list[dict]:
    """Return part -> {"ms": time, "limit_ms": limit, "gflop": work} for each round."""
    options = Namespace(**task)
    if options.allocator == "reuse":
        keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        step, gflop = build(config(options, Path(folder)))
        return [profile_step(step, gflop) for _ in range(options.rounds)]


def profile_step(step: Callable[[], None], gflop: float) -> dict:
    """Profile a step of known work after a warm-up: see `profile_rounds`."""
    gemm, gemm_gflop = gemm_step("float32", "cpu")
    left, right = torch.rand(2, ELEMENTS)
    add = partial(torch.add, left, right, out=torch.empty_like(left))
    step()
    (times,) = interleave({GEMM: gemm, "add": add}, 1, GEMM)
    # GFLOP and GB per millisecond
    rate = gemm_gflop / times[GEMM]["median_ms"]
    bandwidth = 3 * 4e-9 * ELEMENTS / times["add"]["median_ms"]
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        step()
    parts = split(profiler.events(), rate, bandwidth)
    parts[STEP]["gflop"] = gflop
    parts[GEMM] = {"gflop": gemm_gflop, "ms": times[GEMM]["median_ms"]}
    return parts


def config(options: Namespace, folder: Path) -> Config:
    """Return the recipe of a layout, with synthetic samples and the sizes of the options."""
    form, file = FORMS[options.layout], folder / "samples.pkl"
    cfg = sized_config(form, options.base_channels, options.frames)
    write_samples(file, options.batch_size, form)
    loader = cfg.train_dataloader
    loader.update(batch_size=options.batch_size, num_workers=0)
    loader.persistent_workers = False
    loader.dataset.dataset.ann_file = str(file)
    cfg.work_dir, cfg.log_level, cfg.randomness = str(folder), "WARNING", {"seed": 0}
    return cfg


def build(cfg: Config) -> tuple[Callable[[], None], float]:
    """Return a training step, and the GFLOPs of three forward passes of its batch."""
    runner = Runner.from_cfg(cfg)
    model = runner.model
    loader = runner.build_dataloader(cfg.train_dataloader)
    optimizer = runner.build_optim_wrapper(cfg.optim_wrapper)
    flops = count_flops(model, (1, *input_shape(cfg)[1:]))["flops"]
    model.train()

    def step() -> None:
        reading, preprocessor, optimization = map(record_function, STAGES)
        with record_function(STEP):
            with reading:
                batch = next(iter(loader))
            with preprocessor:
                data = model.data_preprocessor(batch, training=True)
            loss, _ = model.parse_losses(model(**data, mode="loss"))
            optimizer.backward(loss)
            with optimization:
                optimizer.step()
                optimizer.zero_grad()

    return step, 3e-9 * cfg.train_dataloader.batch_size * flops


def split(events: Iterable, rate: float, bandwidth: float) -> dict[str, dict]:
    """Add up the events of a step by part.

    Args:
        events: events of the profiler.
        rate: GFLOP per millisecond.
        bandwidth: GB per millisecond.
    """
    parts: dict = {name: Counter() for name in (STEP, *KINDS, *STAGES)}
    for event in events:
        stage = event
        while stage and stage.name not in (STEP, *STAGES):
            stage = stage.cpu_parent
        if stage is None:
            continue
        milliseconds = 1e-3 * event.self_cpu_time_total
        parts[STEP]["ms"] += milliseconds
        if stage.name in STAGES:
            parts[stage.name]["ms"] += milliseconds
            continue
        kind = kind_of(event.name)
        parts[kind]["ms"] += milliseconds
        # An operator that calls another one of its kind does nothing else. Operators with
        # unknown names are counted only if they call none.
        called = {kind_of(child.name) for child in event.cpu_children} - {OTHER}
        if kind == OTHER or (called if kind == ELEMENTWISE else kind in called):
            continue
        shapes = [shape for shape in event.input_shapes if shape]
        if kind in (WEIGHTS, ADJACENCY):
            gflop = 1e-9 * product_flops(event.name, shapes)
            parts[kind]["gflop"] += gflop
            limit = gflop / rate
        else:
            limit = 4e-9 * sum(map(prod, shapes)) / bandwidth
        parts[kind]["limit_ms"] += limit
        parts[STEP]["limit_ms"] += limit
    return parts


def kind_of(operator: str) -> str:
    """Return the part to which an operator of PyTorch belongs."""
    namespace, _, name = operator.partition("::")
    if namespace != "aten" or NO_ELEMENTS.search(name):
        return OTHER
    return {**PRODUCTS, **OPERATORS}.get(name, ELEMENTWISE)


def product_flops(operator: str, shapes: list) -> int:
    """Return the FLOPs of a matrix product, from the shapes of its tensors."""
    matrices = [shape for shape in shapes if len(shape) > 1]
    # `addmm_(result, left, right)`; otherwise the result is last, and a bias has one axis.
    if operator.endswith("_"):
        matrices = matrices[1:]
    left, right = matrices[:2]
    return 2 * prod(left) * right[-1]


def make_rows(layout: str, rounds: list[dict]) -> list[dict]:
    """Return a row per part with medians over rounds, and a row for the matrix product."""
    rows = []
    for part in rounds[0]:
        row = {"layout": layout, "part": part}
        times = [measured[part]["ms"] for measured in rounds]
        row |= quartiles(times)
        if part != GEMM:
            row["share"] = median(m[part]["ms"] / m[STEP]["ms"] for m in rounds)
        gflop = rounds[0][part].get("gflop")
        if gflop:
            row["gflop"] = gflop
            row["gflop_per_s"] = 1e3 * gflop / row["median_ms"]
            row["gemm_share"] = median(
                gflop * m[GEMM]["ms"] / m[GEMM]["gflop"] / m[part]["ms"] for m in rounds
            )
        if "limit_ms" in rounds[0][part]:
            row["limit_ms"] = median(m[part]["limit_ms"] for m in rounds)
        rows.append(row)
    return rows
