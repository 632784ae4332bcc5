"""Processes that are found again when whoever started them is gone; Linux's /proc."""

import os
import subprocess
import time
from pathlib import Path

NAME = "MSG3D_TEST_MARK"


def marked_env(mark, **more):
    """An environment that all descendants inherit."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more, NAME: str(mark)}


def marked(mark):
    """Command lines by process id, of those that are alive."""
    found, text = {}, f"{NAME}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = line.decode()
        except (OSError, ProcessLookupError):
            pass  # another user's, or gone
    return found


def left_after(mark, seconds):
    """Those that are alive after so many seconds; fewer if none is any more."""
    end = time.monotonic() + seconds
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return marked(mark)


def ended(command, cwd, folder, number, code, ready):
    """Starts a program, signals it when its processes are `ready`; what it said.

    Args:
        command: the program.
        cwd: where it runs.
        folder: for temporary files.
        number: of the signal.
        code: the exit code that it must have.
        ready: tells from `marked` processes, and is given time to settle.
    """
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env=marked_env(folder, TMPDIR=str(folder)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # Beside other programs a start may take minutes.
        end = time.monotonic() + 300
        while process.poll() is None and not ready(marked(folder)):
            assert time.monotonic() < end, marked(folder)
            time.sleep(0.1)
        time.sleep(3)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()  # nothing, once it has ended
    assert process.returncode == code, said
    return said
