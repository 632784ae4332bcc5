"""Parse raw files in parallel, and cache finished parts."""

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


def test_finished_parts_are_reused(tmp_path):
    raw, parts, log = folder(tmp_path / "raw"), tmp_path / "parts", tmp_path / "log"
    logged = partial(parse, log=str(log))

    def run(function=logged):
        log.write_text("", encoding="utf-8")
        parsed = parse_files(raw, ".txt", function, parts, jobs=1, files_per_part=3)
        return values(parsed), log.read_text(encoding="utf-8").split()

    before, parsed = run()
    assert len(parsed) == 10
    assert run() == (before, [])
    # A lost part is parsed again, and no others.
    sorted(parts.glob("*.part"))[0].unlink()
    again, parsed = run()
    assert again == before
    assert len(parsed) in (1, 3)
    # A changed file: its part is parsed again.
    (raw / "004.txt").write_text("50", encoding="utf-8")
    changed, parsed = run()
    assert changed == {**before, "004": 50}
    assert parsed == ["003.txt", "004.txt", "005.txt"]
    # A changed option of the parser: all files are parsed again.
    doubled, parsed = run(partial(parse, log=str(log), scale=2.0))
    assert doubled == {name: 2 * value for name, value in changed.items()}
    assert len(parsed) == 10


def test_parts_of_changed_source_are_not_reused(tmp_path, monkeypatch):
    """Parts depend on all modules that a parser can import, not only on its own."""
    raw, parts, log = folder(tmp_path / "raw"), tmp_path / "parts", tmp_path / "log"
    logged = partial(parse, log=str(log))
    for expected in (10, 10):  # not cached; cached
        parse_files(raw, ".txt", logged, parts, jobs=1)
        assert len(log.read_text(encoding="utf-8").split()) == expected
    monkeypatch.setattr(driver, "source_hash", lambda package: "older source")
    parse_files(raw, ".txt", logged, parts, jobs=1)
    assert len(log.read_text(encoding="utf-8").split()) == 20


@pytest.mark.parametrize("layer", LAYERS)
def test_source_hash_includes_every_layer(tmp_path, layer):
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
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
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


def test_source_hash_is_fast_and_cached():
    source_hash.cache_clear()
    start = time.process_time()
    source_hash(PACKAGE)
    assert time.process_time() - start < 0.5, "usually a few milliseconds"
    assert source_hash(PACKAGE) is source_hash(PACKAGE)


def test_full_disk_leaves_no_partial_part(tmp_path, monkeypatch):
    """The part is parsed again on the next start."""
    raw, parts = folder(tmp_path / "raw"), tmp_path / "parts"

    def raise_disk_full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", raise_disk_full)
        with pytest.raises(OSError, match="No space"):
            parse_files(raw, ".txt", parse, parts, jobs=1)
    assert list(parts.iterdir()) == []
    assert len(parse_files(raw, ".txt", parse, parts, jobs=1).samples) == 10


def test_forget_parts_keeps_other_files(tmp_path):
    raw, parts = folder(tmp_path / "raw"), tmp_path / "parts"
    parse_files(raw, ".txt", parse, parts, jobs=1)
    (parts / "notes").write_text("mine", encoding="utf-8")
    forget_parts(parts)
    assert [path.name for path in parts.iterdir()] == ["notes"]
    (parts / "notes").unlink()
    forget_parts(parts)
    assert not parts.exists()
    forget_parts(parts)


def test_no_matching_files(tmp_path):
    with raises("empty", DataError, file="raw"):
        parse_files(folder(tmp_path / "raw"), ".csv", parse, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_parts_are_memory_mapped(tmp_path):
    """Arrays of any shape and type are views of the file, and outlive its removal."""
    arrays = [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.zeros((0, 3)),
        np.arange(10)[::3],
        np.asfortranarray(np.random.default_rng(0).random((3, 4))),
    ]
    folder = tmp_path / "parts"
    folder.mkdir()
    path = str(folder / "part")
    write_part({"arrays": arrays, "text": ["a", None]}, path)
    read = read_part(path)
    assert read["text"] == ["a", None]
    assert not read["arrays"][0].flags.owndata
    assert not read["arrays"][0].flags.writeable
    forget_parts(str(folder))
    assert not folder.exists()
    for actual, expected in zip(read["arrays"], arrays, strict=True):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
    path = str(tmp_path / "empty")
    write_part({"arrays": []}, path)
    assert read_part(path) == {"arrays": []}
