"""Weights in the package: file, model card, and log agree."""

import hashlib
import json

import pytest

from conftest import REPOSITORY
from errors import raises
from msg3d.apis.config_files import shipped_configs
from msg3d.apis.trained import TestPipeline, load_model, load_network, read_meta
from msg3d.checkpoints import shipped
from msg3d.checkpoints.reading import read_state
from msg3d.errors import CheckpointError

NAMES = list(shipped.shipped_weights())
MAX_BYTES = 12_000_000  # all weights together


def test_total_size():
    assert "msg3d-synthetic" in NAMES
    files = shipped.shipped_weights().values()
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


def test_each_file_has_a_card():
    assert {path.stem for path in shipped.FOLDER.glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_card_describes_the_file(name):
    content = shipped.shipped_weights()[name].read_bytes()
    about = shipped.card_of(name)["msg3d"]
    assert about["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["size"] == len(content)
    meta = read_meta(str(shipped.shipped_weights()[name]))
    assert {key: about[key] for key in ("seed", "commit")} == {
        key: meta[key] for key in ("seed", "commit")
    }
    assert about["config"] in shipped_configs()
    log = json.loads((REPOSITORY / about["log"]).read_text(encoding="utf-8"))
    assert log["config"] == about["config"]
    assert [record["epoch"] for record in log["epochs"]] == [
        *range(1, meta["epoch"] + 1)
    ]
    assert all({"lr", "loss"} <= record.keys() for record in log["epochs"])


@pytest.mark.parametrize("name", NAMES)
def test_card_states_data_and_terms(name):
    card = shipped.card_of(name)
    text = (shipped.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    about = card["msg3d"]
    for part in (about["data_set"], about["prepare"], about["sha256"], "Apache-2.0"):
        assert part in text.split("---\n", 2)[2]
    # Keys that the Hugging Face Hub reads
    assert {"license", "library_name", "tags", "datasets", "metrics"} <= card.keys()
    if card["license"] == "other":
        assert {"license_name", "license_link"} <= card.keys()
        assert "terms apply" in text
    (index,) = card["model-index"]
    (result,) = index["results"]
    assert result["dataset"]["type"] in card["datasets"]
    (accuracy,) = result["metrics"]
    expected = 100 * about["correct"] / about["samples"]
    assert accuracy["value"] == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_network_loads(name):
    """The config contains no path of a machine, and all weights match its network."""
    file = str(shipped.shipped_weights()[name])
    cfg, checkpoint = load_network(file)
    model, classes, _ = load_model(cfg, checkpoint, "cpu")
    assert len(classes) == model.cls_head.num_classes
    assert TestPipeline(cfg).expected.joints > 0
    about = shipped.card_of(name)["msg3d"]
    assert cfg.test_dataloader.dataset.ann_file == about["ann_file"]
    assert "'/" not in read_meta(file)["cfg"]
    assert sum(value.numel() for value in model.parameters()) == about["parameters"]
    tensors = read_state(file).values()
    assert not any(t.is_floating_point() and t.element_size() != 4 for t in tensors)


def test_missing_or_invalid_card(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with raises("not-found", CheckpointError, file="a.md"):
        shipped.card_of("a")
    for text in ("# a\n", "---\nlicense: other\n", "---\nlicense: other\n---\n"):
        (tmp_path / "a.md").write_text(text, encoding="utf-8")
        with raises("structure", CheckpointError, file="a.md"):
            shipped.card_of("a")
