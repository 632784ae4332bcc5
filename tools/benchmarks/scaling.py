"""Training in several processes: measured here, and reckoned for many GPUs."""

import argparse
import os
import statistics
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", category=UserWarning)

from .interrupts import ended_in_a_line  # noqa: E402
from .options import whole_number  # noqa: E402
from .scaling_model import Cluster, Training, predict, ring_seconds  # noqa: E402

NAME = "benchmark_scaling.py"
GPUS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
# MS-G3D of 96 channels with the head of NTU RGB+D 60, float32.
PARAMETER_BYTES = 12_778_380


def parser() -> argparse.ArgumentParser:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    made = argparse.ArgumentParser(prog=NAME, description=__doc__)
    parts = made.add_subparsers(dest="part", required=True)

    measure = parts.add_parser(
        "measure",
        formatter_class=formatter,
        help="steps of MS-G3D in several processes over gloo, with and without exchange",
    )
    add = measure.add_argument
    add("--processes", type=whole_number, nargs="+", default=[1, 2, 4], help="how many")
    add("--channels", type=whole_number, default=48, help="of MS-G3D")
    add("--frames", type=whole_number, default=32, help="of a clip")
    add("--batch", type=whole_number, default=2, help="clips of each process")
    add("--rounds", type=whole_number, default=40, help="each measures everything once")
    add("--threads", type=whole_number, default=1, help="of torch, in each process")
    out = Path("work_dirs/benchmark/scaling.json")
    add("--out", type=Path, default=out, help="the json; the tables lie beside as .md")

    model = parts.add_parser(
        "model", formatter_class=formatter, help="a step on 8 to 512 GPUs, reckoned"
    )
    add = model.add_argument
    add("--gpus", type=whole_number, nargs="+", default=GPUS, help="how many")
    add("--bytes", type=float, default=PARAMETER_BYTES, help="of the gradients")
    add("--step-ms", type=float, default=100, help="of one GPU: measure yours")
    add("--overlap-ms", type=float, default=0, help="hidden by the backward pass")
    add("--batch", type=whole_number, default=16, help="samples of a GPU and step")
    add("--samples", type=whole_number, default=40_091, help="of the data set")
    add("--passes", type=whole_number, default=80, help="over the data set, in all")
    add("--node-gpus", type=whole_number, default=8, help="GPUs of a node")
    add("--inside", type=float, default=200, help="GB/s between GPUs of a node")
    add("--network", type=float, nargs="+", default=[200, 25], help="Gbit/s of a node")
    add("--rate", type=float, default=0.1, help="learning rate at --base-batch")
    add(
        "--base-batch",
        type=whole_number,
        default=128,
        help="auto_scale_lr.base_batch_size",
    )
    return made


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 2 if it cannot run.

    Raises:
        SystemExit: 130 after Ctrl-C, 143 after SIGTERM.
    """
    argv = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(argv)
    try:
        if options.part == "model":
            print(model_text(options))
        else:
            with ended_in_a_line(NAME):
                _measure(options, argv)
    except (ValueError, RuntimeError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    return 0


def model_text(options: argparse.Namespace) -> str:
    """The tables of part `model`, one a network.

    Raises:
        ValueError: a number that must be above 0 is not.
    """
    from .results import table

    rates = [options.inside, *options.network]
    if min(options.bytes, options.step_ms, options.rate, *rates) <= 0:
        raise ValueError(
            "--bytes, --step-ms, --rate, --inside, --network: give numbers above 0"
        )
    training = Training(
        size=options.bytes,
        step=options.step_ms / 1e3,
        batch=options.batch,
        samples=options.samples,
        passes=options.passes,
        overlap=options.overlap_ms / 1e3,
    )
    columns = {
        "GPUs": lambda row: row["gpus"],
        "global batch": lambda row: f"{row['batch']:,}",
        "exchange, ms": lambda row: f"{1e3 * row['exchange']:.2f}",
        "step, ms": lambda row: f"{1e3 * row['step']:.1f}",
        "efficiency": lambda row: f"{row['efficiency']:.1%}",
        "samples/s": lambda row: f"{row['samples_per_second']:,.0f}",
        "steps a pass": lambda row: f"{row['steps']:,}",
        "hours": lambda row: f"{row['hours']:.2f}",
        "linear rate": lambda row: (
            f"{options.rate * row['batch'] / options.base_batch:g}"
        ),
    }
    texts = []
    for network in options.network:
        cluster = Cluster(options.node_gpus, options.inside * 1e9, network * 1e9 / 8)
        rows = [predict(gpus, training, cluster) for gpus in options.gpus]
        texts.append(
            f"{network:g} Gbit/s between nodes of {options.node_gpus} GPUs, "
            f"{options.inside:g} GB/s inside; {options.bytes / 1e6:.2f} MB of gradients, "
            f"{options.step_ms:g} ms a step of {options.batch} samples on one GPU:\n\n"
            + table(rows, columns)
        )
    return "\n\n".join(texts)


def _measure(options: argparse.Namespace, argv: list[str]) -> None:
    from .machine import describe
    from .ranks import run_ranks
    from .results import Results
    from .scaling_run import network

    if options.out.suffix != ".json":
        raise ValueError(f"--out {options.out}: give a name that ends in .json")
    if options.channels < 6:  # each branch of MS-TCN has a sixth of them
        raise ValueError(f"--channels {options.channels}: give at least 6")
    options.device = "cpu"
    machine = describe("cpu")
    results = Results(options.out, argv, vars(options), machine, tool=NAME)
    counts = options.processes = sorted({1, 2, *options.processes})
    wanted = {
        key: getattr(options, key)
        for key in ("processes", "channels", "frames", "batch", "rounds")
    }
    readings = run_ranks("scaling_run", wanted, counts[-1], options)
    size = 4 * sum(one.numel() for one in network(options.channels).parameters())
    cores = len(os.sched_getaffinity(0))
    rows = results.data["scaling"] = compare(readings, counts, size, cores)
    results.data["readings"] = readings
    results.show("Scaling", _text(rows, size, cores, options))


def compare(readings: list[dict], counts: list[int], size: int, cores: int) -> list:
    """Measured and predicted, a row for each number of processes.

    Bandwidth and time of a hop are those of two processes; all else is predicted. Where
    there are more processes than cores, each gets its part of them.

    Args:
        readings: by rank, of `scaling_run`: name -> seconds, a reading a round.
        counts: numbers of processes, 2 among them.
        size: bytes of the parameters.
        cores: that the processes share.

    Returns:
        Rows of seconds: `without` and `with_` exchange, `exchange`, their difference
        round by round, its `share` of a step, the bare `all_reduce`; and what the
        model says: `all_reduce_predicted`, `step_predicted`. Medians over the rounds,
        each of which lasts until the last process is done.
    """

    def rounds(count: int, name: str) -> list[float]:
        ranks = [rank[f"{count} {name}"] for rank in readings[:count]]
        return [max(values) for values in zip(*ranks, strict=True)]

    small, large = (
        statistics.median(rounds(2, name)) for name in ("small", "parameters")
    )
    hop, bandwidth = small / 2, size / max(large - small, 1e-9)
    rows = []
    for count in counts:
        with_, without = rounds(count, "with"), rounds(count, "without")
        pairs = list(zip(with_, without))
        waits = max(1.0, count / cores)
        reckoned = waits * ring_seconds(
            count, size, bandwidth, begin=0, hops=2 * (count - 1) * hop
        )
        middle = statistics.median(without)
        rows.append(
            dict(
                processes=count,
                without=middle,
                with_=statistics.median(with_),
                exchange=statistics.median(one - other for one, other in pairs),
                share=statistics.median((one - other) / one for one, other in pairs),
                all_reduce=statistics.median(rounds(count, "parameters")),
                all_reduce_predicted=reckoned,
                step_predicted=middle + reckoned,
            )
        )
    return rows


def _text(rows: list, size: int, cores: int, options: argparse.Namespace) -> str:
    from .results import table

    def ms(key: str):
        return lambda row: f"{1e3 * row[key]:,.1f}"

    columns = {
        "processes": lambda row: row["processes"],
        "step without exchange, ms": ms("without"),
        "with": ms("with_"),
        "predicted": ms("step_predicted"),
        "exchange": ms("exchange"),
        "share": lambda row: f"{row['share']:.1%}",
        "all-reduce alone": ms("all_reduce"),
        "its prediction": ms("all_reduce_predicted"),
    }
    return (
        f"{table(rows, columns)}\n\nMS-G3D of {options.channels} channels "
        f"({size / 1e6:.2f} MB), {options.batch} clips of {options.frames} frames and two "
        f"persons a process, {options.threads} thread each on {cores} cores, gloo. "
        f"Medians of {options.rounds} rounds, everything in turn; share and exchange are "
        "of steps of the same round."
    )
