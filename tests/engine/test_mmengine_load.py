"""`mmengine.load` reads files as plain data, also when called by MMAction2."""

import pickle
import sys
import zipfile
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmaction.datasets import PoseDataset

import msg3d
from errors import raises
from in_process import command
from msg3d.checkpoints import convert_checkpoint, rewrite
from msg3d.datasets import save_annotations
from msg3d.errors import CheckpointError, PickleError
from samples import annotations
from samples_of_compat import Malice

TOOLS = Path(msg3d.__file__).parent / ".mim" / "tools"
CONFIG = "test_dataloader = dict(dataset=dict(type='PoseDataset'))\n"


def dump_of_test(rows=((0.7, 0.3), (0.4, 0.6), (0.9, 0.1)), labels=(0, 1, 1)):
    """Return scores as dumped by `mim test ... --dump`: views of batch tensors."""
    scores = torch.tensor(rows)
    return [
        {
            "pred_score": row,
            "gt_label": torch.tensor([label]),
            "frame_dir": f"s{number}",
        }
        for number, (row, label) in enumerate(zip(scores, labels, strict=True))
    ]


def npz(path, samples):
    np.savez(
        path,
        ids=[sample["frame_dir"] for sample in samples],
        scores=np.stack([sample["pred_score"].numpy() for sample in samples]),
        labels=[int(sample["gt_label"]) for sample in samples],
    )


def evil(path):
    path.write_bytes(pickle.dumps([{"pred_score": Malice(path.parent / "ran")}]))
    return path


def test_tensors_and_arrays_round_trip(tmp_path):
    data = {
        "dump": dump_of_test(),
        "half": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T,
        "labels": torch.tensor([3]),
        "arrays": [np.arange(6).reshape(2, 3), np.float32(2), np.array(["a", "b"])],
        "text": "wave",
    }
    for protocol in (2, 4):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(data, protocol=protocol))
        loaded = mmengine.load(tmp_path / "a.pkl")
        for sample, expected in zip(loaded["dump"], data["dump"], strict=True):
            assert torch.equal(sample["pred_score"], expected["pred_score"])
            assert sample["frame_dir"] == expected["frame_dir"]
        assert loaded["half"].dtype == torch.bfloat16
        assert torch.equal(loaded["half"], data["half"])
        assert loaded["labels"].dtype == torch.int64
        assert loaded["text"] == "wave"
        for array, expected in zip(loaded["arrays"], data["arrays"], strict=True):
            np.testing.assert_array_equal(array, expected)


def test_files_from_mmengine_dump(tmp_path):
    mmengine.dump(dump_of_test(), str(tmp_path / "a.pkl"))
    with (tmp_path / "a.pkl").open("rb") as file:
        samples = mmengine.load(file, file_format="pkl")
    assert [int(sample["gt_label"]) for sample in samples] == [0, 1, 1]
    mmengine.dump({"a": (1, 2), "b": "x"}, str(tmp_path / "a.yaml"))
    assert mmengine.load(str(tmp_path / "a.yaml")) == {"a": (1, 2), "b": "x"}


def test_strings_of_python_2(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02U\x01\xe9.")
    assert mmengine.load(tmp_path / "a.pkl", encoding="latin1") == "é"


def test_files_cannot_change_tensors(tmp_path):
    """A pickle can set the state of an object."""

    class Changed:
        def __reduce__(self):
            function, arguments = torch.ones(2).__reduce_ex__(2)[:2]
            return function, arguments, (None, {"value": "another"})

    (tmp_path / "a.pkl").write_bytes(pickle.dumps([Changed()]))
    with raises("corrupt", PickleError, file="a.pkl"):
        mmengine.load(tmp_path / "a.pkl")


def test_pose_dataset_of_mmaction2(tmp_path):
    data = annotations()
    save_annotations(data, tmp_path / "a.pkl")
    dataset = PoseDataset(str(tmp_path / "a.pkl"), [], split="val")
    assert len(dataset) == len(data["split"]["val"])
    expected = data["annotations"][8]["keypoint"]
    np.testing.assert_array_equal(dataset.get_data_info(0)["keypoint"], expected)
    with raises("unsafe", PickleError, file="evil.pkl") as caught:
        PoseDataset(str(evil(tmp_path / "evil.pkl")), [])
    assert isinstance(caught.value, pickle.UnpicklingError)
    assert "eval" in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><html>", "wrong-file-type"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "wrong-file-type"),
        (pickle.dumps(list(range(99)))[:-9], "truncated"),
        (pickle.dumps([1])[:-1] + b"\xff.", "corrupt"),
        (b"hello", "corrupt"),
        (b"PK\x03\x04" + bytes(99), "truncated"),
    ],
)
def test_files_that_are_not_pickles(content, kind, tmp_path):
    (tmp_path / "a.pkl").write_bytes(content)
    with raises(kind, PickleError, file=str(tmp_path / "a.pkl")) as caught:
        mmengine.load(str(tmp_path / "a.pkl"))
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        mmengine.load(str(tmp_path / "none.pkl"))


def test_yaml_creates_no_objects(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        f"!!python/object/apply:os.mkdir [{str(tmp_path / 'ran')!r}]", encoding="utf-8"
    )
    with raises("unsafe", PickleError, file="a.yaml") as caught:
        mmengine.load(str(path))
    assert "os.mkdir" in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["confusion_matrix", "report_accuracy", "eval_metric"])
def test_tools_do_not_execute_score_files(name, tmp_path, monkeypatch):
    (tmp_path / "c.py").write_text(CONFIG, encoding="utf-8")
    bad, config = evil(tmp_path / "evil.pkl"), tmp_path / "c.py"
    arguments = {"report_accuracy": ["--preds", bad, bad]}.get(name, [config, bad])
    text = command(monkeypatch, name, *arguments)
    assert str(bad) in text
    assert "eval" in text
    assert "\n" not in text
    assert not (tmp_path / "ran").exists()


def test_tools_read_scores_as_npz(tmp_path, monkeypatch, capsys):
    (tmp_path / "c.py").write_text(CONFIG, encoding="utf-8")
    mmengine.dump(dump_of_test(), str(tmp_path / "a.pkl"))
    npz(tmp_path / "a.npz", dump_of_test())
    for suffix in ("pkl", "npz"):
        file, out = tmp_path / f"a.{suffix}", tmp_path / f"{suffix}.pkl"
        arguments = tmp_path / "c.py", file, "--out", out
        assert command(monkeypatch, "confusion_matrix", *arguments) is None
        # s2 has label 1 and prediction 0.
        assert mmengine.load(out).tolist() == [[1, 0], [1, 1]]
        config = tmp_path / "e.py"
        config.write_text("test_evaluator = dict(type='AccMetric')\n", encoding="utf-8")
        capsys.readouterr()
        assert command(monkeypatch, "eval_metric", config, file) is None
        assert "0.666666" in capsys.readouterr().out
    others = dump_of_test(((0.9, 0.1), (0.3, 0.7), (0.2, 0.8)))
    npz(tmp_path / "b.npz", others)
    files = "--preds", tmp_path / "a.pkl", tmp_path / "b.npz"
    capsys.readouterr()
    # The second file is right about s2: 0.9 + 4 * 0.2 < 0.1 + 4 * 0.8.
    command(monkeypatch, "report_accuracy", *files, "--coefficients", 1, 4)
    assert "Top 1 Accuracy: 1.0" in capsys.readouterr().out


def test_invalid_npz(tmp_path):
    path = tmp_path / "a.npz"
    for content, kind in (
        (b"<html>", "wrong-file-type"),
        (b"abc", "corrupt-archive"),
    ):
        path.write_bytes(content)
        with raises(kind, file="a.npz") as caught:
            mmengine.load(path)
        assert isinstance(caught.value, pickle.UnpicklingError)
    np.savez(path, scores=np.ones((2, 3)))
    with raises("label", file="a.npz", field="labels"):
        mmengine.load(path)
    with raises("wrong-file-type"):
        mmengine.dump(1, str(tmp_path / "b.npz"))


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_confusion_matrix_supports_both_checkpoint_types(suffix, tmp_path, monkeypatch):
    """The tool supports only `.pth` and gets a converted file."""
    weights = {"fc.weight": torch.arange(4.0)}
    torch.save({"state_dict": weights, "meta": {}}, tmp_path / "x.pth")
    rewrite(str(tmp_path / "x.pth"), str(tmp_path / "x.safetensors"))
    (tmp_path / "c.py").write_text(CONFIG, encoding="utf-8")
    loaded = []

    def from_cfg(cfg):
        assert cfg.load_from.endswith(".pth")
        loaded.append(torch.load(cfg.load_from)["state_dict"]["fc.weight"])
        sys.exit("loaded")

    monkeypatch.setattr("mmengine.runner.Runner.from_cfg", from_cfg)
    arguments = tmp_path / "c.py", tmp_path / f"x.{suffix}"
    assert command(monkeypatch, "confusion_matrix", *arguments) == "loaded"
    assert torch.equal(loaded[0], torch.arange(4.0))


def other_files(folder):
    """Return (content, error kind, part of the message) of files of other types."""
    save_annotations(annotations(), folder / "annotations")
    mmengine.dump(dump_of_test(), str(folder / "scores"), file_format="pkl")
    npz(folder / "a.npz", dump_of_test())
    torch.save({"weight": torch.ones(1000)}, folder / "complete")
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    return [
        (b"", "empty", "empty"),
        (b"<!DOCTYPE html>\n<html>", "wrong-file-type", "web page"),
        (pointer, "wrong-file-type", "Git LFS pointer"),
        ((folder / "complete").read_bytes()[:-40], "truncated", "zip archive"),
        ((folder / "annotations").read_bytes(), "wrong-file-type", "annotation file"),
        ((folder / "scores").read_bytes(), "wrong-file-type", "score file"),
        ((folder / "a.npz").read_bytes(), "wrong-file-type", ".npz"),
        ((folder / "zip").read_bytes(), "wrong-file-type", "zip archive"),
        (b"\x08\x08\x12\x07pytorch:\x05", "wrong-file-type", "ONNX"),
    ]


def test_files_that_are_not_checkpoints(tmp_path):
    """Rejected by convert_checkpoint and by MMEngine's loader."""
    load = mmengine.runner.CheckpointLoader.load_checkpoint
    path, out = str(tmp_path / "x.pth"), str(tmp_path / "out.pth")
    for content, kind, text in other_files(tmp_path):
        Path(path).write_bytes(content)
        for read in (
            lambda: convert_checkpoint(path, out),
            lambda: load(path, "cpu", "silent"),
        ):
            with raises(kind, CheckpointError, file=path) as caught:
                read()
            assert text in caught.value.message
            assert "\n" not in str(caught.value)


def test_swapped_suffixes(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(2)}, "meta": {}}, tmp_path / "x.pth")
    rewrite(str(tmp_path / "x.pth"), str(tmp_path / "x.safetensors"))
    load = mmengine.runner.CheckpointLoader.load_checkpoint
    (tmp_path / "y.safetensors").write_bytes((tmp_path / "x.pth").read_bytes())
    (tmp_path / "y.pth").write_bytes((tmp_path / "x.safetensors").read_bytes())
    for name in ("y.safetensors", "y.pth"):
        with raises("wrong-file-type", CheckpointError, file=name):
            load(str(tmp_path / name), "cpu", "silent")
