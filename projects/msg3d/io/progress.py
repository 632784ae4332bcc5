"""Progress reports on stderr, as a bar on a terminal or as lines."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")
SECONDS = 10.0  # interval between lines
_style = "bar"


def set_progress(style: str) -> None:
    """Set the style of `progress` for this process.

    Args:
        style: "bar" shows a bar on a terminal and nothing otherwise (for libraries).
            "lines" shows a bar on a terminal and prints lines otherwise (for commands).
            "none" shows nothing.
    """
    global _style
    _style = style


def progress(
    items: Iterable[Item],
    desc: str = "",
    total: int | None = None,
    unit: str = "it",
    initial: int = 0,
    leave: bool = True,
) -> Iterator[Item]:
    """Iterate over items, and report the progress.

    The bar requires tqdm. Lines are printed every ten seconds and at the end.

    Args:
        items: any iterable.
        desc, total, unit, initial, leave: see `tqdm.tqdm`.
    """
    if _style != "none" and sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ImportError:
            pass
        else:
            yield from tqdm(items, desc, total, leave, unit=unit, initial=initial)
            return
    if _style != "lines":
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = initial + len(items)
    of_total = "" if total is None else f"/{total}"
    done, reported, last = initial, -1, time.monotonic()

    def report() -> None:
        print(f"{desc or 'done'}: {done}{of_total} {unit}", file=sys.stderr, flush=True)

    for item in items:
        yield item
        done += 1
        if time.monotonic() - last >= SECONDS:
            reported, last = done, time.monotonic()
            report()
    if done > reported >= 0:
        report()
