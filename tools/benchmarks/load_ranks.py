"""Part `ranks` of `load`: a large data set behind the loaders of several processes."""

import argparse
import multiprocessing
import signal
import tempfile
from pathlib import Path

import numpy as np

from .options import FORMS
from .progress import progress
from .ranks import run_ranks
from .results import Results, table
from .store import make_data

FRAMES = 30, 85, 300  # least, median, most
BATCH = 16


def run(options: argparse.Namespace, results: Results) -> None:
    """Every form in turn; `results.data["ranks"]`."""
    rows = results.data["ranks"] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        progress(f"making {options.samples} samples in {folder}")
        # In a process of its own, which gives its memory back. Ctrl-C reaches it too:
        # it waits to be ended, as this one does when it leaves the block.
        with multiprocessing.Pool(1, _wait_to_be_ended) as pool:
            sizes = pool.apply(make_data, (folder, options.samples, FRAMES))
        for form in options.forms:
            kind, ending = FORMS[form]
            progress(f"{options.ranks} ranks, {form}")
            wanted = dict(
                type=kind,
                ann_file=str(Path(folder) / f"ntu_like{ending}"),
                workers=options.rank_workers,
                batch=BATCH,
            )
            ranks = run_ranks("rank_run", wanted, options.ranks, options)
            seen = [rank.pop("seen") for rank in ranks]
            row = dict(form=form, bytes=sizes[f"ntu_like{ending}"], ranks=ranks)
            row.update(covered(seen, options.samples))
            results.exact &= row["exact"]
            rows.append(row)
            results.show("Ranks", _text(rows, options))


def _wait_to_be_ended() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def covered(seen: list[list[int]], samples: int) -> dict:
    """Whether the ranks saw every sample once.

    Args:
        seen: of each rank the numbers of its samples, as they came.
        samples: how many there are.

    Returns:
        `missed`, the number of samples that no rank saw; `repeated`, the readings
        beyond each sample's first; `filled`, how many of those the sampler adds so
        that all ranks have as many; `exact`: none missed, no more repeated than that.
    """
    times = np.bincount(np.concatenate(seen).astype(int), minlength=samples)
    missed = int((times == 0).sum())
    repeated = int((times - 1).clip(0).sum())
    filled = -samples % len(seen)
    exact = missed == 0 and repeated == filled and len(times) == samples
    return dict(missed=missed, repeated=repeated, filled=filled, exact=exact)


def _text(rows: list[dict], options: argparse.Namespace) -> str:
    lines = [
        dict(row, **rank, number=number)
        for row in rows
        for number, rank in enumerate(row["ranks"])
    ]
    columns = {
        "data": lambda row: f"{row['form']}, {row['bytes'] / 2**30:.2f} GiB",
        "rank": lambda row: row["number"],
        "first batch, s": lambda row: f"{row['first_batch']:.1f}",
        "samples/s": lambda row: f"{row['samples_per_second']:,.0f}",
        "main process, MiB": lambda row: f"{row['main'] / 1024:,.0f}",
        "a worker, MiB": lambda row: f"{row['worker'] / 1024:,.0f}",
        "rank, MiB": lambda row: f"{row['rank'] / 1024:,.0f}",
        "peak of main, MiB": lambda row: f"{row['peak'] / 1024:,.0f}",
    }
    sums = [
        f"{row['form']}: {sum(rank['rank'] for rank in row['ranks']) / 1024:,.0f} MiB in "
        f"all; samples missed {row['missed']}, read twice {row['repeated']}."
        for row in rows
    ]
    return (
        f"{table(lines, columns)}\n\n{options.samples:,} samples, {options.ranks} ranks of "
        f"{options.rank_workers} workers, one epoch in batches of {BATCH} through the "
        "training pipeline. MiB: PSS in the middle of the epoch, peak: resident size.\n\n"
        + "\n\n".join(sums)
    )
