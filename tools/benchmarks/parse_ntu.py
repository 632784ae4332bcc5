"""How fast NTU RGB+D's raw files are read, beside a reader line by line."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from msg3d.formats.ntu_skeleton import read_bodies

from .ntu_files import skeleton_text
from .ntu_plain import read_plainly

FRAMES = 80, 300
NTU_120 = 114480


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--files", type=int, default=12, help="made, of 1 to 3 bodies")
    made.add_argument("--repeats", type=int, default=5, help="times each is read")
    made.add_argument("--raw", help="folder of real .skeleton files, in place of made")
    options = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.raw:
            paths = sorted(Path(options.raw).rglob("*.skeleton"))
        else:
            paths = _make(Path(folder), options.files)
        print(_text(paths, _measure(paths, options.repeats)))
    return 0


def _make(folder: Path, files: int) -> list[Path]:
    paths = []
    for number, frames in enumerate(np.linspace(*FRAMES, files).astype(int).tolist()):
        paths.append(folder / f"{number:03d}.skeleton")
        paths[-1].write_bytes(skeleton_text(frames, 1 + number % 3, seed=number))
    return paths


def _measure(paths: list[Path], repeats: int) -> np.ndarray:
    """Seconds of one core [plain or ours, file], each the least of its readings.

    Each reader goes through all files, as a conversion does, before the other one.
    """
    for path in paths:
        assert (_plain(path).astype(np.float32) == _ours(path)).all(), path
    readings = [
        [[_seconds(read, path) for path in paths] for read in (_plain, _ours)]
        for _ in range(repeats)
    ]
    return np.min(readings, axis=0)


def _seconds(read: Callable[[Path], np.ndarray], path: Path) -> float:
    """Of this process alone: what others take of the core does not count."""
    start = time.process_time()
    read(path)
    return time.process_time() - start


def _plain(path: Path) -> np.ndarray:
    with open(path) as file:
        return read_plainly(file)[0]


def _ours(path: Path) -> np.ndarray:
    return read_bodies(path.read_bytes())[0]


def _text(paths: list[Path], seconds: np.ndarray) -> str:
    plain, ours = seconds.sum(axis=1)
    size = sum(path.stat().st_size for path in paths) / len(paths)
    lines = [f"{len(paths)} files, {size / 1e6:.2f} MB each"]
    for name, spent in (("line by line", plain), ("msg3d", ours)):
        a_file = spent / len(paths)
        lines.append(
            f"{name:12} {1e3 * a_file:8.3f} ms a file, {1 / a_file:7,.0f} files/s, "
            f"{NTU_120} files of this size in {NTU_120 * a_file / 60:.1f} min"
        )
    ratios = seconds[0] / seconds[1]
    lines.append(
        f"ratio        {plain / ours:8.1f}, of one file {ratios.min():.1f} to "
        f"{ratios.max():.1f}"
    )
    return "\n".join(lines)
