"""Lines for who waits, on the standard error."""

import sys
import time

_start = time.perf_counter()


def progress(text: str) -> None:
    """One line, with the seconds since the start."""
    seconds = time.perf_counter() - _start
    print(f"[{seconds:7.1f} s] {text}", file=sys.stderr, flush=True)


def first_line(error: BaseException) -> str:
    """An exception as a table can show it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return cut(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def cut(text: str) -> str:
    """At most 160 characters."""
    return text if len(text) <= 160 else text[:157] + "..."
