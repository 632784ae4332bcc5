"""Runs of a study: several at once, the missing ones only, and a file of results."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace

from msg3d.io.atomic import whole_file

from .train import forget


class RunsInUse(RuntimeError):
    """Another command makes runs in this folder."""


class Runs:
    """The results of a study's runs, kept in `results.json` of the work folder.

    Args:
        study: has `settings()`, `run(setting, seed, data, work_dir)`,
            `report(results)`, and optionally `derived(results, data, work_dir)`: results
            computed from those of runs.
        work_dir: existing folder.
    """

    def __init__(self, study: ModuleType | SimpleNamespace, work_dir: Path) -> None:
        self.study, self.work_dir = study, work_dir
        self.file = work_dir / "results.json"
        self.results: list[dict] = []
        if self.file.exists():
            self.results = json.loads(self.file.read_text(encoding="utf-8"))

    def make(self, names: Sequence[str], seeds: int, data: Path, jobs: int) -> int:
        """Make the missing runs.

        Args:
            names: of settings.
            seeds: number of seeds; every setting once before any twice, so that the
                table is balanced wherever it stops.
            data: folder of annotation files.
            jobs: runs at once.

        Returns:
            The number of failed runs. They are printed, and the others are made.

        Raises:
            RunsInUse: another command makes runs in this folder.
        """
        with self._alone():
            done = {(result["setting"], result["seed"]) for result in self.results}
            wanted = [(name, seed) for seed in range(seeds) for name in names]
            left = [run for run in wanted if run not in done]
            return self._make(left, data, jobs) if left else 0

    def _make(self, left: list, data: Path, jobs: int) -> int:
        began, finished, failed = time.time(), 0, 0
        context = get_context("spawn")
        threads = max(1, (len(os.sched_getaffinity(0))) // jobs)
        with ProcessPoolExecutor(jobs, context, _begin_worker, (threads,)) as pool:
            queue, running = iter(left), {}
            try:
                while True:
                    # Submit no more than can run: an interruption leaves no queue.
                    for name, seed in queue:
                        task = (name, seed, data, self.work_dir)
                        running[pool.submit(self.study.run, *task)] = (name, seed)
                        if len(running) == jobs:
                            break
                    if not running:
                        return failed
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        name, seed = running.pop(future)
                        if future.exception():
                            failed += 1
                            print(
                                f"{name}, seed {seed}: {future.exception()!r}",
                                file=sys.stderr,
                            )
                            continue
                        finished += 1
                        self._keep(future.result(), data)
                        minutes = (time.time() - began) / 60
                        rest = minutes / finished * (len(left) - finished - failed)
                        print(
                            f"[{finished}/{len(left)}] {name}, seed {seed}: "
                            f"{future.result()['seconds']} s; {minutes:.0f} min gone, "
                            f"{rest:.0f} to go",
                            flush=True,
                        )
            except BaseException:
                for process in pool._processes.values():
                    process.terminate()
                raise

    def _keep(self, result: dict, data: Path) -> None:
        self.results.append(result)
        if hasattr(self.study, "derived"):
            self.results += self.study.derived(self.results, data, self.work_dir)
        with whole_file(str(self.file), "x") as out:
            json.dump(self.results, out, indent=1)
        forget(self.work_dir, result["setting"], result["seed"])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        import fcntl  # which Windows does not have

        with (self.work_dir / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunsInUse(
                    f"another command makes runs in {self.work_dir}. Wait until it ends, "
                    "or choose another --work-dir"
                ) from None
            yield


def _begin_worker(threads: int) -> None:
    import torch

    # Ctrl-C in a terminal reaches workers too. The command ends them by SIGTERM, upon
    # which a training writes a checkpoint.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End the run if the command is killed."""
    connection.wait([parent_process().sentinel])
    os._exit(1)
