"""Mutated files end in what they hold or in one sentence: nothing else, ever.

No other error, no crash, no hang, no memory beyond a bound, and nothing executed. The
seeds are fixed: a case is its reader, and its number. The slow tier runs many more:

    pytest -m slow tests/fuzz
    FUZZ_CASES=1000 pytest -m slow tests/fuzz -k "store"     # of each reader
"""

import os
import shutil
import tempfile
from pathlib import Path

import fuzz_mutations as mutations
import numpy as np
import pytest
from fuzz_readers import EXPECTED, READERS
from fuzz_run import run_cases

FEW = 20
MANY = int(os.environ.get("FUZZ_CASES", 400))


def case_of(name, seeds, folder, canary):
    """number of a case -> its file is written and read."""
    reader = READERS[name]

    def run(number):
        rng = np.random.default_rng([number, *name.encode()])
        files = dict(seeds[rng.integers(len(seeds))])
        other = seeds[rng.integers(len(seeds))]
        chosen = list(files)[rng.integers(len(files))]
        content = files[chosen]
        if chosen.endswith((".pkl", ".pth")) and rng.random() < 0.2:
            code = mutations.pickle_code
            if content.startswith(b"PK"):
                changed = mutations.zip_member(
                    lambda *three: (
                        code(*three, canary) if three[1][:1] == b"\x80" else three[1]
                    )
                )
                content = changed(rng, content, b"")
            else:
                content = code(rng, content, b"", canary)
        else:
            for _ in range(1 + (rng.random() < 0.3)):
                mutate = reader.mutations[rng.integers(len(reader.mutations))]
                if content:
                    content = _mutated(mutate, rng, content, other)
        files[chosen] = content
        place = folder / "case"
        shutil.rmtree(place, ignore_errors=True)
        for path, inside in files.items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(inside)
        if chosen.endswith(".npy") and rng.random() < 0.7:
            _tell_sizes(place)
        try:
            return reader.read(place)
        except OSError as error:
            # Of the system, or a sentence of ours: not one of the two is a bare number.
            assert error.strerror or str(error)
            raise

    return run


def _mutated(mutate, rng, content, other):
    """A second change may meet a file that is none any more."""
    try:
        return mutate(rng, content, next(iter(other.values())))
    except Exception:
        return mutations.flip(rng, content, b"")


def _tell_sizes(place):
    """A store's header with the true sizes of its files, so that they are looked into."""
    import json

    for header in place.rglob("store.json"):
        said = json.loads(header.read_bytes())
        folder = header.parent / said["data"]
        for name in said["bytes"]:
            said["bytes"][name] = (folder / name).stat().st_size
        header.write_text(json.dumps(said))


def check(name, cases):
    if name == "udiva":
        pytest.importorskip("h5py", reason="needs h5py")
    if name == "safetensors":
        pytest.importorskip("safetensors", reason="needs safetensors")
    seeds = READERS[name].seeds()
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "ran"
        for files in seeds:  # the files before they are changed
            target = Path(folder) / "good"
            for path, content in files.items():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(content)
            READERS[name].read(target)
            shutil.rmtree(target)
        run = case_of(name, seeds, Path(folder), canary)
        findings, refused = run_cases(run, range(cases), EXPECTED)
        assert not canary.exists(), "code of a file was executed"
    print(f"{name}: {cases} cases, {refused} refused, {len(findings)} findings")
    assert not findings, "\n".join(map(str, findings[:20]))
    assert refused > cases / 5, "hardly anything was refused: the cases are too tame"


@pytest.mark.parametrize("name", READERS)
def test_few(name):
    check(name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many(name):
    check(name, MANY)


def test_the_canary_sings(tmp_path):
    """The payload does run where nobody forbids it: its absence proves something."""
    import pickle

    canary = tmp_path / "ran"
    pickle.loads(b"\x80\x02" + mutations.payload(canary) + b".")
    assert canary.exists()


@pytest.mark.parametrize("deed", ["hang", "memory", "crash", "error", "lines"])
def test_what_is_looked_for_is_found(deed, monkeypatch):
    import fuzz_run

    monkeypatch.setattr(fuzz_run, "SECONDS", 0.3)

    def run(number):
        if number != 1:
            return
        if deed == "hang":
            while True:
                pass
        elif deed == "memory":
            np.ones(2**30)
        elif deed == "crash":
            os.abort()
        elif deed == "error":
            raise KeyError("x")
        else:
            raise OSError("two\nlines")

    findings, _ = run_cases(run, range(3), EXPECTED)
    assert [one.case for one in findings] == [1]
