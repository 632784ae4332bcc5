"""Parsing raw files in parallel, and the cache of finished parts."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tomllib

from conftest import REPOSITORY
from errors import raises
from msg3d.converters import parse_files as driver
from msg3d.converters.parse_files import (
    LAYERS,
    PACKAGE,
    forget_parts,
    parse_files,
    read_part,
    source_hash,
    write_part,
)
from msg3d.errors import DataError, SkipFile


def parse(name, content, scale=1.0, log=None):
    """`NAME.txt` holding one number: a sample of that number."""
    if log is not None:
        with open(log, "a") as file:
            file.write(name + "\n")
    text = content.decode()
    if text == "nobody":
        raise SkipFile("nobody in it")
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{text!r} is no number", kind="number", line=1) from None
    keypoint = np.full((1, 2, 3, 3), value * scale, dtype=np.float32)
    stem = os.path.splitext(os.path.basename(name))[0]
    return [dict(frame_dir=stem, label=0, total_frames=2, keypoint=keypoint)]


def folder(path, count=10):
    path.mkdir()
    for number in range(count):
        (path / f"{number:03d}.txt").write_text(str(number + 1))
    return path


def values(parsed):
    return {one["frame_dir"]: one["keypoint"][0, 0, 0, 0] for one in parsed.samples}


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_file_is_a_sample_or_a_line(tmp_path, jobs):
    raw = folder(tmp_path / "raw")
    (raw / "003.txt").write_text("three")
    (raw / "004.txt").write_text("nobody")
    (raw / "README").write_text("hello")
    (raw / "again").mkdir()
    (raw / "again" / "001.txt").write_text("7")
    parsed = parse_files(
        raw, ".txt", parse, tmp_path / "parts", jobs=jobs, files_per_part=3
    )
    assert values(parsed) == {
        f"{number:03d}": number + 1 for number in range(10) if number not in (3, 4)
    }
    assert parsed.refused == [
        dict(file="003.txt", line=1, kind="number", why="'three' is no number"),
        dict(
            file="again/001.txt",
            kind="duplicate",
            why="a duplicate: 001 was read from 001.txt",
        ),
    ]
    assert parsed.left_out == {"nobody in it": ["004.txt"]}
    assert parsed.others == ["README"]


def test_finished_parts_are_not_done_again(tmp_path):
    raw, parts, log = folder(tmp_path / "raw"), tmp_path / "parts", tmp_path / "log"
    logged = partial(parse, log=str(log))

    def run(function=logged):
        log.write_text("")
        parsed = parse_files(raw, ".txt", function, parts, jobs=1, files_per_part=3)
        return values(parsed), log.read_text().split()

    before, parsed = run()
    assert len(parsed) == 10
    assert run() == (before, [])
    # One part lost: its three files, and no other.
    sorted(parts.glob("*.part"))[0].unlink()
    again, parsed = run()
    assert again == before and len(parsed) in (1, 3)
    # One file changed: the part that it is in.
    (raw / "004.txt").write_text("50")
    changed, parsed = run()
    assert changed == {**before, "004": 50}
    assert parsed == ["003.txt", "004.txt", "005.txt"]
    # Another option of the parser: everything.
    doubled, parsed = run(partial(parse, log=str(log), scale=2.0))
    assert doubled == {name: 2 * value for name, value in changed.items()}
    assert len(parsed) == 10


def test_parts_of_changed_source_are_not_reused(tmp_path, monkeypatch):
    """A change of any module that a parser can run, not only of the parser's own."""
    raw, parts, log = folder(tmp_path / "raw"), tmp_path / "parts", tmp_path / "log"
    logged = partial(parse, log=str(log))
    for expected in (10, 10):  # not cached; cached
        parse_files(raw, ".txt", logged, parts, jobs=1)
        assert len(log.read_text().split()) == expected
    monkeypatch.setattr(driver, "source_hash", lambda package: "of an older helper")
    parse_files(raw, ".txt", logged, parts, jobs=1)
    assert len(log.read_text().split()) == 20


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_counts_as_source(tmp_path, layer):
    package = tmp_path / PACKAGE.name
    for name in LAYERS:
        copy = shutil.copy if name.endswith(".py") else shutil.copytree
        package.mkdir(exist_ok=True)
        copy(PACKAGE / name, package / name)
    (package / "models").mkdir()
    (package / "models" / "other.py").write_text("")
    assert source_hash(package) == source_hash(PACKAGE)
    path = package / layer
    path = path if path.suffix else next(path.rglob("[a-z]*.py"))
    path.write_text(path.read_text() + "# another version\n")
    source_hash.cache_clear()
    assert source_hash(package) != source_hash(PACKAGE)


def test_layers_are_those_that_converters_can_import():
    config = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (order,) = (
        contract["layers"][::-1]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    names = [name.removesuffix(".py") for name in LAYERS]
    assert names == order[: order.index("converters") + 1]


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
    assert len(keys) == 1 and len(keys.pop().strip()) == 32


def test_source_is_hashed_once_and_fast():
    source_hash.cache_clear()
    start = time.process_time()
    source_hash(PACKAGE)
    assert time.process_time() - start < 0.5, "usually a few milliseconds"
    assert source_hash(PACKAGE) is source_hash(PACKAGE)


def test_a_part_cut_off_by_a_full_disk_does_not_count(tmp_path, monkeypatch):
    """The write fails: no part of that name is left, and the next start does it."""
    raw, parts = folder(tmp_path / "raw"), tmp_path / "parts"

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            parse_files(raw, ".txt", parse, parts, jobs=1)
    assert list(parts.iterdir()) == []
    assert len(parse_files(raw, ".txt", parse, parts, jobs=1).samples) == 10


def test_forget_parts_leaves_what_is_not_its_own(tmp_path):
    raw, parts = folder(tmp_path / "raw"), tmp_path / "parts"
    parse_files(raw, ".txt", parse, parts, jobs=1)
    (parts / "notes").write_text("mine")
    forget_parts(parts)
    assert [one.name for one in parts.iterdir()] == ["notes"]
    (parts / "notes").unlink()
    forget_parts(parts)
    assert not parts.exists()
    forget_parts(parts)


SLOW = """
import sys, time
sys.path[:0] = {folders!r}
from test_parse_files import parse
from msg3d.converters.parse_files import parse_files

def slow(name, content):
    time.sleep(0.02)
    with open({log!r}, "a") as file:
        file.write(name + "\\n")
    return parse(name, content)

parse_files({raw!r}, ".txt", slow, {parts!r}, jobs=2, files_per_part=5)
"""


def test_killed_and_run_again(tmp_path):
    """SIGKILL in the middle: finished parts are taken, the rest is done."""
    raw, parts, log = (
        folder(tmp_path / "raw", 100),
        tmp_path / "parts",
        tmp_path / "log",
    )
    script = tmp_path / "slow.py"
    script.write_text(
        SLOW.format(
            folders=[os.path.dirname(__file__), str(Path(__file__).parents[1])],
            raw=str(raw),
            parts=str(parts),
            log=str(log),
        )
    )
    process = subprocess.Popen([sys.executable, script], start_new_session=True)
    while len(list(parts.glob("*.part")) if parts.exists() else []) < 4:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = len(list(parts.glob("*.part")))
    assert 4 <= finished < 20
    log.write_text("")
    subprocess.run([sys.executable, script], check=True)
    assert len(log.read_text().split()) == 5 * (20 - finished)
    # Parts of the script's own parser: read here they are all of them.
    assert len(list(parts.glob("*.part"))) == 20


def test_a_killed_worker_is_one_error(tmp_path):
    raw = folder(tmp_path / "raw")
    with raises("worker", DataError):
        parse_files(raw, ".txt", _die, tmp_path / "parts", jobs=2, files_per_part=2)


def _die(name, content):
    os.kill(os.getpid(), signal.SIGKILL)


def test_nothing_of_that_kind(tmp_path):
    with raises("empty", DataError, file="raw"):
        parse_files(folder(tmp_path / "raw"), ".csv", parse, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_a_part_is_read_from_the_disk_not_into_memory(tmp_path):
    """Arrays are views of the file, of any shape and type, and outlive its removal."""
    arrays = [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.zeros((0, 3)),
        np.arange(10)[::3],
        np.asfortranarray(np.random.default_rng(0).random((3, 4))),
    ]
    folder = tmp_path / "parts"
    folder.mkdir()
    path = str(folder / "one")
    write_part(dict(arrays=arrays, text=["a", None]), path)
    read = read_part(path)
    assert read["text"] == ["a", None]
    assert not read["arrays"][0].flags.owndata
    assert not read["arrays"][0].flags.writeable
    forget_parts(str(folder))
    assert not folder.exists()
    for one, other in zip(read["arrays"], arrays, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    path = str(tmp_path / "none")
    write_part(dict(arrays=[]), path)
    assert read_part(path) == dict(arrays=[])
