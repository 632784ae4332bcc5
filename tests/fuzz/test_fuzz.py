"""Fuzz tests: readers of corrupt files return data or raise an error with a `kind`.

They never raise other exceptions, crash, hang, allocate much memory, or execute code.
Cases are reproducible: they depend only on the reader, FUZZ_SEED, and FUZZ_CASES.

    FUZZ_CASES=1000 pytest -m slow tests/fuzz -k store -s     # per reader
"""

import faulthandler
import io
import json
import os
import pickle
import shutil
import sys
import tarfile
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from hostile_pickles import CANARY, PAYLOAD
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from mmengine.runner.checkpoint import CheckpointLoader
from mutations import corrupt

from converters import test_bandai, test_penn_action
from formats import test_formats as formats
from msg3d.annotations import faults
from msg3d.annotations.inspection import as_json, as_text, inspect_annotations
from msg3d.annotations.targets import CHALLENGE_TRAITS
from msg3d.apis import exported
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import Expected, to_sample
from msg3d.checkpoints.reading import read_state
from msg3d.checkpoints.safe_tensors import write_safetensors
from msg3d.checkpoints.stored_config import stored_config
from msg3d.converters import (
    bandai,
    kinetics,
    msr_action3d,
    ntu,
    nw_ucla,
    penn_action,
    sbu,
    udiva_tables,
)
from msg3d.converters.kinetics_lists import class_names, read_label_lists
from msg3d.converters.labels import check_complete, read_list
from msg3d.converters.user_files import parse_file
from msg3d.datasets import check_annotations, load_annotations
from msg3d.errors import KINDS, MSG3DError, SkipFile
from msg3d.evaluation import labels_of, read_scores
from msg3d.evaluation.score_npz import write_score_npz
from msg3d.io.archives import list_files, read_files
from msg3d.skeletons import skeleton
from msg3d.stores.packing import pack
from msg3d.stores.store import load_store
from samples import annotations

if sys.platform != "linux":
    pytest.skip("requires Linux to limit memory", allow_module_level=True)

SEED = int(os.environ.get("FUZZ_SEED", 0))
CASES = int(os.environ.get("FUZZ_CASES", 200))
SECONDS = 20
MEMORY = 512 * 2**20  # in addition to the initial memory of the process


@contextmanager
def attempt(outcomes):
    """Append None or an expected error to `outcomes`; raise all other errors."""
    expected = None
    try:
        yield
    except (MSG3DError, SkipFile, OSError) as error:
        expected = error
    if expected is not None:
        text, cause = str(expected), expected
        assert text.strip(), repr(expected)
        assert "\n" not in text, text
        assert len(text) < 2000, text
        if isinstance(expected, MSG3DError):
            assert expected.kind in {*KINDS, *faults.KINDS}, expected.kind
        while cause is not None:
            # The error must be raised before memory is exhausted.
            assert not isinstance(cause, MemoryError), text
            cause = cause.__cause__ or cause.__context__
    outcomes.append(expected)


# Writers of small valid files, and their readers


def small(form):
    if form == "labels":
        return ["a", "b"], [0, 1]
    options = {"channels": 2, "joints": 17} if form == "2d" else {}
    data = annotations(samples=4, frames=(3, 6), **options)
    return (
        data["annotations"]
        if form == "list"
        else {**data, "meta": {"classes": list("abcd")}}
    )


def write_pickle(form, protocol, folder):
    (folder / "a.pkl").write_bytes(pickle.dumps(small(form), protocol))


def write_store(form, folder):
    pack(small(form), str(folder / "s.packed"))


def read_annotations(folder, attempt):
    path = str(folder / "a.pkl")
    with attempt():
        labels_of(path, "train" if b"split" in Path(path).read_bytes() else None)
    with attempt():
        data = load_annotations(path)
        inspection = inspect_annotations(data)
        report = as_json(inspection, path)
        json.dumps(report), as_text(report, inspection, 3)
        check_annotations(data, source=path, multi_class=True)


def read_store(folder, attempt):
    with attempt():
        store = load_store(str(folder / "s.packed"))
        for split in store.splits or [None]:
            if len(numbers := store.split(split)):
                store.summary(numbers)
        store.unpack()


def write_scores(form, folder):
    values, names = np.random.default_rng(0).random((6, 3)), [f"s{i}" for i in range(6)]
    kind = torch.tensor if form == "tensors" else np.array
    dump = [
        {"pred_score": kind(row), "gt_label": kind([1]), "frame_dir": name}
        for row, name in zip(values, names, strict=True)
    ]
    if form == "npz":
        return write_score_npz(folder / "s.npz", names, values, np.arange(6) % 3)
    forms = {"rows": list(values), "names": dict(zip(names, values, strict=True))}
    (folder / "s.pkl").write_bytes(pickle.dumps(forms.get(form, dump), 4))


def read_score_file(folder, attempt):
    (path,) = folder.iterdir()
    with attempt():
        assert np.isfinite(read_scores(path).values).all()
    with attempt():
        mmengine.load(path)


def write_checkpoint(form, folder):
    layers = torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)
    state, meta = (
        torch.nn.Sequential(*layers).state_dict(),
        {"classes": ["a"], "x": (1,)},
    )
    if form == "safetensors":
        return write_safetensors(state, meta, folder / "c.safetensors")
    options = {"_use_new_zipfile_serialization": form == "zip"}
    torch.save({"state_dict": state, "meta": meta}, folder / "c.pth", **options)


def read_checkpoint(folder, attempt):
    """Read a checkpoint as `mim test` and tools/convert_checkpoint.py do."""
    (path,) = folder.iterdir()
    with attempt():
        CheckpointLoader.load_checkpoint(str(path), "cpu", "silent")
    with attempt():
        read_state(str(path))


CONFIG = """
default_scope = 'mmaction'
custom_imports = dict(allow_failed_imports=False, imports=['msg3d'])
model = dict(backbone=dict(graph_cfg=dict(layout='coco'), type='STGCN'))
optim_wrapper = dict(paramwise_cfg=dict({'.bias': 1, 'norm': -0.5}))
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='PoseDecode'), dict(meta_keys=('frame_dir', ), value=inf)]))
"""


def write_config(folder):
    (folder / "config.txt").write_text(CONFIG, encoding="utf-8")


def read_config(folder, attempt):
    """Read the text of a config as stored in a checkpoint."""
    text = (folder / "config.txt").read_text(encoding="utf-8", errors="replace")
    with attempt():
        stored_config({"cfg": text}, "best.pth")


def write_recipe(folder):
    pipeline = [
        {"type": "PreNormalize2D"},
        {"type": "SkeletonFeatures", "layout": "coco"},
        {
            "type": "FastUniformSampleFrames",
            "clip_len": 8,
            "num_clips": 2,
            "test_mode": True,
        },
        {"type": "FormatGCNInput"},
    ]
    expected = {"layout": "coco", "dimensions": 2, "stream": None, "num_person": 2}
    recipe = {
        "format": 1,
        "expected": expected,
        "pipeline": pipeline,
        "classes": ["a", "b"],
    }
    formats.as_json(folder / "msg3d.json", recipe)


def read_recipe(folder, attempt):
    text = (folder / "msg3d.json").read_text(encoding="utf-8", errors="replace")
    with attempt():
        exported._build(exported._read_recipe(text), None)


LISTS = {
    "kinetics.json": """{
        "a": {"has_skeleton": true, "label": "wave", "label_index": 0},
        "b": {"has_skeleton": false, "label": "bow", "label_index": 1}}""",
    "labels.csv": "file,label,split,height,width\na.json,wave,train,48,64\nb,sit,val,48,64",
    "split.csv": "name,split\na,train\nb,val\n",
    "sessions_train.csv": "ID,DATE,PART.1,PART.2\n001002,x,1,2\n",
    "parts_train.csv": f"ID,AGE,{','.join(CHALLENGE_TRAITS)}\n1,9,1,2,3,4,5\n2,9,1,2,3,4,.5",
}


def write_lists(folder):
    for name, text in LISTS.items():
        (folder / name).write_text(text, encoding="utf-8")


def read_lists(folder, attempt):
    path = str(folder / "split.csv")
    with attempt():
        class_names(read_label_lists({"val": str(folder / "kinetics.json")}))
        read_list(str(folder / "labels.csv"), (".json",))
    with attempt():
        check_complete(read_list(path, (".npy",)), {"a", "b"}, path)
        udiva_tables.read_tables(str(folder))


def write_archive(form, folder):
    content = json.dumps([[[0, 1, 2]] * 20] * 9).encode()
    if form == "zip":
        with zipfile.ZipFile(folder / "raw.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("all/a.json", content)
            archive.writestr("all/readme.txt", "text")
        return
    with tarfile.open(folder / "raw.tar", f"w:{form}") as archive:
        member = tarfile.TarInfo("all/a.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def read_archive(folder, attempt):
    (path,) = folder.iterdir()
    with attempt():
        for _, content in read_files(str(path), ".json"):
            assert content is None or len(content) <= 64 * 2**20
        list_files(str(folder), ".json")


def write_bandai(folder):
    (folder / test_bandai.NAME).write_text(
        test_bandai.recording(np.ones((4, 21, 3))), encoding="utf-8"
    )


def write_penn_action(form, folder):
    values, compress = test_penn_action.fields(), form == "zlib"
    (folder / "0001.mat").write_bytes(
        test_penn_action.mat(values, do_compression=compress)
    )


def read_raw(parse, folder, attempt):
    (path,) = folder.iterdir()
    with attempt():
        for sample in parse(path.name, path.read_bytes()):
            assert np.isfinite(sample["keypoint"]).all()


def doubled(write, folder):
    """Write an example with two persons per frame and all optional fields."""
    write(folder)
    (path,) = folder.iterdir()
    if path.suffix == ".csv":
        header, *rows = path.read_text(encoding="utf-8").split("\n")
        if "v0" in header:
            rows = [f"frame,{header}", *(f"{t},{row}" for t, row in enumerate(rows))]
        else:
            rows = [f"{t},{n},{row}" for t, row in enumerate(rows) for n in range(2)]
            rows.insert(0, f"frame,person,{header}")
        path.write_text("\n".join(rows), encoding="utf-8")
        return
    data = json.loads(path.read_text(encoding="utf-8"))
    if write is formats.alphapose:
        data = [{**person, "idx": [n]} for person in data for n in range(2)]
    elif write is formats.coco:
        data["annotations"] *= 2
        data["categories"] = [{"keypoints": list(skeleton("coco").joints)}]
        for image in data["images"]:
            image["file_name"] = f"v/{image['id']}.jpg"
    elif write is formats.kinetics_skeleton:
        for frame in data["data"]:
            frame["skeleton"] *= 3
    elif write is formats.landmarks:
        frames = [[frame["pose_world_landmarks"]] * 2 for frame in data["frames"]]
        names = "pose_landmarks", "pose_world_landmarks"
        data["frames"] = [dict.fromkeys(names, persons) for persons in frames]
    else:
        frames = [
            {"frame_id": t, "instances": persons * 2} for t, persons in enumerate(data)
        ]
        data = {"meta_info": {}, "instance_info": frames}
    formats.as_json(path, data)


def read_clip(convert, options, expected, folder, attempt):
    """Read a file of any format as prediction and converters do."""
    with attempt():
        for source in list_sources(str(folder), str(folder / "nowhere")):
            for sequence in read_sequences(source, expected, options):
                sample = to_sample(sequence, expected)
                assert np.isfinite(sample["keypoint"]).all()
    for path in filter(Path.is_file, folder.iterdir()):
        for dimensions in (2, 3):
            with attempt():
                other = replace(options, dimensions=dimensions, max_persons=1)
                parse_file(path.name, path.read_bytes(), other)
        for name, parse in convert:
            with attempt():
                parse(name, path.read_bytes())


CONVERT = {
    "ntu_skeleton": [
        ("S001C001P001R001A001.skeleton", partial(ntu.parse_sequence, **options))
        for options in (
            {"benchmark": "ntu120"},
            {"benchmark": "ntu60", "denoise": True},
        )
    ],
    "kinetics_skeleton": [
        ("clip.json", partial(kinetics.parse_clip, persons=persons))
        for persons in ("rank", "track")
    ],
    "nw_ucla": [("a01_s02_e03_v01.json", nw_ucla.parse_sequence)],
    "msr_action3d": [("a01_s02_e03_skeleton3D.txt", msr_action3d.parse_sequence)],
    "sbu": [("s01s02/01/001/skeleton_pos.txt", partial(sbu.parse_sequence, units="m"))],
}
DOUBLED = {
    *(("alphapose", 0), ("coco", 0), ("csv", 0), ("kinetics_skeleton", 0)),
    *(("mediapipe", 0), ("mediapipe", 2), ("mmpose", 0)),
}


def readers():
    """Return name -> (functions that write a valid example, function that reads it)."""
    by_name = {
        "config": ([write_config], read_config),
        "recipe": ([write_recipe], read_recipe),
        "lists": ([write_lists], read_lists),
    }
    read = partial(read_raw, bandai.parse_recording)
    by_name["bandai"] = [write_bandai], read
    read = partial(read_raw, penn_action.parse_video)
    for form in ("plain", "zlib"):
        by_name[f"penn_action_{form}"] = [partial(write_penn_action, form)], read
    for form in ("2d", "3d", "list", "labels"):
        writers = [partial(write_pickle, form, protocol) for protocol in (2, 4, 5)]
        by_name[f"annotations_{form}"] = writers, read_annotations
    for name, write, read, forms in (
        ("store", write_store, read_store, "2d 3d list"),
        ("scores", write_scores, read_score_file, "npz tensors arrays rows names"),
        ("checkpoint", write_checkpoint, read_checkpoint, "zip legacy safetensors"),
        ("archive", write_archive, read_archive, "zip xz gz"),
    ):
        for form in forms.split():
            by_name[f"{name}_{form}"] = [partial(write, form)], read
    for form, examples in formats.EXAMPLES.items():
        for number, (write, options) in enumerate(examples):
            by_name[f"{form}{number}"] = [write], (form, options)
            if (form, number) in DOUBLED:
                writers = [partial(doubled, write)]
                by_name[f"{form}{number}_doubled"] = writers, (form, options)
    return by_name


READERS = readers()


def reader_of(name, folder):
    """Return the valid examples of a reader, [{path: content}], and its function."""
    writers, read = READERS[name]
    examples = []
    for number, write in enumerate(writers):
        example = folder / f"example{number}"
        example.mkdir()
        write(example)
        paths = sorted(path for path in example.rglob("*") if path.is_file())
        examples.append({str(p.relative_to(example)): p.read_bytes() for p in paths})
    if isinstance(read, tuple):
        form, options = read[0], formats.read_options(read[1])
        guess = Expected(options.layout or "coco", None, None, 2)
        sequence = read_sequences(list_sources(str(example), "")[0], guess, options)[0]
        layout = sequence.get("layout") or guess.layout
        expected = Expected(layout, sequence["keypoint"].shape[-1], None, 2)
        read = partial(read_clip, CONVERT.get(form, ()), options, expected)
    outcomes = []
    read(example, partial(attempt, outcomes))
    assert outcomes[0] is None, f"the valid file is rejected: {outcomes}"
    return examples, read


@st.composite
def corrupt_files(draw, examples, inside):
    """Return the files of an example, one of them corrupt."""
    files = dict(draw(st.sampled_from(examples)))
    other = next(iter(draw(st.sampled_from(examples)).values()))
    name = draw(st.sampled_from(list(files)))
    files[name] = corrupt(draw, name, files[name], other, inside)
    if name.startswith("s.packed/data") and draw(st.booleans()):
        # Update the sizes in the header, so that the reader opens the corrupt file.
        header = json.loads(files["s.packed/store.json"])
        header["bytes"][Path(name).name] = len(files[name])
        files["s.packed/store.json"] = json.dumps(header).encode()
    return files


def fuzz(name, cases, folder):
    """Read many corrupt files, two thirds of them corrupt within their format."""
    examples, read = reader_of(name, folder)
    counts = {"read": 0, "rejected": 0}

    def case(files):
        shutil.rmtree(folder / "case", ignore_errors=True)
        for path, content in files.items():
            (folder / "case" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "case" / path).write_bytes(content)
        outcomes = []
        watched(read, folder / "case", partial(attempt, outcomes))
        assert not Path(CANARY).exists(), "code in a file was executed"
        counts["rejected" if outcomes[0] else "read"] += 1

    for inside, number in ((True, cases * 2 // 3), (False, cases - cases * 2 // 3)):
        options = {"database": None, "deadline": None, "max_examples": number}
        options.update(suppress_health_check=list(HealthCheck))
        run = given(corrupt_files(examples, inside))(case)
        seed(SEED)(settings(**options)(run))()
    print(f"{name}, seed {SEED}: {counts}")
    assert counts["rejected"] >= cases / 10, "too few corrupt files are rejected"


def watched(function, *args):
    """Call a function, and kill the process if it hangs, even in C code."""
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=sys.stderr)
    function(*args)
    faulthandler.cancel_dump_traceback_later()


def limited(log, function, *args):
    """Call a function with limited memory; runs in a separate process."""
    import resource  # not available on Windows

    sys.stdout = sys.stderr = log.open(
        "w", buffering=1, encoding="utf-8", errors="replace"
    )
    faulthandler.enable(sys.stderr)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)  # output of C libraries
    warnings.simplefilter("ignore")
    used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    limit = used * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    function(*args)


def isolated(folder, function, *args):
    process = get_context("fork").Process(
        target=limited, args=(folder / "log.txt", function, *args)
    )
    process.start()
    process.join()
    lines = (
        (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    )
    text = "\n".join(line[:200] for line in lines[-60:])
    assert process.exitcode == 0, f"the process ended with {process.exitcode}:\n{text}"
    print(text)


@pytest.fixture(scope="module", autouse=True)
def loaded_hypothesis():
    """Run Hypothesis once, so that its lazy imports are not repeated in each process."""
    settings(database=None)(given(st.binary())(lambda content: None))()


def fuzz_isolated(name, cases, folder, monkeypatch):
    if name.startswith("udiva"):
        pytest.importorskip("h5py")
    monkeypatch.chdir(folder)
    isolated(folder, fuzz, name, cases, folder)


@pytest.mark.parametrize("name", READERS)
def test_few(name, tmp_path, monkeypatch):
    fuzz_isolated(name, 20, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many(name, tmp_path, monkeypatch):
    fuzz_isolated(name, CASES, tmp_path, monkeypatch)


def test_payload_is_executed_by_pickle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(b"\x80\x02" + PAYLOAD + b".")
    assert Path(CANARY).exists()


def hang():
    while True:
        pass


def raise_two_lines():
    with attempt([]):
        raise OSError("two\nlines")


@pytest.mark.parametrize(
    "failure", [hang, os.abort, raise_two_lines, partial(np.ones, 2**30), {}.popitem]
)
def test_failures_are_detected(failure, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 0.3)
    with pytest.raises(AssertionError, match="process ended"):
        isolated(tmp_path, watched, failure)
