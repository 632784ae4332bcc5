"""Regression tests for bugs that fuzzing found, with minimal files."""

import io
import json
import pickle
import struct
import tarfile
import zipfile

import hostile_pickles as hostile
import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from errors import raises
from msg3d.annotations.inspection import inspect_annotations
from msg3d.apis.exported import load_exported
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import Expected
from msg3d.datasets import check_annotations, load_annotations
from msg3d.errors import CheckpointError, DataError
from msg3d.evaluation import labels_of, read_scores
from msg3d.formats.base import ReadOptions
from msg3d.io.archives import read_files
from msg3d.io.npy import read_npy_array
from msg3d.stores.packing import pack
from msg3d.stores.store import load_store
from samples import annotations

COCO = Expected("coco", 2, None, 2)


def error_text(kind, function, *args, error_type=DataError, **where):
    with raises(kind, error_type, **where) as error:
        function(*args)
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 1000
    return text


def write_pickle(path, content):
    path.write_bytes(b"\x80\x02" + content + b".")
    return str(path)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_dtype_that_hides_objects(tmp_path):
    """Python interpreted the eight bytes as a pointer and crashed."""
    path = write_pickle(tmp_path / "a.pkl", hostile.FALSE_FIELDS)
    error_text("corrupt", load_annotations, path, file="a.pkl")
    # Structured types without objects are allowed.
    array = np.zeros(2, [("x", "f4"), ("y", "i8", (2,))])
    (tmp_path / "b.pkl").write_bytes(pickle.dumps([array]))
    assert load_annotations(tmp_path / "b.pkl")[0].dtype == array.dtype


def test_array_of_a_billion_objects(tmp_path):
    """A file of 150 bytes allocated 8 GB."""
    path = write_pickle(tmp_path / "a.pkl", hostile.FALSE_OBJECTS)
    assert "1000000000" in error_text("corrupt", load_annotations, path, file="a.pkl")


@pytest.mark.parametrize(
    "content", [b"]r" + struct.pack("<I", 2**31), b"](K\x01p2147483648\ne"]
)
def test_large_memo_index(tmp_path, content):
    """One changed byte allocated 32 GB for the memo table."""
    path = write_pickle(tmp_path / "a.pkl", content)
    for read in (load_annotations, read_scores):
        assert "2147483648" in error_text("too-large", read, path, file="a.pkl")


@pytest.mark.parametrize("protocol", range(6))
def test_memo_of_a_large_file(tmp_path, protocol):
    data = [[f"{number}\n", [number], {}] for number in range(70_000)]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data, protocol))
    assert load_annotations(tmp_path / "a.pkl") == data


@pytest.mark.parametrize("field", ["label", "frame_dir", "total_frames"])
def test_exponentially_large_field(tmp_path, field):
    """Formatting lists that contain the same list twice, 60 levels deep, hung."""
    name = bytes([len(field)]) + field.encode()
    path = write_pickle(tmp_path / "a.pkl", b"](}U" + name + hostile.ENDLESS + b"se")
    data = load_annotations(path)
    if field != "frame_dir":
        data[0]["frame_dir"] = "a"
    with pytest.raises(DataError) as error:
        check_annotations(data)
    text = str(error.value)
    assert field in text
    assert "\n" not in text
    assert len(text) < 1000
    inspect_annotations(data)


def test_exponentially_large_scores_and_labels(tmp_path):
    row = b"](}(U\x0apred_score" + hostile.ENDLESS + b"ue"
    error_text(
        "score", read_scores, write_pickle(tmp_path / "a", row), file="a", sample=0
    )
    label = b"](}(U\x0apred_scoreK\x01U\x08gt_label" + hostile.ENDLESS + b"ue"
    path = write_pickle(tmp_path / "a", label)
    error_text("label", read_scores, path, file="a", field="gt_label")
    name = b"](" + hostile.ENDLESS + b"e](K\x01e\x86"
    error_text("structure", labels_of, write_pickle(tmp_path / "a", name), file="a")


@pytest.mark.parametrize("data", [np.zeros(3), np.zeros(2, [("x", "f4")]), np.array(1)])
def test_array_instead_of_scores(tmp_path, data):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(data))
    for read in (read_scores, labels_of):
        path = str(tmp_path / "a.pkl")
        assert "ndarray" in error_text("structure", read, path, file="a.pkl")


def test_expanded_tensor(tmp_path):
    """Converting it to floats allocated 8 GB."""
    dump = [{"pred_score": torch.zeros(1, dtype=torch.int64).expand(10**9)}]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(dump))
    error_text("too-large", read_scores, tmp_path / "a.pkl", file="a.pkl")


def test_false_sizes_in_a_zip(tmp_path):
    """The reader allocated the claimed size."""
    path = tmp_path / "a.npz"
    np.savez(path, scores=np.ones((3, 2)))
    content = bytearray(path.read_bytes())
    table = content.index(b"PK\x01\x02")
    content[table + 20 : table + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(content)
    text = error_text("too-large", read_scores, path, file="a.npz", field="scores")
    assert "2147483648" in text


def test_multi_part_zip(tmp_path):
    """Detecting the file type raised BadZipFile."""
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 7)
    end = b"PK\x05\x06" + bytes(18)
    (tmp_path / "a.pth").write_bytes(b"PK\x03\x04" + bytes(99) + locator + end)
    read = CheckpointLoader.load_checkpoint, str(tmp_path / "a.pth"), "cpu", "silent"
    error_text("truncated", *read, error_type=CheckpointError, file="a.pth")


def test_false_text_length_in_a_checkpoint(tmp_path):
    """Loading with MMEngine allocated the claimed 4 GB."""
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=False)
    text = b"X\x10\x00\x00\x00protocol_version"
    content = path.read_bytes()
    assert text in content
    path.write_bytes(content.replace(text, b"X\xff\xff\xff\xffprotocol_version"))
    read = CheckpointLoader.load_checkpoint, str(path), "cpu", "silent"
    error_text("truncated", *read, error_type=CheckpointError, file="a.pth")


@pytest.fixture
def store(tmp_path):
    pack({**annotations(), "meta": {}}, str(tmp_path / "s.packed"))
    return tmp_path / "s.packed"


def change_header(store, **changes):
    header = json.loads((store / "store.json").read_text(encoding="utf-8"))
    (store / "store.json").write_text(
        json.dumps({**header, **changes}), encoding="utf-8"
    )


def change_file(store, name, content):
    (store / "data.1" / name).write_bytes(content)
    sizes = json.loads((store / "store.json").read_text(encoding="utf-8"))["bytes"]
    change_header(store, bytes={**sizes, name: len(content)})


def check_store_error(store):
    with pytest.raises(DataError) as error:
        load_store(store).unpack()
    text = str(error.value)
    assert "s.packed" in text
    assert "\n" not in text
    assert len(text) < 1000


@pytest.mark.parametrize(
    ("name", "content"),
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
def test_corrupt_file_of_a_store(store, name, content):
    change_file(store, name, content)
    check_store_error(store)


@pytest.mark.parametrize("field", ["row", "persons", "frames", "text", "characters"])
@pytest.mark.parametrize("value", [-1, 2**30])
def test_index_refers_to_missing_rows(store, field, value):
    """The reader allocated memory for all rows in the index."""
    index = np.load(store / "data.1" / "index.npy")
    index[field][3] = value
    change_file(store, "index.npy", npy(index))
    check_store_error(store)


@pytest.mark.parametrize(
    ("key", "value"),
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
def test_corrupt_header_of_a_store(store, key, value):
    change_header(store, **{key: value})
    check_store_error(store)


def test_store_is_a_single_source(tmp_path):
    """The .npy files of the store were read as sequences."""
    data = annotations(channels=2, joints=17)
    pack(data, str(tmp_path / "s.packed"))
    (source,) = list_sources(str(tmp_path), "")
    assert [source] == [str(tmp_path / "s.packed")] == list_sources(source, "")
    sequences = read_sequences(source, COCO, ReadOptions(split="val"))
    ids = [sequence["frame_dir"] for sequence in sequences]
    assert ids == data["split"]["val"]
    expected = data["annotations"][8]["keypoint"]
    np.testing.assert_array_equal(sequences[0]["keypoint"], expected)


def test_more_axes_than_numpy_supports():
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (1,) * 65}
    np.lib.format.write_array_header_1_0(file, header)
    error_text("corrupt", read_npy_array, file.getvalue() + bytes(4))


def test_corrupt_tar(tmp_path):
    """The error message of tarfile has one line per compression format."""
    path = tmp_path / "raw.tar"
    with tarfile.open(path, "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("a.json"))
    for content in (b"no archive" * 90, path.read_bytes()[:40]):
        path.write_bytes(content)
        read = read_files(str(path), ".json")
        error_text("corrupt-archive", list, read, file="raw.tar")


def test_huge_number_in_json(tmp_path):
    (tmp_path / "a.json").write_text(f"[[[[{10**400}]]]]", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_sequences(str(tmp_path / "a.json"), COCO, ReadOptions())
    assert "keypoint" in str(error.value)
    assert "\n" not in str(error.value)


class Code:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return __import__("os").mkdir, (str(self.path),)


@pytest.mark.parametrize("member", ["sample inputs", "opaque object"])
def test_exported_program_with_a_pickle_of_code(tmp_path, member):
    """torch.export.load executes the code in both members."""
    executed, file = tmp_path / "executed", io.BytesIO()
    torch.save(Code(executed), file)
    network = torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),))
    torch.export.save(network, tmp_path / "good.pt2")
    with (
        zipfile.ZipFile(tmp_path / "good.pt2") as good,
        zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad,
    ):
        for name in good.namelist():
            replace = member == "sample inputs" and "sample_inputs" in name
            bad.writestr(name, file.getvalue() if replace else good.read(name))
        if member == "opaque object":
            name = "good/data/constants/opaque_obj_0"
            bad.writestr(name, pickle.dumps(Code(executed)))
    with pytest.raises(CheckpointError) as error:
        load_exported(str(tmp_path / "bad.pt2"))
    text = str(error.value)
    assert "bad.pt2" in text
    assert "\n" not in text
    assert not executed.exists()


@pytest.mark.parametrize("data", [np.zeros(3), 0.5, {"a": 1}])
def test_annotations_of_wrong_type(data):
    faults = inspect_annotations({"split": {}, "annotations": data}).faults
    assert "form" in {fault.kind for fault in faults}


def test_array_instead_of_layout(tmp_path):
    """Comparing it with the names of layouts raised ValueError."""
    data = annotations(channels=2, joints=17, samples=3)
    (tmp_path / "a.pkl").write_bytes(
        pickle.dumps({**data, "meta": {"layout": np.ones(2)}})
    )
    assert len(read_sequences(str(tmp_path / "a.pkl"), COCO, ReadOptions())) == 3
