"""Steps timed in turn, so that a busy minute of the machine falls on all of them."""

import time
from collections.abc import Callable

import torch

LEAST = 0.2  # seconds that one reading takes at least, by doing the step again
LONG = 2  # seconds; a step of so many needs no second look before it is timed


def wait(device: str) -> None:
    """Until the GPU has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds(step: Callable, device: str, loops: int = 1) -> float:
    """Of one step, as a mean over `loops`."""
    wait(device)
    start = time.perf_counter()
    for _ in range(loops):
        step()
    wait(device)
    return (time.perf_counter() - start) / loops


def timed_output(step: Callable, device: str) -> tuple[torch.Tensor, float]:
    """What a step returned, and its seconds."""
    wait(device)
    start = time.perf_counter()
    out = step()
    wait(device)
    return out, time.perf_counter() - start


def loops_for(once: float) -> int:
    """How often a step of `once` seconds makes a reading that a clock can tell."""
    return min(max(round(LEAST / max(once, 1e-9)), 1), 1000)


def round_robin(steps: dict, repeats: int, device: str, readings: dict, errors: dict):
    """Times first, second, ..., first, second, ...; yields the number of each round.

    Args:
        steps: name -> (step, loops).
        repeats: rounds.
        device: "cpu" or "cuda".
        readings: name -> list of seconds, to which each reading is added at once.
        errors: name -> exception, for steps that raised one and were given up.
    """
    for number in range(1, repeats + 1):
        yield number
        for name, (step, loops) in steps.items():
            if name not in errors:
                try:
                    reading = seconds(step, device, loops)
                    readings.setdefault(name, []).append(reading)
                except Exception as error:
                    errors[name] = error
