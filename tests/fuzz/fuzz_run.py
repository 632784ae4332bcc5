"""Cases in processes of their own: limited in time and memory, and watched.

A process works through many cases, writing the number of each before it begins. So a
crash is known by its case, and the next process goes on behind it.
"""

import faulthandler
import io
import os
import resource
import select
import signal
import sys
import traceback
import warnings
from dataclasses import dataclass

from msg3d.annotations.faults import KINDS as FAULTS
from msg3d.errors import KINDS, MSG3DError

SECONDS = 10
MEMORY = 512 * 2**20  # beside what the process has when it starts
LONGEST = 2000  # letters of a message


class Hang(BaseException):
    """More than SECONDS, in Python; C code that never returns is killed."""


@dataclass(frozen=True)
class Finding:
    """A case that did not end as it has to: its number, what happened, and where."""

    case: int
    what: str
    where: str = ""

    def __str__(self) -> str:
        return f"case {self.case}: {self.what}\n{self.where}"


def run_cases(run, numbers, expected):
    """Each `run(number)` in a forked process.

    Args:
        run: writes the file of a case, and reads it.
        numbers: of the cases.
        expected: classes of errors that users may see.

    Returns:
        What went wrong, and how many cases were refused.
    """
    findings, refused, left = [], 0, list(numbers)
    while left:
        done, lines, status = _process(run, left, expected)
        for line in lines:
            kind, *rest = line.split("\x1f")
            if kind == "refused":
                refused += 1
            elif kind == "finding":
                findings.append(Finding(int(rest[0]), *rest[1:]))
        if done == len(left) and status == 0:
            return findings, refused
        case = left[done]
        what = "HANG in C" if status == -1 else f"process ended with {status}"
        findings.append(Finding(case, what))
        left = left[done + 1 :]
    return findings, refused


def _process(run, numbers, expected):
    """(cases that ended, what they said, exit status; -1 if it had to be killed)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        code = 1
        try:
            with os.fdopen(writing, "w", errors="replace") as pipe:
                _child(run, numbers, expected, pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    text, silent = b"", False
    while not silent:
        ready, _, _ = select.select([reading], [], [], 3 * SECONDS)
        piece = os.read(reading, 2**16) if ready else b""
        silent = not piece
        text += piece
    os.close(reading)
    killed = not ready
    if killed:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    lines = text.decode(errors="replace").split("\x1e")[:-1]
    ended = [line for line in lines if line.startswith("end")]
    return len(ended), lines, -1 if killed else status


def _child(run, numbers, expected, pipe):
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # what C libraries print
        os.dup2(nowhere.fileno(), 1)
    sys.stderr = sys.stdout = io.StringIO()
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGALRM, _alarm)
    for number in numbers:
        for line in _case(run, number, expected):
            pipe.write(line + "\x1e")
        pipe.write("end\x1e")
        pipe.flush()


def _alarm(*_):
    raise Hang


def _case(run, number, expected):
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        run(number)
    except BaseException as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        fault = _fault(error, expected)
        if fault is None:
            return ["refused\x1f" + str(number)]
        where = "".join(traceback.format_exception(error)[-12:])[-3000:]
        return ["\x1f".join(("finding", str(number), fault, where))]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return []


def is_known_kind(error: MSG3DError) -> bool:
    """Return whether the tables of kinds list the kind of an error."""
    return error.kind in KINDS or error.kind in FAULTS


def _fault(error, expected) -> str | None:
    """What is wrong with how a case ended; None if it is as it has to be."""
    try:
        text = str(error)
    except Exception as other:
        return f"its error has no text: {other!r}"
    named = f"{type(error).__name__}: {text[:300]}"
    # A refusal for want of memory comes after the memory was taken.
    cause = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return f"MEMORY {named}"
        cause = cause.__cause__ or cause.__context__
    if not isinstance(error, expected):
        return named
    if isinstance(error, MSG3DError) and not is_known_kind(error):
        return f"kind {error.kind!r} {named}"
    if not text.strip() or "\n" in text or len(text) > LONGEST:
        return f"no sentence: {named}"
    return None
