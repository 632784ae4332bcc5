"""Progress bars, where tqdm is installed."""

from collections.abc import Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], **options: Any) -> Iterable[Item]:
    """Show a progress bar on stderr, if that is a terminal, while items are used.

    Args:
        items: any iterable.
        **options: of `tqdm.tqdm`.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, disable=None, **options)
