"""What fuzzing found, each mended: the smallest file that did it."""

import io
import json
import pickle
import struct
import tarfile
import zipfile

import fuzz_mutations as mutations
import numpy as np
import pytest
import torch

from errors import raises
from msg3d.annotations.inspection import inspect_annotations
from msg3d.apis.exported import (
    load_exported,
)
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import (
    Expected,
)
from msg3d.datasets import (
    check_annotations,
    load_annotations,
)
from msg3d.errors import CheckpointError, DataError
from msg3d.evaluation import (
    labels_of,
    read_scores,
)
from msg3d.formats.base import ReadOptions
from msg3d.io.archives import read_files
from msg3d.io.npy import array_of_npy
from msg3d.stores.packing import pack
from msg3d.stores.store import load_store
from samples import annotations


def refused(kind, function, *args, error_type=DataError, **where):
    with raises(kind, error_type, **where) as error:
        function(*args)
    text = str(error.value)
    assert "\n" not in text and len(text) < 1000
    return text


def pickled(path, content):
    path.write_bytes(b"\x80\x02" + content + b".")
    return str(path)


def test_a_type_that_hides_its_objects(tmp_path):
    """Crashed: its eight bytes were followed as a pointer."""
    path = pickled(tmp_path / "a.pkl", mutations.LYING_FIELDS)
    refused("corrupt", load_annotations, path, file="a.pkl")
    # The same is a true array where the type says what it is.
    array = np.zeros(2, [("x", "f4"), ("y", "i8", (2,))])
    (tmp_path / "b.pkl").write_bytes(pickle.dumps([array]))
    (found,) = load_annotations(tmp_path / "b.pkl")
    assert found.dtype == array.dtype


def test_an_array_of_a_billion_objects(tmp_path):
    """Took 8 GB of a file of 150 bytes."""
    path = pickled(tmp_path / "a.pkl", mutations.LYING_OBJECTS)
    text = refused("corrupt", load_annotations, path, file="a.pkl")
    assert "1000000000" in text


@pytest.mark.parametrize(
    "content", [b"]r" + struct.pack("<I", 2**31), b"](K\x01p2147483648\ne"]
)
def test_an_object_of_a_large_number(tmp_path, content):
    """One changed byte took 32 GB, for a table of so many objects."""
    path = pickled(tmp_path / "a.pkl", content)
    for read in (load_annotations, read_scores):
        text = refused("too-large", read, path, file="a.pkl")
        assert "2147483648" in text


@pytest.mark.parametrize("protocol", range(6))
def test_honest_files_have_such_numbers_too(tmp_path, protocol):
    """Many objects, each memorised; and text of many lines."""
    data = [[f"{number}\n", [number], {}] for number in range(70_000)]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data, protocol))
    assert load_annotations(tmp_path / "a.pkl") == data


@pytest.mark.parametrize("field", ["label", "frame_dir", "total_frames"])
def test_text_without_end(tmp_path, field):
    """Hung: the text of lists that hold one list twice, sixty deep."""
    name = bytes([len(field)]) + field.encode()
    path = pickled(tmp_path / "a.pkl", b"](}U" + name + mutations.ENDLESS + b"se")
    data = load_annotations(path)
    if field != "frame_dir":
        data[0]["frame_dir"] = "a"
    with pytest.raises(DataError) as error:
        check_annotations(data)
    text = str(error.value)
    assert field in text and "\n" not in text and len(text) < 1000
    inspect_annotations(data)


def test_rows_and_labels_without_end(tmp_path):
    row = b"](}(U\x0apred_score" + mutations.ENDLESS + b"ue"
    refused("score", read_scores, pickled(tmp_path / "a", row), file="a", sample=0)
    label = b"](}(U\x0apred_scoreK\x01U\x08gt_label" + mutations.ENDLESS + b"ue"
    path = pickled(tmp_path / "a", label)
    refused("label", read_scores, path, file="a", field="gt_label")
    name = b"](" + mutations.ENDLESS + b"e](K\x01e\x86"
    refused("structure", labels_of, pickled(tmp_path / "a", name), file="a")


@pytest.mark.parametrize("data", [np.zeros(3), np.zeros(2, [("x", "f4")]), np.array(1)])
def test_scores_that_are_an_array(tmp_path, data):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data))
    for read in (read_scores, labels_of):
        text = refused("structure", read, str(tmp_path / "a.pkl"), file="a.pkl")
        assert "ndarray" in text


def test_sizes_in_a_zip(tmp_path):
    """Took as much as the table of members claimed."""
    np.savez(tmp_path / "a.npz", scores=np.ones((3, 2)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    table = content.index(b"PK\x01\x02")
    content[table + 20 : table + 28] = struct.pack("<II", 2**31, 2**31)
    (tmp_path / "a.npz").write_bytes(content)
    text = refused(
        "too-large", read_scores, tmp_path / "a.npz", file="a.npz", field="scores"
    )
    assert "2147483648" in text


@pytest.fixture
def store(tmp_path):
    pack({**annotations(), "meta": {}}, str(tmp_path / "s.packed"))
    return tmp_path / "s.packed"


def replace(store, name, content):
    """A file of the store, and its size in the header."""
    (store / "data.1" / name).write_bytes(content)
    header = json.loads((store / "store.json").read_text())
    header["bytes"][name] = len(content)
    (store / "store.json").write_text(json.dumps(header))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_more_axes_than_numpy_supports():
    file = io.BytesIO()
    header = dict(descr="<f4", fortran_order=False, shape=(1,) * 65)
    np.lib.format.write_array_header_1_0(file, header)
    with raises("corrupt", DataError):
        array_of_npy(file.getvalue() + bytes(4))


@pytest.mark.parametrize(
    "name, content",
    [
        ("splits.npy", b"garbage"),
        ("splits.npy", npy(np.arange(3))),
        ("splits.npy", npy(np.arange(12) + 5)),
        ("splits.npy", npy(np.arange(12)).replace(b"(12,)", b"(99999999999999,)", 1)),
        ("index.npy", b"\x93NUMPY\x01\x00\x76\x00{'a':" + b" " * 140),
        ("keypoint.npy", npy(np.zeros((9, 20)))),
        ("keypoint.npy", npy(np.zeros((9, 20, 3)))),
        ("fields.npy", npy(np.zeros(10**4, np.uint8))),
        ("meta.json", b"[]"),
        ("meta.json", b'"\xe9"'),
    ],
)
def test_damaged_files_of_a_store(store, name, content):
    replace(store, name, content)
    with pytest.raises(DataError) as error:
        load_store(store).unpack()
    text = str(error.value)
    assert "s.packed" in text and "\n" not in text and len(text) < 1000


@pytest.mark.parametrize("field", ["row", "persons", "frames", "text", "characters"])
@pytest.mark.parametrize("value", [-1, 2**30])
def test_an_index_of_rows_that_are_not_there(store, field, value):
    """Took the memory for as many rows as the index named."""
    index = np.load(store / "data.1" / "index.npy")
    index[field][3] = value
    replace(store, "index.npy", npy(index))
    with pytest.raises(DataError) as error:
        load_store(store)
    text = str(error.value)
    assert "s.packed" in text and "\n" not in text and len(text) < 1000


@pytest.mark.parametrize(
    "key, value",
    [
        ("splits", []),
        ("splits", {"train": "8"}),
        ("splits", {"train": -1, "val": 13}),
        ("bytes", {"../../x": 1}),
        ("data", 3),
        ("data", "../data.1"),
        ("id", "label"),
    ],
)
def test_a_header_of_anything(store, key, value):
    header = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps({**header, key: value}))
    with pytest.raises(DataError) as error:
        load_store(store)
    text = str(error.value)
    assert "s.packed" in text and "\n" not in text and len(text) < 1000


def test_no_archive_is_one_line(tmp_path):
    """tarfile's text has a line for each form that it tried."""
    (tmp_path / "raw.tar").write_bytes(b"no archive" * 90)
    read = read_files(str(tmp_path / "raw.tar"), ".json")
    refused("corrupt-archive", list, read, file="raw.tar")


def test_json_of_a_number_too_large(tmp_path):
    (tmp_path / "a.json").write_text(f"[[[[{10**400}]]]]")
    read = str(tmp_path / "a.json"), Expected("coco", 2, None, 2)
    with pytest.raises(DataError) as error:
        read_sequences(*read, ReadOptions())
    assert "keypoint" in str(error.value) and "\n" not in str(error.value)


def test_a_store_is_one_source(tmp_path):
    """Its .npy files were taken for sequences of their own."""
    data = annotations(channels=2, joints=17)
    pack(data, str(tmp_path / "s.packed"))
    sources = list_sources(str(tmp_path), "")
    assert sources == [str(tmp_path / "s.packed")] == list_sources(sources[0], "")
    expected = Expected("coco", 2, None, 2)
    found = read_sequences(sources[0], expected, ReadOptions(split="val"))
    assert [one["frame_dir"] for one in found] == data["split"]["val"]
    np.testing.assert_array_equal(
        found[0]["keypoint"], data["annotations"][8]["keypoint"]
    )


def test_a_tensor_of_one_number_a_billion_times(tmp_path):
    """Took 8 GB when it was made a float."""
    dump = [dict(pred_score=torch.zeros(1, dtype=torch.int64).expand(10**9))]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(dump))
    refused("too-large", read_scores, tmp_path / "a.pkl", file="a.pkl")


class Code:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return __import__("os").mkdir, (str(self.path),)


def program(path):
    network = torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),))
    torch.export.save(network, path)
    return path


@pytest.mark.parametrize("way", ["sample inputs", "an object"])
def test_an_exported_program_with_a_pickle_of_code(tmp_path, way):
    """torch.export.load executes either."""
    ran, file = tmp_path / "ran", io.BytesIO()
    torch.save(Code(ran), file)
    with zipfile.ZipFile(program(tmp_path / "good.pt2")) as good:
        with zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad:
            for one in good.namelist():
                content = good.read(one)
                if way == "sample inputs" and "sample_inputs" in one:
                    content = file.getvalue()
                bad.writestr(one, content)
            if way == "an object":
                bad.writestr(
                    "good/data/constants/opaque_obj_0", pickle.dumps(Code(ran))
                )
    with pytest.raises(CheckpointError) as error:
        load_exported(str(tmp_path / "bad.pt2"))
    text = str(error.value)
    assert "bad.pt2" in text and "\n" not in text and not ran.exists()


def test_annotations_that_are_no_list():
    for odd in (np.zeros(3), 0.5, {"a": 1}):
        found = inspect_annotations(dict(split={}, annotations=odd))
        assert "form" in {fault.kind for fault in found.faults}


def test_a_damaged_tar_in_a_folder_of_sequences(tmp_path):
    with tarfile.open(tmp_path / "raw.tar", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("a.json"))
    content = (tmp_path / "raw.tar").read_bytes()
    (tmp_path / "raw.tar").write_bytes(content[:40])
    read = read_files(str(tmp_path / "raw.tar"), ".json")
    refused("corrupt-archive", list, read, file="raw.tar")
