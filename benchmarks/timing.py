"""Interleaved timing: each round times every step, so load affects all steps equally."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator

import torch

_START = time.perf_counter()


def progress(text: str) -> None:
    """Print a line to standard error, with the seconds since the start."""
    seconds = time.perf_counter() - _START
    print(f"[{seconds:7.1f} s] {text}", file=sys.stderr, flush=True)


def first_line(error: BaseException) -> str:
    """Format an exception as one line of at most 160 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])[:160]


def interleave(
    steps: dict,
    rounds: int,
    what: str,
    device: str = "cpu",
    clock: Callable[[], float] = time.perf_counter,
    least: float = 0.2,
    per: int = 1,
    before: Callable[[], None] | None = None,
    errors: dict | None = None,
) -> Iterator[dict]:
    """Time all steps in turn, in reverse order every other round, after a warm-up.

    Args:
        steps: name -> function to time.
        rounds: number of readings per step.
        what: description for the progress lines.
        device: "cuda" to synchronize with the GPU before reading the clock.
        clock: function that returns seconds.
        least: minimum seconds per reading. Faster steps are repeated; 0 disables this.
        per: number of items that a step processes. Results are times per item.
        before: function to call before each reading.
        errors: filled with name -> text of the exception of each failing step, which is
            not called again. If None, exceptions are raised.

    Yields:
        After each round, name -> `quartiles` of all readings so far.
    """
    readings: dict = {name: [] for name in steps}
    loops = dict.fromkeys(steps, 1)
    for number in range(rounds + 1):
        state = f"round {number} of {rounds}" if number else "warming up"
        progress(f"{what}: {state}")
        for name in list(loops)[:: -1 if number % 2 else 1]:
            if before:
                before()
            try:
                synchronize(device)
                start = clock()
                for _ in range(loops[name]):
                    steps[name]()
                synchronize(device)
                seconds = (clock() - start) / loops[name]
            except Exception as error:
                if errors is None:
                    raise
                errors[name] = first_line(error)
                del loops[name]
                continue
            loops[name] = min(max(round(least / max(seconds, 1e-9)), 1), 1000)
            if number:
                readings[name].append(1e3 * seconds / per)
        if number:
            yield {name: quartiles(times) for name, times in readings.items() if times}


def synchronize(device: str) -> None:
    """Wait until the GPU has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def quartiles(times: list[float]) -> dict:
    """Return the median and quartiles of times in milliseconds, and the times."""
    values = times if len(times) > 1 else 2 * times
    low, median, high = statistics.quantiles(values, method="inclusive")
    return {"median_ms": median, "q1_ms": low, "q3_ms": high, "times_ms": list(times)}
