"""Find processes after their parent has exited, by an environment variable (Linux)."""

import os
import subprocess
import time
from pathlib import Path

NAME = "MSG3D_TEST_MARK"


def marked_env(mark, **more):
    """Return an environment with the mark, which all descendants inherit."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more, NAME: str(mark)}


def marked(mark):
    """Return the command lines of running processes by process id."""
    lines, text = {}, f"{NAME}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                lines[int(folder.name)] = line.decode()
        except (OSError, ProcessLookupError):
            pass  # the process has ended or belongs to another user
    return lines


def left_after(mark, seconds):
    """Return the processes that are running after a time, or none if all end earlier."""
    end = time.monotonic() + seconds
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return marked(mark)


def ended(command, cwd, folder, number, code, ready):
    """Start a program, send a signal once it is ready, and return its standard error.

    Args:
        command: command line of the program.
        cwd: working folder.
        folder: folder for temporary files.
        number: number of the signal.
        code: expected exit code.
        ready: whether the `marked` processes are ready, called repeatedly.
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
        # Starting may take minutes on a busy machine.
        end = time.monotonic() + 300
        while process.poll() is None and not ready(marked(folder)):
            assert time.monotonic() < end, marked(folder)
            time.sleep(0.1)
        time.sleep(3)
        process.send_signal(number)
        stderr = process.communicate(timeout=60)[1]
    finally:
        process.kill()  # has no effect if the process has ended
    assert process.returncode == code, stderr
    return stderr
