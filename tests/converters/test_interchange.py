"""Conversion of labeled data sets between the formats of different code bases."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import Expected
from msg3d.converters.interchange import OUTPUTS, convert_data_set
from msg3d.errors import ConfigError, MSG3DError
from msg3d.formats.base import ReadOptions, Source, read
from msg3d.stores import writer
from msg3d.stores.packing import load_any
from msg3d.stores.store import load_store
from msg3d.stores.writer import StoreWriter
from samples import annotations, same

FORMATS = {
    ".pkl": "back.pkl",
    ".packed": "mine.packed",
    ".npz": "mine.npz",
    ".npy": "train_data_joint.npy",
    ".csv": "mine.csv",
}


def written(tmp_path, layout="kinect20", **options):
    """Write an annotation file, and return its path and content."""
    data = annotations(**options)
    data["meta"] = {"classes": ["a", "b", "c", "d"], "layout": layout}
    save_annotations(data, tmp_path / "mine.pkl")
    return str(tmp_path / "mine.pkl"), load_annotations(tmp_path / "mine.pkl")


@pytest.mark.parametrize("suffix", OUTPUTS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"persons": 2},
        {"joints": 17, "channels": 2, "layout": "coco"},
        {"joints": 13, "channels": 2, "persons": 2, "layout": "penn13"},
    ],
    ids=["3d", "two persons", "2d", "2d, two persons"],
)
def test_round_trip_is_exact(tmp_path, suffix, options):
    source, data = written(tmp_path, **options)
    out = str(tmp_path / FORMATS[suffix])
    there = convert_data_set(source, out)
    layout = data["meta"]["layout"] if suffix == ".npy" else None
    convert_data_set(out, tmp_path / "again.pkl", ReadOptions(layout=layout))
    back = load_annotations(tmp_path / "again.pkl")
    assert there.samples == len(data["annotations"])
    assert {k: sorted(v) for k, v in back["split"].items()} == {
        k: sorted(v) for k, v in data["split"].items()
    }
    samples = {sample["frame_dir"]: sample for sample in back["annotations"]}
    for sample in data["annotations"]:
        actual = samples[sample["frame_dir"]]
        lost = {key for key in sample if f"field {key!r}" in there.lost}
        for key in sample.keys() - lost:
            assert same(actual[key], sample[key]), key
    if suffix != ".npy":
        assert back["meta"]["classes"] == data["meta"]["classes"]
        assert back["meta"]["layout"] == data["meta"]["layout"]


def test_what_cannot_be_stored_is_listed(tmp_path):
    data = annotations()
    data["annotations"][0]["remark"] = "first"
    data["split"]["other"] = data["split"]["train"][:2]
    data["meta"] = {"view": {}, "layout": "kinect20"}
    save_annotations(data, tmp_path / "mine.pkl")
    for name in ("mine.npz", "train_data.npy"):
        result = convert_data_set(tmp_path / "mine.pkl", tmp_path / name)
        assert {"field 'remark'", "split 'other'"} <= set(result.lost)
    assert "view of the data set" in result.lost
    assert not convert_data_set(tmp_path / "mine.pkl", tmp_path / "mine.packed").lost


def ctrgcn_file(path, samples, frames=30, persons=2):
    """Write a file as CTR-GCN's seq_transformation.py does: zero-padded, one-hot."""
    arrays = {}
    for part, chosen in (("train", samples[::2]), ("test", samples[1::2])):
        x = np.zeros((len(chosen), frames, persons * 75), np.float32)
        y = np.zeros((len(chosen), 60))
        for row, (keypoint, label) in enumerate(chosen):
            flat = keypoint.transpose(1, 0, 2, 3).reshape(keypoint.shape[1], -1)
            x[row, : len(flat), : flat.shape[1]] = flat
            y[row, label] = 1
        arrays |= {f"x_{part}": x, f"y_{part}": y}
    np.savez(path, **arrays)


def ntu_samples(count=6):
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(1 + n % 2, 5 + n, 25, 3)).astype(np.float32), 7 * n)
        for n in range(count)
    ]


def test_file_of_ctrgcn(tmp_path):
    samples = ntu_samples()
    ctrgcn_file(tmp_path / "NTU60_CS.npz", samples)
    result = convert_data_set(tmp_path / "NTU60_CS.npz", tmp_path / "ntu.packed")
    assert result.splits == {"xsub_train": 3, "xsub_val": 3}
    store = load_store(tmp_path / "ntu.packed")
    for number, (keypoint, label) in enumerate(samples[::2] + samples[1::2]):
        assert same(store[number]["keypoint"], keypoint)
        assert store[number]["label"] == label
    assert store.rest()["meta"]["layout"] == "nturgb+d"


def test_prediction_reads_what_training_reads(tmp_path):
    ctrgcn_file(tmp_path / "NTU60_CV.npz", ntu_samples())
    sequences = read(
        Source(str(tmp_path / "NTU60_CV.npz")), ReadOptions(split="xview_val")
    )
    convert_data_set(tmp_path / "NTU60_CV.npz", tmp_path / "ntu.pkl")
    data = load_annotations(tmp_path / "ntu.pkl")
    samples = {sample["frame_dir"]: sample for sample in data["annotations"]}
    assert [v["frame_dir"] for v in sequences] == data["split"]["xview_val"]
    for sequence in sequences:
        assert same(sequence["keypoint"], samples[sequence["frame_dir"]]["keypoint"])
        assert sequence["layout"] == "nturgb+d"


def stgcn_files(folder, samples, frames=40, repeat=False):
    """Write arrays as the preprocessing of ST-GCN (or of 2s-AGCN: `repeat`) does."""
    folder.mkdir()
    for part, chosen in (("train", samples[::2]), ("val", samples[1::2])):
        array = np.zeros((len(chosen), 3, frames, 25, 2), np.float32)
        for row, (keypoint, _) in enumerate(chosen):
            if repeat:
                times = -(-frames // keypoint.shape[1])
                keypoint = np.tile(keypoint, (1, times, 1, 1))[:, :frames]
            moved = keypoint.transpose(3, 1, 2, 0)
            array[row, :, : moved.shape[1], :, : moved.shape[3]] = moved
        np.save(folder / f"{part}_data_joint.npy", array)
        names = [f"S001C001P001R001A{label:03d}.skeleton" for _, label in chosen]
        with (folder / f"{part}_label.pkl").open("wb") as file:
            pickle.dump((names, [label for _, label in chosen]), file)


@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_files_of_stgcn_and_2s_agcn(tmp_path, repeat, whole):
    samples = ntu_samples()
    stgcn_files(tmp_path / "xview", samples, repeat=repeat)
    path = tmp_path / "xview" / ("" if whole else "train_data_joint.npy")
    result = convert_data_set(path, tmp_path / "ntu.packed")
    assert result.splits == {"xview_train": 3, "xview_val": 3}
    store = load_store(tmp_path / "ntu.packed")
    for number, (keypoint, label) in enumerate(samples[::2] + samples[1::2]):
        assert same(store[number]["keypoint"], keypoint)
        assert store[number]["frame_dir"] == f"S001C001P001R001A{label:03d}"


def test_prediction_reads_each_array_once(tmp_path):
    stgcn_files(tmp_path / "xsub", ntu_samples())
    expected = Expected("nturgb+d", 3, None, 2)
    sources = list_sources(str(tmp_path / "xsub"), exclude="")
    assert [Path(path).name for path in sources] == [
        "train_data_joint.npy",
        "val_data_joint.npy",
    ]
    names = [v["frame_dir"] for path in sources for v in read_sequences(path, expected)]
    assert len(names) == len(set(names)) == 6


def test_kinetics_of_stgcn_is_moved_to_the_corner(tmp_path):
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 3, 9, 18, 2)).astype(np.float32)
    x[:, 2] = abs(x[:, 2])
    x[0, :, 3, 4, 0] = 0  # absent
    np.save(tmp_path / "train_data.npy", x)
    with (tmp_path / "train_label.pkl").open("wb") as file:
        pickle.dump((["a", "b"], [3, 1]), file)
    convert_data_set(tmp_path / "train_data.npy", tmp_path / "kinetics.pkl")
    sample = load_annotations(tmp_path / "kinetics.pkl")["annotations"][0]
    expected = x[0, :2].transpose(3, 1, 2, 0) + np.float32(0.5)
    expected[0, 3, 4] = 0
    assert same(sample["keypoint"], expected)
    assert same(sample["keypoint_score"], x[0, 2].transpose(2, 0, 1))
    assert sample["img_shape"] == (1, 1)


def sample_pickles(folder, **extra):
    """Write one pickle per sample, as the pose extraction of MMAction2 does."""
    data = annotations(joints=17, channels=2)
    for sample in data["annotations"]:
        name = sample["frame_dir"]
        side = "train" if name in data["split"]["train"] else "val"
        path = folder / side / f"{name}.pkl"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(pickle.dumps({**sample, "img_shape": (480, 640), **extra}))
    return data


def test_folder_of_pickles_with_labels(tmp_path):
    data = sample_pickles(tmp_path / "poses")
    options = ReadOptions(layout="coco")
    result = convert_data_set(tmp_path / "poses", tmp_path / "mine.pkl", options)
    gathered = load_annotations(tmp_path / "mine.pkl")
    assert result.samples == len(data["annotations"])
    samples = {v["frame_dir"].split("/")[1]: v for v in gathered["annotations"]}
    for sample in data["annotations"]:
        actual = samples[sample["frame_dir"]]
        assert actual["label"] == sample["label"]
        assert same(actual["keypoint"], sample["keypoint"])
        assert same(actual["keypoint_score"], sample["keypoint_score"])
    assert len(gathered["split"]["train"]) == len(data["split"]["train"])


def test_folder_of_pickles_with_a_pattern(tmp_path):
    sample_pickles(tmp_path / "poses", label=-1)
    convert_data_set(
        tmp_path / "poses",
        tmp_path / "mine.npz",
        ReadOptions(layout="coco"),
        label_pattern=r"sample\d\d(\d)",
    )
    back = read(Source(str(tmp_path / "mine.npz")))
    for sample in back:
        assert sample["label"] == int(sample["frame_dir"][-1])


def test_folder_of_nw_ucla_has_its_splits(tmp_path):
    rng = np.random.default_rng(0)
    for subject, view in ((1, 1), (1, 2), (2, 1), (2, 3)):
        name = f"a01_s{subject:02d}_e00_v{view:02d}"
        skeletons = rng.normal(size=(5, 20, 3)).tolist()
        content = {"file_name": name, "skeletons": skeletons, "label": 1}
        path = tmp_path / "all_sqe" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    splits = convert_data_set(tmp_path / "all_sqe", tmp_path / "a.pkl").splits
    assert (splits["xview_train"], splits["xview_val"]) == (3, 1)
    assert (splits["xsub_train"], splits["xsub_val"]) == (2, 2)


@pytest.mark.parametrize("suffix", [".c3d", ".trc", ".mat"])
def test_unsupported_format_names_a_tool(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_bytes(b"x")
    with raises("unknown-format") as caught:
        convert_data_set(tmp_path / f"a{suffix}", tmp_path / "a.pkl")
    assert ".npy" in str(caught.value)


def test_list_of_labels_replaces_those_of_a_file(tmp_path):
    data = annotations()
    names = [sample["frame_dir"] for sample in data["annotations"]]
    for sample in data["annotations"]:
        sample["label"] = 0
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(data["annotations"]))
    rows = [
        f"{name},{'even' if n % 2 else 'odd'},train" for n, name in enumerate(names)
    ]
    rows[-1] = rows[-1].replace("train", "val")
    (tmp_path / "list.csv").write_text("\n".join(["file,label,split", *rows]))
    options = ReadOptions(labels=str(tmp_path / "list.csv"))
    convert_data_set(tmp_path / "plain.pkl", tmp_path / "mine.pkl", options)
    back = load_annotations(tmp_path / "mine.pkl")
    assert back["meta"]["classes"] == ["even", "odd"]
    assert [v["label"] for v in back["annotations"]] == [1, 0] * 6
    assert back["split"] == {"train": names[:-1], "val": names[-1:]}


def test_file_without_splits(tmp_path):
    data = annotations()
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(data["annotations"]))
    with raises("split"):
        convert_data_set(tmp_path / "plain.pkl", tmp_path / "mine.npz")
    convert_data_set(tmp_path / "plain.pkl", tmp_path / "mine.npz", val_fraction=0.25)
    sizes = convert_data_set(tmp_path / "mine.npz", tmp_path / "mine.pkl").splits
    assert sizes == {"train": 8, "val": 4}


@pytest.mark.parametrize("field", ["keypoint", "index", "fields"])
def test_interruption_within_a_sample(tmp_path, monkeypatch, field):
    source, data = written(tmp_path)
    monkeypatch.setattr(writer, "SAVE_EVERY", 1)
    append, count = StoreWriter._append, 0

    def interrupted(self, name, rows, sample):
        nonlocal count
        append(self, name, rows, sample)
        count += name == field
        if count == 4:
            raise KeyboardInterrupt

    out = tmp_path / "mine.packed"
    monkeypatch.setattr(StoreWriter, "_append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert_data_set(source, out)
    monkeypatch.setattr(StoreWriter, "_append", append)
    # The command resumes although the path exists.
    assert msg3d_command("convert", source, out) == 0
    for sample, expected in zip(
        load_any(out)["annotations"], data["annotations"], strict=True
    ):
        assert same(sample["keypoint"], expected["keypoint"])
        assert sample["label"] == expected["label"]


def interrupt_sixth(monkeypatch, source, out, options=None):
    """Convert a data set, and interrupt the conversion at the sixth sample."""
    add, count = StoreWriter.add, 0

    def interrupted(self, sample):
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        add(self, sample)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            convert_data_set(source, out, options)


@pytest.mark.parametrize("changed", ["labels", "store"])
def test_changed_input_does_not_resume(tmp_path, monkeypatch, changed):
    monkeypatch.setattr(writer, "SAVE_EVERY", 1)
    source, data = written(tmp_path)
    rows = [f"{v['frame_dir']},{{}},train" for v in data["annotations"]]
    rows[-1] = rows[-1].replace("train", "val")
    table = tmp_path / "list.csv"
    table.write_text("\n".join(["file,label,split", *rows]).format(*"ab" * 6))
    options = ReadOptions(labels=str(table) if changed == "labels" else None)
    if changed == "store":
        convert_data_set(source, tmp_path / "in.packed")
        source = str(tmp_path / "in.packed")
    interrupt_sixth(monkeypatch, source, tmp_path / "out.packed", options)
    if changed == "labels":
        table.write_text("\n".join(["file,label,split", *rows]).format(*"ba" * 6))
    else:
        for sample in data["annotations"]:
            sample["label"] = 3 - sample["label"]
        save_annotations(data, tmp_path / "other.pkl")
        convert_data_set(tmp_path / "other.pkl", tmp_path / "in.packed")
    convert_data_set(source, tmp_path / "out.packed", options)
    labels = [v["label"] for v in load_any(tmp_path / "out.packed")["annotations"]]
    assert labels == ([1, 0] * 6 if changed == "labels" else [3, 2, 1, 0] * 3)
    assert len(list((tmp_path / "out.packed").glob("data.*"))) == 1


def test_no_file_is_overwritten(tmp_path, capsys):
    source, _ = written(tmp_path)
    (tmp_path / "val_label.pkl").write_bytes(b"mine")
    assert msg3d_command("convert", source, tmp_path / "train_data.npy") == 1
    assert "val_label.pkl" in capsys.readouterr().err
    assert (tmp_path / "val_label.pkl").read_bytes() == b"mine"


def test_ids_with_dots_and_classes_in_order(tmp_path):
    data = annotations()
    for number, sample in enumerate(data["annotations"]):
        sample["frame_dir"] = f"v,{number % 2}.{number}"
    names = [sample["frame_dir"] for sample in data["annotations"]]
    data["split"] = {"train": names[:8], "val": names[8:]}
    data["meta"] = {"classes": ["walk", "10", "jump", "a"], "layout": "kinect20"}
    save_annotations(data, tmp_path / "mine.pkl")
    for name in ("mine.csv", "train_data.npy"):
        convert_data_set(tmp_path / "mine.pkl", tmp_path / name)
        convert_data_set(tmp_path / name, tmp_path / "back.pkl")
        back = load_annotations(tmp_path / "back.pkl")
        assert {v["frame_dir"]: v["label"] for v in back["annotations"]} == {
            v["frame_dir"]: v["label"] for v in data["annotations"]
        }
        if name == "mine.csv":
            assert back["meta"]["classes"] == data["meta"]["classes"]


def test_persons_that_repeat_separately(tmp_path):
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(n, 25, 3)).astype(np.float32) for n in (8, 6))
    array = np.stack([np.tile(v, (7, 1, 1))[:40] for v in (first, second)])
    np.save(tmp_path / "train_data.npy", array.transpose(3, 1, 2, 0)[None])
    (tmp_path / "train_label.pkl").write_bytes(pickle.dumps((["a"], [0])))
    [sample] = read(Source(str(tmp_path / "train_data.npy")))
    assert same(sample["keypoint"][0], first)
    assert same(sample["keypoint"][1, :6], second)
    assert not sample["keypoint"][1, 6:].any()


def damaged(change):
    data = annotations(joints=17, channels=2)
    change(data["annotations"])
    return data


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda v: v[3].pop("keypoint_score"), None),
        (lambda v: v[3].update(keypoint=v[3]["keypoint"][0]), None),
        (lambda v: v[3].pop("keypoint"), "keypoint-missing"),
        (lambda v: v[3].update(label=[1, 2]), "label"),
        (lambda v: v[3]["keypoint"].fill(np.nan), "keypoint-not-finite"),
    ],
    ids=["no scores", "three axes", "no keypoint", "several labels", "nan"],
)
def test_invalid_samples(tmp_path, suffix, change, kind):
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps(damaged(change)))
    with pytest.raises(MSG3DError) as caught:
        convert_data_set(tmp_path / "mine.pkl", tmp_path / FORMATS[suffix])
    assert kind in (None, caught.value.kind)
    assert not (tmp_path / FORMATS[suffix]).exists()


@pytest.mark.parametrize(
    "options",
    [
        {"label_pattern": "a"},
        {"val_fraction": 0.5},
        {"splits": ("train", None)},
        {"options": ReadOptions(unit="mm")},
        {"options": ReadOptions(img_shape=(2, 2))},
    ],
)
def test_options_that_have_no_effect_are_rejected(tmp_path, options):
    source, _ = written(tmp_path)
    with raises("option", ConfigError):
        convert_data_set(source, tmp_path / "a.packed", **options)


def test_incomplete_list_is_rejected(tmp_path):
    source, data = written(tmp_path)
    name = data["annotations"][0]["frame_dir"]
    (tmp_path / "list.csv").write_text(f"file,label,split\n{name},a,train\n")
    with raises("samples-differ"):
        convert_data_set(
            source, tmp_path / "a.pkl", ReadOptions(labels=str(tmp_path / "list.csv"))
        )


def test_sample_in_two_splits_is_rejected(tmp_path):
    data = annotations()
    data["split"]["val"].append(data["split"]["train"][0])
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps(data))
    with raises("split"):
        convert_data_set(tmp_path / "mine.pkl", tmp_path / "mine.npz")


def test_interrupted_store_is_resumed(tmp_path, monkeypatch):
    source, data = written(tmp_path)
    monkeypatch.setattr(writer, "SAVE_EVERY", 2)
    out = tmp_path / "mine.packed"
    interrupt_sixth(monkeypatch, source, out)
    assert not (out / "store.json").exists()
    add, added = StoreWriter.add, []
    monkeypatch.setattr(
        StoreWriter, "add", lambda self, v: added.append(v["frame_dir"]) or add(self, v)
    )
    convert_data_set(source, out)
    assert len(added) == len(data["annotations"]) - 4
    convert_data_set(source, tmp_path / "whole.packed")
    for name in ("keypoint.npy", "index.npy", "fields.npy", "splits.npy", "meta.json"):
        resumed, whole = (
            next(Path(tmp_path, store).glob(f"data.*/{name}")).read_bytes()
            for store in ("mine.packed", "whole.packed")
        )
        assert resumed == whole, name
    assert not list(out.glob("data.*/unfinished.json"))


def interrupted_store(path, sample, resume):
    with StoreWriter(path, resume=resume) as unfinished:
        unfinished.add(sample)
        raise KeyboardInterrupt


def test_other_source_does_not_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SAVE_EVERY", 1)
    samples = annotations()["annotations"]
    with pytest.raises(KeyboardInterrupt):
        interrupted_store(tmp_path / "a", samples[0], "x")
    with StoreWriter(tmp_path / "a", resume="y") as other:
        assert other.samples == 0
        other.add(samples[1])
    [sample] = load_any(tmp_path / "a")
    assert sample["frame_dir"] == samples[1]["frame_dir"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda x: x.pop("y_test"), "structure"),
        (lambda x: x.update(y_train=np.ones((3, 60))), "label"),
        (lambda x: x.update(y_train=np.ones((2, 60))), "label"),
        (lambda x: x.update(x_test=np.zeros((3, 30, 60), np.float32)), "shape"),
        (lambda x: x.update(x_train=np.zeros((3, 30), np.float32)), "shape"),
        (lambda x: x.update(x_train=np.array([None] * 3)), "shape"),
    ],
)
def test_invalid_files_of_ctrgcn(tmp_path, change, kind):
    ctrgcn_file(tmp_path / "a.npz", ntu_samples())
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    change(arrays)
    np.savez(tmp_path / "b.npz", **arrays)
    with raises(kind):
        convert_data_set(tmp_path / "b.npz", tmp_path / "c.pkl")


def test_truncated_files(tmp_path):
    ctrgcn_file(tmp_path / "a.npz", ntu_samples())
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(content[: len(content) // 2])
    with raises("corrupt"):
        convert_data_set(tmp_path / "b.npz", tmp_path / "c.pkl")
    stgcn_files(tmp_path / "xsub", ntu_samples())
    (tmp_path / "xsub/val_label.pkl").unlink()
    with raises("not-found"):
        convert_data_set(tmp_path / "xsub", tmp_path / "c.pkl")


def test_large_pickle_is_rejected(tmp_path, monkeypatch):
    source, _ = written(tmp_path)
    monkeypatch.setattr("msg3d.converters.interchange.MAX_PICKLE", 1000)
    with raises("too-large"):
        convert_data_set(source, tmp_path / "big.pkl")


def test_command(tmp_path, capsys):
    source, _ = written(tmp_path)
    out = tmp_path / "mine.npz"
    assert msg3d_command("convert", source, out) == 0
    assert "samples: 12" in capsys.readouterr().out
    assert msg3d_command("convert", source, out) == 1
    assert msg3d_command("convert", source, out, "--overwrite") == 0
    assert msg3d_command("convert", source, tmp_path / "mine.xyz") == 1
    with raises("file-name", ConfigError):
        convert_data_set(source, tmp_path / "mine.xyz")


def test_real_data(tmp_path, shared):
    source = shared / "data" / "sbu.pkl"
    splits = ("fold1_train", "fold1_val")
    convert_data_set(source, tmp_path / "sbu.npz", splits=splits)
    convert_data_set(tmp_path / "sbu.npz", tmp_path / "sbu.pkl")
    data, back = (load_annotations(path) for path in (source, tmp_path / "sbu.pkl"))
    samples = {sample["frame_dir"]: sample for sample in back["annotations"]}
    assert len(samples) == len(data["annotations"])
    for sample in data["annotations"]:
        assert same(samples[sample["frame_dir"]]["keypoint"], sample["keypoint"])
