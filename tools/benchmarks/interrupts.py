"""Programs that are asked to end: children stopped, one line, no traceback."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_in_a_line(name: str, advice: str = "") -> Iterator[None]:
    """Ctrl-C and SIGTERM leave the block by an exception, and the program in one line.

    So the blocks inside stop their children and remove their folders.

    Args:
        name: of the program.
        advice: how to go on.

    Raises:
        SystemExit: 130 after Ctrl-C, 143 after SIGTERM, as shells count.
    """
    former = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    except (KeyboardInterrupt, _Terminated) as error:
        print(f"{name}: interrupted{advice and f'; {advice}'}", file=sys.stderr)
        code = signal.SIGTERM if isinstance(error, _Terminated) else signal.SIGINT
        raise SystemExit(128 + code) from None
    finally:
        signal.signal(signal.SIGTERM, former)


class _Terminated(BaseException):
    """No Exception, like KeyboardInterrupt: nobody takes it for a failure."""


def _leave(number: int, frame) -> None:
    raise _Terminated
