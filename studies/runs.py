"""Execute the missing runs of a study in parallel, and store the results."""

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
    """Another command uses the work folder."""


class Runs:
    """Results of a study's runs, stored in `results.json` of the work folder.

    Args:
        study: module with `settings()`, `run(setting, seed, data, work_dir)`,
            `report(results)`, and optionally `derived(results, data, work_dir)`, which
            computes results from those of runs, and `deterministic()`, the settings that
            run with the first seed only.
        work_dir: existing folder.
    """

    def __init__(self, study: ModuleType | SimpleNamespace, work_dir: Path) -> None:
        self.study, self.work_dir = study, work_dir
        self.file = work_dir / "results.json"
        self.results: list[dict] = []
        if self.file.exists():
            self.results = json.loads(self.file.read_text(encoding="utf-8"))

    def run_missing(
        self, names: Sequence[str], seeds: int, data: Path, jobs: int
    ) -> int:
        """Execute the missing runs.

        Args:
            names: names of settings.
            seeds: number of seeds. All settings run with a seed before the next seed, so
                the table is balanced after an interruption.
            data: folder of annotation files.
            jobs: number of parallel runs.

        Returns:
            The number of failed runs. Their errors are printed, and the other runs are
            executed.

        Raises:
            RunsInUse: another command uses the work folder.
        """
        with self._lock():
            done = {(result["setting"], result["seed"]) for result in self.results}
            once = getattr(self.study, "deterministic", set)()
            runs = [
                (name, seed)
                for seed in range(seeds)
                for name in names
                if seed == 0 or name not in once
            ]
            missing = [run for run in runs if run not in done]
            return self._execute(missing, data, jobs) if missing else 0

    def _execute(self, runs: list, data: Path, jobs: int) -> int:
        start, finished, failed = time.time(), 0, 0
        context = get_context("spawn")
        threads = max(1, (len(os.sched_getaffinity(0))) // jobs)
        with ProcessPoolExecutor(jobs, context, _begin_worker, (threads,)) as pool:
            queue, running = iter(runs), {}
            try:
                while True:
                    # Do not queue runs in the pool, which would delay an interruption.
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
                        self._store(future.result(), data)
                        minutes = (time.time() - start) / 60
                        remaining = minutes / finished * (len(runs) - finished - failed)
                        print(
                            f"[{finished}/{len(runs)}] {name}, seed {seed}: "
                            f"{future.result()['seconds']} s; {minutes:.0f} min elapsed, "
                            f"{remaining:.0f} min remaining",
                            flush=True,
                        )
            except BaseException:
                for process in pool._processes.values():
                    process.terminate()
                raise

    def _store(self, result: dict, data: Path) -> None:
        self.results.append(result)
        if hasattr(self.study, "derived"):
            self.results += self.study.derived(self.results, data, self.work_dir)
        with whole_file(str(self.file), "x") as out:
            json.dump(self.results, out, indent=1)
        forget(self.work_dir, result["setting"], result["seed"])

    @contextmanager
    def _lock(self) -> Iterator[None]:
        import fcntl  # not available on Windows

        with (self.work_dir / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunsInUse(
                    f"another command uses {self.work_dir}. Wait until it ends, or set "
                    "another --work-dir"
                ) from None
            yield


def _begin_worker(threads: int) -> None:
    import torch

    # Ctrl-C in a terminal reaches workers too. The command sends them SIGTERM instead,
    # after which a training saves a checkpoint.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End the run if the command is killed."""
    connection.wait([parent_process().sentinel])
    os._exit(1)
