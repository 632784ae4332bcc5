"""Parsing raw files in parallel, and the cache of finished parts."""

import os
import shutil
import time
from functools import partial

import numpy as np
import pytest

from conftest import pyproject
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
from msg3d.errors import DataError
from number_files import folder, parse, values


def test_finished_parts_are_not_done_again(tmp_path):
    raw, parts, log = folder(tmp_path / "raw"), tmp_path / "parts", tmp_path / "log"
    logged = partial(parse, log=str(log))

    def run(function=logged):
        log.write_text("", encoding="utf-8")
        parsed = parse_files(raw, ".txt", function, parts, jobs=1, files_per_part=3)
        return values(parsed), log.read_text(encoding="utf-8").split()

    before, parsed = run()
    assert len(parsed) == 10
    assert run() == (before, [])
    # One part lost: its three files, and no other.
    sorted(parts.glob("*.part"))[0].unlink()
    again, parsed = run()
    assert again == before
    assert len(parsed) in (1, 3)
    # One file changed: the part that it is in.
    (raw / "004.txt").write_text("50", encoding="utf-8")
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
        assert len(log.read_text(encoding="utf-8").split()) == expected
    monkeypatch.setattr(driver, "source_hash", lambda package: "of an older helper")
    parse_files(raw, ".txt", logged, parts, jobs=1)
    assert len(log.read_text(encoding="utf-8").split()) == 20


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_counts_as_source(tmp_path, layer):
    package = tmp_path / PACKAGE.name
    for name in LAYERS:
        copy = shutil.copy if name.endswith(".py") else shutil.copytree
        package.mkdir(exist_ok=True)
        copy(PACKAGE / name, package / name)
    (package / "models").mkdir()
    (package / "models" / "other.py").write_text("", encoding="utf-8")
    assert source_hash(package) == source_hash(PACKAGE)
    path = package / layer
    path = path if path.suffix else next(path.rglob("[a-z]*.py"))
    path.write_text(
        path.read_text(encoding="utf-8") + "# another version\n", encoding="utf-8"
    )
    source_hash.cache_clear()
    assert source_hash(package) != source_hash(PACKAGE)


def test_layers_are_those_that_converters_can_import():
    config = pyproject()
    (order,) = (
        contract["layers"][::-1]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    names = [name.removesuffix(".py") for name in LAYERS]
    assert names == order[: order.index("converters") + 1]


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
    (parts / "notes").write_text("mine", encoding="utf-8")
    forget_parts(parts)
    assert [one.name for one in parts.iterdir()] == ["notes"]
    (parts / "notes").unlink()
    forget_parts(parts)
    assert not parts.exists()
    forget_parts(parts)


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
    write_part({"arrays": arrays, "text": ["a", None]}, path)
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
    write_part({"arrays": []}, path)
    assert read_part(path) == {"arrays": []}
