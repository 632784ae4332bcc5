"""Time the parser of NTU RGB+D's raw files and a line-by-line reader.

Times are processor time per file on one core. `plain` reads line by line, like the readers
of MS-G3D and CTR-GCN (tests/plain_ntu.py). Both must return the same coordinates.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from msg3d.formats.ntu_skeleton import read_bodies

from .networks import reference
from .timing import interleave


def run(options, results) -> None:
    plain_ntu = reference("plain_ntu")

    def plain(file: Path) -> np.ndarray:
        with file.open(encoding="utf-8") as opened:
            return plain_ntu.read_plainly(opened)[0].astype(np.float32)

    def ours(file: Path) -> np.ndarray:
        return read_bodies(file.read_bytes())[0]

    with tempfile.TemporaryDirectory() as folder:
        files = sorted(Path(options.raw).rglob("*.skeleton")) if options.raw else []
        if options.raw and not files:
            raise ValueError(f"--raw {options.raw}: contains no .skeleton file")
        lengths = [] if files else np.linspace(80, 300, options.files)
        for number, frames in enumerate(lengths):
            text = plain_ntu.skeleton_text(int(frames), 1 + number % 3, seed=number)
            files.append(Path(folder) / f"{number:03d}.skeleton")
            files[-1].write_bytes(text)
        for file in files:
            if not np.array_equal(plain(file), ours(file)):
                raise ValueError(f"{file}: the readers differ")
        megabytes = sum(file.stat().st_size for file in files) / len(files) / 1e6
        facts = {"files": len(files), "megabytes_per_file": megabytes}
        steps = {
            read.__name__: lambda read=read: [read(file) for file in files]
            for read in (plain, ours)
        }
        # Processor time does not include other programs.
        clock = {"clock": time.process_time, "per": len(files)}
        for times in interleave(steps, options.rounds, "parse", **clock):
            rows = [dict(reader=name, **facts, **times[name]) for name in steps]
            for row in rows:
                row["files_per_s"] = 1e3 / row["median_ms"]
                row["times_plain"] = times["plain"]["median_ms"] / row["median_ms"]
            results.table("parse", rows)
