"""Several processes of one program, which talk to each other over gloo."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import torch

from .processes import last_error
from .processes import run as run_process


def run_ranks(
    module: str, wanted: dict, count: int, options: argparse.Namespace
) -> list[dict]:
    """Starts `python -m benchmarks.MODULE JSON` in `count` processes by torchrun.

    Args:
        module: whose processes call `join` first and `report` last.
        wanted: what they are to know.
        count: how many.
        options: of the command line: `threads`, `device`.

    Returns:
        What they reported, by rank.

    Raises:
        RuntimeError: one of them failed; with the last exception.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = json.dumps(dict(wanted, reports=folder))
        launch = ["torch.distributed.run", "--standalone", f"--nproc_per_node={count}"]
        command = [sys.executable, "-m", *launch, "-m", f"benchmarks.{module}", wanted]
        done = run_process(command, options, search=Path(__file__).resolve().parents[1])
        if done.returncode:
            raise RuntimeError(f"{module} failed: {last_error(done)}")
        files = [Path(folder) / f"{rank}.json" for rank in range(count)]
        return [json.loads(file.read_text()) for file in files]


def join() -> dict:
    """Joins the processes; what `run_ranks` wanted."""
    from msg3d.engine.launcher import tie_to_launcher

    tie_to_launcher()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    torch.distributed.init_process_group("gloo")
    return json.loads(sys.argv[1])


def report(wanted: dict, result: dict) -> None:
    """Hands a result to `run_ranks`; leaves when all have done so."""
    path = Path(wanted["reports"]) / f"{torch.distributed.get_rank()}.json"
    path.write_text(json.dumps(result))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
