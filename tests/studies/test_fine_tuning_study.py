"""The study of fine-tuning uses the intended samples, and transfers the weights."""

import pytest
import torch

from in_process import without_paperwork
from msg3d.annotations.files import load_annotations, save_annotations
from samples import annotations
from studies import fine_tuning, recipe, train


def nw_ucla(path):
    """Write 48 samples of four classes, of views 1 and 2; the last eight are for testing."""
    data = annotations(samples=48)
    names = [f"a{n % 4:02d}_s{n:02d}_e00_v0{n // 4 % 2 + 1}" for n in range(48)]
    for sample, name in zip(data["annotations"], names, strict=True):
        sample["frame_dir"] = name
    data["split"] = {"xview_train": names[:40], "xview_val": names[40:]}
    save_annotations(data, path)
    return data


def test_subsets_are_nested_and_for_training(tmp_path):
    data = nw_ucla(tmp_path / "all.pkl")
    label = {v["frame_dir"]: v["label"] for v in data["annotations"]}
    fine_tuning.write_subsets(tmp_path / "all.pkl", 0, tmp_path / "few.pkl")
    split = load_annotations(tmp_path / "few.pkl")["split"]
    subsets = {count: split[f"{count}_train"] for count in fine_tuning.COUNTS}
    assert [len(names) for names in subsets.values()] == [20, 40, 40, 40]
    assert set(subsets["5"]) < set(subsets["10"])
    assert set(subsets["all"]) == set(data["split"]["xview_train"])
    numbers = [label[name] for name in subsets["5"]]
    assert sorted(numbers) == sorted([0, 1, 2, 3] * 5)
    assert all(name.endswith("v01") for name in split["tune_train"])
    assert all(name.endswith("v02") for name in split["tune_val"])
    assert not set(split["tune_val"]) & set(data["split"]["xview_val"])
    fine_tuning.write_subsets(tmp_path / "all.pkl", 1, tmp_path / "other.pkl")
    other = load_annotations(tmp_path / "other.pkl")["split"]
    assert set(other["5_train"]) != set(subsets["5"])


@pytest.mark.parametrize("method", ["fine-tuning", "probe"])
def test_runs_start_from_the_pretrained_weights(tmp_path, monkeypatch, method):
    nw_ucla(tmp_path / "nw_ucla.pkl")
    data = annotations(samples=20)
    data["split"] = {f"xsub_all_{name}": ids for name, ids in data["split"].items()}
    save_annotations(data, tmp_path / "msr_action3d.pkl")
    data = annotations(joints=21, samples=12, seed=1)
    data["split"] = {"seq_train": data["split"]["train"]}
    save_annotations(data, tmp_path / "bandai_styles.pkl")
    monkeypatch.setattr(recipe, "CHANNELS", 12)
    monkeypatch.setattr(fine_tuning, "PRETRAINING_PASSES", 3)
    monkeypatch.setattr(fine_tuning, "PASSES", dict.fromkeys(fine_tuning.COUNTS, 2))
    trained = []
    original = train.train

    def keep(*args):
        trained.append(original(*args))
        return trained[-1]

    monkeypatch.setattr(fine_tuning, "train", keep)
    monkeypatch.setattr(fine_tuning.dropout, "train", keep)
    with without_paperwork():
        result = fine_tuning.run(f"{method}/5", 0, tmp_path, tmp_path)
    assert result["setting"] == f"{method}/5"
    assert 0 <= result["top1"] <= 100
    first, second = (runner.model.backbone.state_dict() for runner in trained)
    assert trained[0].model.cls_head.fc.out_features == 27
    same = {
        name: torch.equal(first[name], second[name])
        for name, _ in trained[0].model.backbone.named_parameters()
    }
    assert all(same.values()) == (method == "probe")
    assert trained[1]._load_from == str(tmp_path / "pretrained_0.pth")
    # An interrupted run resumes from its own checkpoint.
    with without_paperwork():
        again = fine_tuning.run(f"{method}/5", 0, tmp_path, tmp_path)
    assert len(trained) == 3  # pretrained once
    assert trained[2]._resume
    assert again["top1"] == result["top1"]


def test_report():
    results = [
        {"setting": "scratch/5", "seed": seed, "top1": 50.0 + seed} for seed in range(3)
    ]
    results.append({"setting": "tune/probe/0.2x1", "seed": 0, "top1": 33.0})
    text = fine_tuning.report(results)
    assert "51.0 ± 1.0" in text
    assert "33.0" in text
    assert "3 seeds" in text
