"""Time a training step of MS-G3D with dropout in each position.

The size is that of recipe `strong` on NW-UCLA: 16 clips of 52 frames and 20 joints with one
person, and dropout 0.2 in the graph convolutions and at the end of each block. `ratio` is
relative to the step without dropout at the same width. `gemm share` is the time of the
products of three forward passes at the rate of one large square matrix product, divided by
the median.
"""

from argparse import Namespace

import torch

from msg3d.apis.flops import flop_counter
from msg3d.engine.hooks.memory_hook import keep_freed_memory
from msg3d.models import MSG3D
from msg3d.models.ms_gcn import POSITIONS

from .networks import keypoints, step_of
from .speed import GEMM, gemm_step
from .timing import interleave

LAYOUT, PROBABILITY, NONE = "kinect20", 0.2, "none"


def run(options, results) -> None:
    if options.allocator == "reuse":
        keep_freed_memory()
    rows: list[dict] = []
    options = Namespace(**vars(options), device="cpu")
    for width in options.widths:
        steps = {name: build(name, width, options) for name in (NONE, *POSITIONS)}
        with flop_counter() as counter:
            build(NONE, width, options, "infer")()
        gflop = 3e-9 * counter.get_total_flops()
        steps[GEMM], gemm_gflop = gemm_step("float32", "cpu")
        first_row = len(rows)
        for times in interleave(steps, options.rounds, f"{width} channels"):
            rate = gemm_gflop / times[GEMM]["median_ms"]
            rows[first_row:] = [
                {
                    "channels": width,
                    "position": name,
                    **row,
                    "ratio": row["median_ms"] / times[NONE]["median_ms"],
                    "gemm_share": gflop / rate / row["median_ms"],
                }
                for name, row in times.items()
                if name != GEMM
            ]
            results.table("dropout", rows)


def build(position: str, width: int, options, part: str = "train"):
    """Return a step of a network with dropout in a position, or without dropout."""
    torch.manual_seed(0)
    dropout = {}
    if position != NONE:
        names = ("gcn_dropout", "g3d_dropout", "tcn_dropout")
        dropout = dict.fromkeys(names, PROBABILITY) | {"dropout_position": position}
    graph = {"layout": LAYOUT, "mode": "binary_adj"}
    size = {"num_person": options.persons, "base_channels": width, "num_gcn_scales": 11}
    network = MSG3D(graph, **size, **dropout)
    clips = keypoints(options, options.batch_size, LAYOUT, "float32")
    return step_of(part, network, clips, "float32")
