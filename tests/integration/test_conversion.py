"""Conversion in several processes, some of which are killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errors import raises
from msg3d.converters.parse_files import parse_files
from msg3d.errors import DataError
from number_files import folder, parse, values

KEY = """
from msg3d.converters.parse_files import part_key
from msg3d.converters import ntu
from msg3d.io.archives import list_files
from functools import partial
files, _ = list_files({raw!r}, ".txt")
parse = partial(ntu.parse_sequence, benchmark="ntu60", missing=("a", "b"))
print(part_key(files, parse))
"""


def test_key_is_the_same_in_every_process(tmp_path):
    code = KEY.format(raw=str(folder(tmp_path / "raw")))
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in "12"
    }
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 32


SLOW = """
import sys, time
sys.path[:0] = {folders!r}
from number_files import parse
from msg3d.converters.parse_files import parse_files

def slow(name, content):
    time.sleep(0.02)
    with open({log!r}, "a") as file:
        file.write(name + "\\n")
    return parse(name, content)

parse_files({raw!r}, ".txt", slow, {parts!r}, jobs=2, files_per_part=5)
"""


def test_resume_after_kill(tmp_path):
    """After SIGKILL, finished parts are reused, and only the others are parsed."""
    raw = folder(tmp_path / "raw", 100)
    parts, log = tmp_path / "parts", tmp_path / "log"
    script = tmp_path / "slow.py"
    script.write_text(
        SLOW.format(
            folders=[str(Path(__file__).parents[1])],
            raw=str(raw),
            parts=str(parts),
            log=str(log),
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, script], start_new_session=True)
    while len(list(parts.glob("*.part")) if parts.exists() else []) < 4:
        assert process.poll() is None, "the process ended before it was killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = len(list(parts.glob("*.part")))
    assert 4 <= finished < 20
    log.write_text("", encoding="utf-8")
    subprocess.run([sys.executable, script], check=True)
    assert len(log.read_text(encoding="utf-8").split()) == 5 * (20 - finished)
    assert len(list(parts.glob("*.part"))) == 20


def test_killed_worker_raises_an_error(tmp_path):
    raw = folder(tmp_path / "raw")
    with raises("worker", DataError):
        parse_files(raw, ".txt", _die, tmp_path / "parts", jobs=2, files_per_part=2)


def _die(name, content):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(params=multiprocessing.get_all_start_methods())
def start_method(request):
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(request.param, force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.usefixtures("start_method")
def test_every_file_is_a_sample_or_reported(tmp_path, jobs):
    raw = folder(tmp_path / "raw")
    (raw / "003.txt").write_text("three", encoding="utf-8")
    (raw / "004.txt").write_text("empty", encoding="utf-8")
    (raw / "README").write_text("hello", encoding="utf-8")
    (raw / "again").mkdir()
    (raw / "again" / "001.txt").write_text("7", encoding="utf-8")
    parsed = parse_files(
        raw, ".txt", parse, tmp_path / "parts", jobs=jobs, files_per_part=3
    )
    assert values(parsed) == {
        f"{number:03d}": number + 1 for number in range(10) if number not in (3, 4)
    }
    number, duplicate = parsed.refused
    assert "three" in number.pop("why")
    assert number == {"file": "003.txt", "line": 1, "kind": "number"}
    assert "001.txt" in duplicate.pop("why")
    assert duplicate == {"file": "again/001.txt", "kind": "duplicate"}
    assert parsed.left_out == {"no body": ["004.txt"]}
    assert parsed.others == ["README"]
