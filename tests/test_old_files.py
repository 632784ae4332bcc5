"""Files of earlier versions can still be read.

The script `make_files.py` wrote the files with msg3d 0.1.0, and `expected.json` with the
content that this version reads.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from msg3d import Recognizer
from msg3d.checkpoints import is_published, rewrite
from msg3d.datasets import check_annotations, load_annotations, load_store
from msg3d.evaluation import labels_of, read_scores

FILES = Path(__file__).parent / "files_0_1"
EXPECTED = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))
TOLERANCE = {"rtol": 0, "atol": 1e-4}


@pytest.fixture(autouse=True)
def optional_packages(request):
    """Skip a test if its file requires a package that is not installed."""
    parameters = getattr(request.node, "callspec", None)
    name = parameters.params.get("name", "") if parameters else ""
    if name.endswith(".safetensors"):
        pytest.importorskip("safetensors")
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    if name.endswith(".pt2"):
        writer = EXPECTED["written_by"]["torch"].partition("+")[0]
        if torch.__version__ < writer:
            pytest.skip(f"torch.export.load requires torch {writer} or later")


def each(kind):
    """Parametrize a test with all files of a kind."""
    return pytest.mark.parametrize("name", EXPECTED[kind])


def summarize(value):
    """Replace arrays with their hash, as in `expected.json`."""
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return {"dtype": str(value.dtype), "shape": list(value.shape), "sha256": digest}
    if isinstance(value, dict):
        return {key: summarize(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):  # JSON does not distinguish them
        return [summarize(item) for item in value]
    return value


@each("annotations")
def test_annotations(name):
    expected = EXPECTED["annotations"][name]
    data = load_annotations(str(FILES / name))
    if expected["split"] is None:
        samples = data
    else:
        samples = data["annotations"]
        assert data["split"] == expected["split"]
        assert data.get("meta") == expected["meta"]
    assert summarize(samples) == expected["samples"]
    assert check_annotations(data).samples == len(samples)
    for split, ids in (expected["split"] or {}).items():
        assert check_annotations(data, split).samples == len(ids)


@each("stores")
def test_store(name):
    expected = EXPECTED["stores"][name]
    store = load_store(str(FILES / name))
    samples = [store[number] for number in range(len(store))]
    assert summarize(samples) == expected["samples"]
    assert store.rest().get("meta") == expected["meta"]
    assert list(store.splits) == list(expected["split"])
    for split, ids in expected["split"].items():
        assert [samples[number]["frame_dir"] for number in store.split(split)] == ids
    data = store.unpack()
    assert data["split"] == expected["split"]
    assert summarize(data["annotations"]) == expected["samples"]


@each("scores")
def test_scores(name):
    expected = EXPECTED["scores"][name]
    scores = read_scores(str(FILES / name), expected.get("known"))
    assert scores.ids == expected["ids"]
    assert scores.labels.tolist() == expected["labels"]
    assert scores.probabilities == expected["probabilities"]
    np.testing.assert_allclose(scores.values, expected["scores"], **TOLERANCE)


@each("labels")
def test_labels(name):
    expected = EXPECTED["labels"][name]
    assert list(labels_of(str(FILES / name)).items()) == list(expected.items())


def assert_predicts(recognizer, expected):
    """Compare classes and scores for all samples of the annotation file."""
    assert list(recognizer.classes) == expected["classes"]
    samples = load_annotations(str(FILES / expected["annotations"]))["annotations"]
    scores = [prediction.scores for prediction in recognizer.predict(samples)]
    np.testing.assert_allclose(scores, expected["scores"], **TOLERANCE)


@each("checkpoints")
def test_recognizer(name):
    expected = EXPECTED["checkpoints"][name]
    config = FILES / expected["config"]
    recognizer = Recognizer(config, FILES / name, device="cpu", clips=1)
    assert_predicts(recognizer, expected)


@each("exported")
def test_exported_network(name):
    recognizer = Recognizer.from_exported(FILES / name, clips=1)
    assert_predicts(recognizer, EXPECTED["exported"][name])


@each("checkpoints")
def test_checkpoint_matches_model(name):
    """Compare all entries, and their order, which the optimizer's state depends on."""
    expected = EXPECTED["checkpoints"][name]
    keys = EXPECTED["configs"][expected["config"]]["state_keys"]
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(Config.fromfile(FILES / expected["config"]).model)
    assert list(model.state_dict()) == keys
    loaded = load_checkpoint(
        model, str(FILES / name), map_location="cpu", strict=True, logger="silent"
    )
    assert sorted(loaded) == expected["entries"]
    assert sorted(loaded["meta"]) == expected["meta"]
    assert sorted(loaded["state_dict"]) == sorted(keys)
    for key, value in model.state_dict().items():
        assert torch.equal(value, loaded["state_dict"][key]), key


@each("checkpoints")
def test_rewrite_checkpoint(name, tmp_path):
    """Convert between `.pth` and `.safetensors`."""
    pytest.importorskip("safetensors")
    source = str(FILES / name)
    assert not is_published(source)
    suffix = ".pth" if name.endswith(".safetensors") else ".safetensors"
    out = str(tmp_path / f"rewritten{suffix}")
    rewrite(source, out)
    before, after = (
        CheckpointLoader.load_checkpoint(path, map_location="cpu", logger="silent")
        for path in (source, out)
    )
    assert after["meta"] == before["meta"]
    assert set(after["state_dict"]) == set(before["state_dict"])
    for key, value in before["state_dict"].items():
        assert torch.equal(after["state_dict"][key], value), key


def read_config(name, annotations, work_dir):
    """Read a config and point its data sets at the annotation file."""
    cfg = Config.fromfile(FILES / name)
    for mode in ("train", "val", "test"):
        dataset = cfg[f"{mode}_dataloader"].dataset
        dataset = dataset.get("dataset", dataset)
        dataset.ann_file = str(FILES / annotations)
    cfg.work_dir = str(work_dir)
    # Runners in the same process need different names.
    cfg.experiment_name = f"{work_dir.name}_{cfg.filename}"
    return cfg


@each("tests")
def test_dump_scores(name, tmp_path):
    """Dump scores as `mim test ... --dump` does."""
    expected = EXPECTED["tests"][name]
    annotations = EXPECTED["configs"][expected["config"]]["annotations"]
    out = tmp_path / "dump.pkl"
    cfg = read_config(expected["config"], annotations, tmp_path)
    dump = {"type": "DumpResults", "out_file_path": str(out)}
    cfg.test_evaluator = [*cfg.test_evaluator, dump]
    cfg.load_from = str(FILES / expected["checkpoint"])
    Runner.from_cfg(cfg).test()
    scores, expected = read_scores(str(out)), EXPECTED["scores"][name]
    assert scores.ids == expected["ids"]
    assert scores.labels.tolist() == expected["labels"]
    np.testing.assert_allclose(scores.values, expected["scores"], **TOLERANCE)


def test_resume_training(tmp_path):
    """Train a second epoch with the optimizer, schedule, and log of the first."""
    cfg = read_config("msg3d_3d.py", "ntu_3d.pkl", tmp_path)
    cfg.load_from, cfg.resume = str(FILES / "msg3d_3d.pth"), True
    cfg.train_cfg.max_epochs = 2
    cfg.train_dataloader.dataset.times = 1
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert (runner.epoch, runner.iter) == (2, 9)  # eight iterations, then one
    losses, _ = runner.message_hub.get_scalar("train/loss").data
    assert len(losses) == 9
    assert np.isfinite(losses).all()
