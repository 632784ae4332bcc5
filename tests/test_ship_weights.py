"""`tools/ship_weights.py` writes weights, a model card, and a log."""

import hashlib
import json
import sys

import pytest
import torch
import yaml
from mmengine.config import Config

from conftest import REPOSITORY
from docs_folder import QUICKSTART, network
from errors import raises
from in_process import without_paperwork
from msg3d.datasets import save_annotations
from msg3d.errors import ConfigError
from msg3d.synthetic.actions import make_synthetic_actions

sys.path.insert(0, str(REPOSITORY / "tools"))
import ship_weights
from model_index import cards
from model_index.data_sets import DATA_SETS, data_set_of

COMMIT = "0123456789abcdef" * 2 + "01234567"
RECORDS = (
    {"lr": 0.1, "loss": 2.0, "time": 1.0, "epoch": 1, "iter": 90, "step": 90},
    {"acc/top1": 0.5, "step": 1},
    {"lr": 0.05, "loss": 1.0, "time": 3.0, "epoch": 2, "iter": 180, "step": 180},
)


@pytest.fixture
def trained(tmp_path):
    """Write the work dir of a training of two epochs, and its data."""
    actions = make_synthetic_actions(subjects=4, repeats=1)
    save_annotations(actions, tmp_path / "synthetic.pkl")
    network(tmp_path, QUICKSTART, actions["meta"]["classes"])
    checkpoint = torch.load(tmp_path / "best.pth")
    cfg = Config.fromfile(tmp_path / "my_config.py")
    cfg.train_cfg.max_epochs = 2
    cfg.work_dir = str(tmp_path)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.test_dataloader.dataset.ann_file = str(tmp_path / "synthetic.pkl")
    with without_paperwork():
        checkpoint["meta"]["cfg"] = cfg.pretty_text
    name = QUICKSTART.removesuffix(".py")
    checkpoint["meta"].update(
        experiment_name=f"{name}_20260101_000000",
        mmengine_version=f"0.10.7{COMMIT}",
        seed=3,
        epoch=2,
    )
    checkpoint["optimizer"] = {}
    torch.save(checkpoint, tmp_path / "epoch_2.pth")
    log = tmp_path / "20260101_000000" / "vis_data" / "scalars.json"
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(map(json.dumps, RECORDS)), encoding="utf-8")
    return tmp_path / "epoch_2.pth"


def ship(trained, tmp_path):
    folders = {"weights": tmp_path / "weights", "logs": tmp_path / "logs"}
    ann_file = tmp_path / "synthetic.pkl"
    return ship_weights.ship(trained, "tiny", ann_file, "a CPU", **folders)


def test_files(trained, tmp_path):
    text = ship(trained, tmp_path).read_text(encoding="utf-8")
    about = yaml.safe_load(text.split("---\n")[1])["msg3d"]
    content = (tmp_path / "weights" / "tiny.pth").read_bytes()
    assert about["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["sha256"] in text.split("---\n", 2)[2]
    assert (about["seed"], about["commit"]) == (3, COMMIT)
    assert about["samples"] == 10
    assert about["ann_file"] == "data/skeleton/synthetic.pkl"
    assert "model.backbone.num_gcn_scales=3" in text
    assert "0.10 hours" in text
    assert str(tmp_path) not in text
    shipped = torch.load(tmp_path / "weights" / "tiny.pth", weights_only=True)
    assert shipped.keys() == {"state_dict", "meta"}
    assert str(tmp_path) not in shipped["meta"]["cfg"]
    log = json.loads((tmp_path / "logs" / "tiny.json").read_text(encoding="utf-8"))
    assert log["epochs"] == [
        {"epoch": 1, "lr": 0.1, "loss": 2.0, "acc/top1": 0.5},
        {"epoch": 2, "lr": 0.05, "loss": 1.0},
    ]
    row = cards.table({"tiny": yaml.safe_load(text.split("---\n")[1])}).splitlines()[3]
    assert row.startswith("| [`tiny`](")


@pytest.mark.parametrize(
    "change", [{"epoch": 1}, {"mmengine_version": "0.10.7unknown"}]
)
def test_rejected_checkpoints(trained, tmp_path, change):
    loaded = torch.load(trained)
    loaded["meta"].update(change)
    torch.save(loaded, trained)
    with raises("config", ConfigError, file="epoch_2.pth"):
        ship(trained, tmp_path)
    assert not (tmp_path / "weights").exists()


def test_terms_of_data_sets():
    for stem, data_set in DATA_SETS.items():
        for split in data_set.protocol:
            assert data_set_of(f"data/skeleton/{stem}.pkl", split) is data_set
        assert "Apache-2.0" in data_set.text_of_terms() or data_set.license == "other"
        assert "{" not in data_set.text_of_terms()
    for file, split in (("unknown.pkl", "train"), ("sbu.pkl", "train")):
        with raises("unknown-name", ConfigError, file=file):
            data_set_of(file, split)
