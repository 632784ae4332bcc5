"""Resume a killed conversion of NTU RGB+D."""

import os
import signal
import subprocess
import sys
import time

import pytest

import plain_ntu
from msg3d.converters import convert_ntu


def test_resume_after_kill(tmp_path):
    """After SIGKILL during 600 files, finished parts are not parsed again."""
    content = [
        plain_ntu.skeleton_text(2, 1 + number % 2, seed=number) for number in range(7)
    ]
    files = {
        f"S001C{camera:03d}P{performer:03d}R001A{action:03d}.skeleton": content[
            (camera + performer + action) % 7
        ]
        for camera in (1, 2)
        for performer in (1, 2, 3, 4, 5)
        for action in range(1, 61)
    }
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in files.items():
        (raw / name).write_bytes(text)
    out, parts = tmp_path / "a.pkl", tmp_path / "a.pkl.parts"
    slow = (
        "import sys, time\n"
        "from msg3d.converters import convert_ntu, ntu\n"
        "original = ntu.read_bodies\n"
        "def read(content):\n"
        "    time.sleep(0.005)\n"
        "    return original(content)\n"
        "ntu.read_bodies = read\n"
        f"convert_ntu({str(raw)!r}, {str(out)!r}, 'ntu60', jobs=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", slow], start_new_session=True)
    while not list(parts.glob("*.part")):
        assert process.poll() is None, "the process ended before it was killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path.name: path.stat().st_ino for path in parts.glob("*.part")}
    assert 0 < len(finished) < 3
    assert not out.exists()

    part_sizes = []
    from msg3d.converters import parse_files

    original = parse_files._parse_part
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            parse_files,
            "_parse_part",
            lambda part, *rest: part_sizes.append(len(part)) or original(part, *rest),
        )
        report = convert_ntu(raw, out, "ntu60", jobs=1)
    assert sum(part_sizes) == 600 - 256 * len(finished)
    assert report["sequences"] == 600
    assert not parts.exists()
    convert_ntu(raw, tmp_path / "b.pkl", "ntu60", jobs=1)
    assert out.read_bytes() == (tmp_path / "b.pkl").read_bytes()
