"""Studies on tiny data in this process."""

import json
import os
import signal
from concurrent.futures import Executor, Future
from typing import ClassVar

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from study_data import STYLES, write_files

import msg3d  # noqa: F401
from conftest import REPOSITORY
from in_process import without_paperwork
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.evaluation import read_scores, wilson_interval
from samples import annotations
from studies import (
    dropout,
    network_configs,
    network_report,
    networks,
    recipe,
    runs,
    styles,
    train,
)
from studies.__main__ import main
from studies.networks import BUDGETS
from studies.train import clip_interval

CONFIGS = REPOSITORY / "configs" / "msg3d"


class InProcess(Executor):
    """Executor without processes, which replaces a process pool."""

    _processes: ClassVar = {}

    def __init__(self, *args):
        pass

    def submit(self, function, *args):
        future = Future()
        try:
            with without_paperwork():
                future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def tiny_runs(monkeypatch):
    """Run without git and with one thread, which is faster for tiny networks."""
    git = "mmengine.utils.version_utils._minimal_ext_cmd"
    monkeypatch.setattr(git, lambda command: b"unknown")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_files(folder)
    return folder


@pytest.fixture
def study(folder, monkeypatch, capsys):
    """Run a study and return its exit status, output, and errors."""
    monkeypatch.setattr(runs, "ProcessPoolExecutor", InProcess)

    def run(name, *options):
        paths = ["--data", str(folder), "--work-dir", str(folder / name)]
        code = main([name, *paths, *map(str, options)])
        return code, *capsys.readouterr()

    return run


def results_of(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_styles_run_resume_and_report(folder, study):
    names = ("stgcn-xyz", "scores-laban")
    code, _, err = study("styles", "--seeds", 1, "--settings", *names)
    assert code == 0, err
    results = results_of(folder / "styles")
    assert [(r["setting"], r["seed"], r["epochs"]) for r in results] == [
        (name, 0, 4) for name in names
    ]
    assert 0 <= results[0]["top1"] <= 100
    assert results[1]["mean"] > 0
    assert not list((folder / "styles").glob("*/*.pth"))
    scored = load_annotations(folder / "styles" / "scored.pkl")["annotations"]
    targets = {STYLES[s["label"]]: s["targets"].tolist() for s in scored}
    assert targets["elderly"] == [-1, 1, 0]
    assert targets["feminine"] == [0, 0, 1]
    assert targets["youthful"] == [1, -1, 0]
    assert targets["normal"] == [0, 0, 0]

    # The first seed is not run again.
    results[0]["top1"] = 25
    (folder / "styles" / "results.json").write_text(
        json.dumps(results), encoding="utf-8"
    )
    _, out, _ = study("styles", "--seeds", 2, "--settings", "stgcn*xyz")
    *first, second = results_of(folder / "styles")
    assert first == results
    assert second["seed"] == 1
    top1 = [25, second["top1"]]
    assert f"{np.mean(top1):.1f} ± {np.std(top1, ddof=1):.1f} | 2 " in out


def test_baselines_of_styles_run_once(folder, study):
    linear = ("linear-mean+std-xyz", "scores-linear-mean-laban")
    names = ("majority", "scores-mean", *linear)
    work_dir = folder / "baselines"
    code, out, err = study(
        "styles", "--work-dir", work_dir, "--seeds", 2, "--settings", *names
    )
    assert code == 0, err
    results = {result["setting"]: result for result in results_of(work_dir)}
    assert len(results_of(work_dir)) == 4
    assert [results[name]["seed"] for name in names] == [0] * 4
    data = load_annotations(folder / "bandai_styles.pkl")
    label = {s["frame_dir"]: s["label"] for s in data["annotations"]}
    train, val = (np.array([label[n] for n in data["split"][s]]) for s in data["split"])
    share = 100 * np.mean(val == np.bincount(train).argmax())
    assert results["majority"]["top1"] == pytest.approx(share)
    scores = np.array([styles.SCORES_OF_STYLE[STYLES[n]] for n in range(7)])
    errors = ((scores[val] - scores[train].mean(0)) ** 2).mean(0)
    figures = [results["scores-mean"][key] for key in styles.SCORES]
    assert figures == pytest.approx(errors)
    assert results["scores-mean"]["mean"] == pytest.approx(errors.mean())
    # 21 joints, 3 coordinates or 12 Efforts, and a bias
    assert results[linear[0]]["parameters"] == 7 * (2 * 21 * 3 + 1)
    assert results[linear[1]]["parameters"] == 3 * (21 * 12 + 1)
    # The samples are random walks around one pose per class.
    assert results[linear[0]]["top1"] > share
    assert f"| {linear[0]} " in out


def test_networks_run_fuse_and_draw(folder, study):
    names = [f"nw-ucla-xview/res-tcn/{stream}" for stream in ("joint", "bone")]
    pictures = ("--pictures", folder / "pictures")
    code, _, err = study("networks", "--seeds", 1, *pictures, "--settings", *names)
    assert code == 0, err
    results = {r["setting"]: r for r in results_of(folder / "networks")}
    assert set(results) == {*names, "nw-ucla-xview/res-tcn/joint+bone"}
    files = [networks.scores_file(folder / "networks", n, 0) for n in names]
    streams = [read_scores(file) for file in files]
    labels = streams[0].labels
    assert streams[0].ids == streams[1].ids
    assert len(labels) == 10
    for name, values in (
        (names[0], streams[0].values),
        ("nw-ucla-xview/res-tcn/joint+bone", streams[0].values + streams[1].values),
    ):
        correct = values.argmax(1) == labels
        assert results[name]["top1"] == pytest.approx(100 * correct.mean(), abs=1e-3)
        # The first four test samples are not in the training set.
        unseen = pytest.approx(100 * correct[:4].mean(), abs=1e-3)
        assert results[name]["unseen"] == unseen
    assert (folder / "pictures" / "nw-ucla-xview.png").stat().st_size > 5000


def test_dropout_is_compared_on_the_training_set(tmp_path):
    samples = annotations(classes=10, samples=8)
    names = [f"a01_s0{n // 2}_e00_v0{n % 2 + 1}" for n in range(8)]
    for sample, name in zip(samples["annotations"], names, strict=True):
        sample["frame_dir"] = name
    samples["split"] = {"xview_train": names[:6], "xview_val": names[6:]}
    save_annotations(samples, tmp_path / "nw_ucla.pkl")
    file = tmp_path / "views.pkl"
    dropout.write_views(tmp_path / "nw_ucla.pkl", file)
    split = load_annotations(file)["split"]
    assert split["view1"] == names[:6:2]
    assert split["view2"] == names[1:6:2]
    for name in dropout.settings():
        cfg = dropout.config(name, file)
        backbone = cfg.model.backbone
        assert backbone.tcn_dropout == 0.2
        if name == "none":
            assert backbone.gcn_dropout == backbone.g3d_dropout == 0
        else:
            assert backbone.gcn_dropout == backbone.g3d_dropout == 0.2
            assert backbone.dropout_position == name
        assert cfg.train_dataloader.dataset.dataset.split == "view1"
        assert cfg.val_dataloader.dataset.split == "view2"
        assert cfg.test_dataloader.dataset.split == "view2"


def test_failures_are_reported(folder, study):
    fcntl = pytest.importorskip("fcntl")
    code, _, err = study("styles", "--settings", "nothing")
    assert code == 1
    assert "nothing" in err
    # Other runs are executed after a failure.
    names = ("penn-action/res-tcn/joint", "nw-ucla-xview/res-tcn/joint")
    code, _, err = study("networks", "--seeds", 1, "--settings", *names)
    assert code == 1
    assert f"{names[0]}, seed 0" in err
    assert names[1] not in err
    done = [(r["setting"], r["seed"]) for r in results_of(folder / "networks")]
    assert (names[1], 0) in done
    assert (names[0], 0) not in done
    with (folder / "networks" / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, _, err = study("networks", "--settings", names[0])
    assert code == 1
    assert str(folder / "networks") in err


class Terminate(Hook):
    """Send SIGTERM to this process after step 8."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 8:
            os.kill(os.getpid(), signal.SIGTERM)


def test_interrupted_run_resumes_bit_for_bit(folder, tmp_path, monkeypatch):
    name, build = "nw-ucla-xview/res-tcn/bone", Runner.from_cfg

    def build_terminating(cfg):
        runner = build(cfg)
        runner.register_hook(Terminate())
        return runner

    def run(part):
        (tmp_path / part).mkdir(exist_ok=True)
        with without_paperwork():
            result = networks.run(name, 0, folder, tmp_path / part)
        path = train.folder(tmp_path / part, name, 0) / "epoch_12.pth"
        weights = torch.load(path, weights_only=False)["state_dict"]
        return {key: result[key] for key in result if "seconds" not in key}, weights

    result, weights = run("complete")
    monkeypatch.setattr(Runner, "from_cfg", build_terminating)
    with pytest.raises(SystemExit) as stopped:
        run("resumed")
    assert stopped.value.code == 143
    folder_of_run = train.folder(tmp_path / "resumed", name, 0)
    assert (folder_of_run / "preempted.pth").exists()
    resumed_result, resumed = run("resumed")  # continues after step 8
    assert resumed_result == result
    assert all(torch.equal(resumed[key], weights[key]) for key in weights)


@pytest.mark.parametrize("data_set", network_configs.DATA_SETS)
def test_settings_differ_only_in_the_network(data_set, tmp_path):
    init_default_scope("mmaction")
    reference = network_configs.config(data_set, "msg3d", "bone", tmp_path)
    source = network_configs.DATA_SETS[data_set]
    assert reference.train_dataloader.dataset.split == source.train
    assert reference.test_dataloader.dataset.split == source.test
    assert reference.test_dataloader.dataset.stream == "b"
    for network in network_configs.NETWORKS:
        cfg = network_configs.config(data_set, network, "bone", tmp_path)
        for key in ("train_dataloader", "test_dataloader", "train_cfg"):
            assert cfg[key] == reference[key]
        assert cfg.param_scheduler == reference.param_scheduler
        assert cfg.optim_wrapper == reference.optim_wrapper
        if data_set in ("nw-ucla-xview", "penn-action"):  # most and fewest joints
            model = MODELS.build(cfg.model)
            assert 0.12e6 < sum(p.numel() for p in model.parameters()) < 0.31e6


@pytest.mark.parametrize("network", network_configs.NETWORKS)
def test_full_budget_equals_the_recipe(network, tmp_path):
    init_default_scope("mmaction")
    setting = ("nw-ucla-xview", network, "joint", tmp_path)
    cfg = network_configs.config(*setting, full=True)
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].T_max == 60
    loaders = (cfg.train_dataloader, cfg.test_dataloader)
    steps = [step for loader in loaders for step in loader.dataset.pipeline]
    assert [step.clip_len for step in steps if "clip_len" in step] == [40, 40]
    recognizer = MODELS.build(cfg.model).eval()
    features = recognizer.backbone(torch.rand(1, 1, 40, 20, 3))
    assert features.shape[2] == (384 if network == "msg3d" else 256)
    assert recognizer.cls_head(features).shape == (1, 10)


def with_budget(name, setting, tmp_path, **options):
    """Return the config of a setting in a budget. "networks" is the small budget."""
    budget = BUDGETS[name].run.keywords if name in BUDGETS else {}
    options = {**budget, **options}
    return network_configs.config(*setting.split("/"), tmp_path, **options)


def test_half_equals_the_leaf_config(tmp_path):
    name = "msg3d-48c_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py"
    leaf = Config.fromfile(CONFIGS / name)
    joint, *others = BUDGETS["networks-half"].settings()
    assert joint == "nw-ucla-xview/msg3d/joint"
    assert len(others) == 3
    cfg = with_budget("networks-half", joint, tmp_path)
    assert cfg.model == leaf.model
    assert cfg.optim_wrapper == leaf.optim_wrapper
    repeated = leaf.train_dataloader.dataset
    assert cfg.train_cfg.max_epochs == repeated.times * leaf.train_cfg.max_epochs
    assert cfg.train_dataloader.dataset.pipeline == repeated.dataset.pipeline


def test_longer_changes_only_the_schedule(tmp_path):
    settings = BUDGETS["networks-longer"].settings()
    data_sets = {setting.split("/")[0] for setting in settings}
    assert data_sets == {*(f"sbu-fold{fold}" for fold in range(1, 6)), "penn-action"}
    small, longer = (
        with_budget(name, "sbu-fold1/msg3d/joint", tmp_path)
        for name in ("networks", "networks-longer")
    )
    assert longer.train_cfg.max_epochs == longer.param_scheduler[0].T_max == 4 * 16
    longer.train_cfg, longer.param_scheduler = small.train_cfg, small.param_scheduler
    assert small.to_dict() == longer.to_dict()


def test_strong_changes_only_the_pipelines(tmp_path):
    leaf = Config.fromfile(
        CONFIGS / "msg3d_1xb16-joint-strong52-325e_nw-ucla-xview-keypoint-3d.py"
    )
    leaf.train_dataloader.dataset = leaf.train_dataloader.dataset.dataset
    plain, strong = (
        with_budget(name, "nw-ucla-xview/msg3d/joint", tmp_path, frames=52)
        for name in ("networks-plain", "networks-strong")
    )
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        steps = strong[name].dataset.pop("pipeline")
        assert steps == leaf[name].dataset.pipeline
        assert steps != plain[name].dataset.pop("pipeline")
    assert plain.to_dict() == strong.to_dict()


def test_wider_changes_only_the_model(tmp_path):
    init_default_scope("mmaction")
    setting, _ = BUDGETS["networks-wider"].settings()
    small, wider = (
        with_budget(name, setting, tmp_path) for name in ("networks", "networks-wider")
    )
    recognizer = MODELS.build(wider.model).eval()
    features = recognizer.backbone(torch.rand(1, 1, 8, 13, 3))
    assert features.shape[2] == 64
    assert recognizer.cls_head(features).shape == (1, 15)
    wider.model = small.model
    assert small.to_dict() == wider.to_dict()


def test_picture_contains_all_folds(monkeypatch, tmp_path):
    counted = []

    def confusion(work_dir, setting, seed):
        counted.append((setting, seed))
        return np.eye(2)

    monkeypatch.setattr(network_report, "confusion", confusion)
    sample = {"meta": {"classes": ["push", "hug"]}}
    monkeypatch.setattr(network_report, "load_annotations", lambda path: sample)
    # MS-G3D is better in one fold, ST-GCN on average.
    results = [
        {"setting": f"sbu-fold{fold}/{network}", "seed": seed, "top1": top1}
        for fold in range(1, 6)
        for seed in (0, 1)
        for network, top1 in (("stgcn/bone", 70), ("msg3d/joint", 90 * (fold == 3)))
    ]
    network_report.pictures(results, tmp_path, tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sbu.png"]
    folds = [f"sbu-fold{fold}/stgcn/bone" for fold in range(1, 6)]
    assert sorted(counted) == [(fold, seed) for fold in folds for seed in (0, 1)]


def test_folds_are_averaged_per_seed():
    def result(fold, seed, top1):
        setting = f"sbu-fold{fold}/msg3d/joint"
        return {"setting": setting, "seed": seed, "top1": top1, "train_seconds": 10}

    complete = [result(fold, 0, 90 + fold) for fold in range(1, 6)]
    incomplete = [result(fold, 1, 0) for fold in range(1, 5)]
    (mean,) = network_report.folds(complete + incomplete)
    assert (mean["top1"], mean["seed"], mean["train_seconds"]) == (93, 0, 50)


def test_recipe_is_chosen_on_the_training_sets(tmp_path):
    names = [f"a01_s0{subject}_e00_v0{view}" for subject in (1, 9) for view in (1, 2)]
    data = annotations(samples=len(names))
    for sample, name in zip(data["annotations"], names, strict=True):
        sample["frame_dir"] = name
    data["split"] = {"xview_train": names[:3], "xview_val": names[3:]}
    save_annotations(data, tmp_path / "all.pkl")
    file = tmp_path / "divided.pkl"
    recipe.divide(recipe.DATA_SETS["nw-ucla"], tmp_path / "all.pkl", file)
    written = load_annotations(file)
    assert written["split"] == {
        recipe.TRAIN: [names[0], names[2]],
        recipe.VALIDATION: [names[1]],
    }
    assert len(written["annotations"]) == 3
    base = {
        name: recipe.config(f"{name}/base", file).to_dict() for name in recipe.DATA_SETS
    }
    for name in recipe.settings():
        cfg = recipe.config(name, file)
        data_set, change = name.split("/")
        assert (cfg.to_dict() == base[data_set]) == (change == "base"), name
        splits = [cfg[loader].dataset.split for loader in recipe.LOADERS]
        assert splits == [recipe.TRAIN, recipe.VALIDATION, recipe.VALIDATION]


def test_interval_of_a_mean_over_seeds():
    """The clips of a single test count, however many seeds there are."""
    low, high = wilson_interval(90, 100)
    text = clip_interval([88.0, 92.4, 90.0], samples=100)
    assert text == f"{100 * low:.1f} - {100 * high:.1f}"
    assert clip_interval([90.0], 100, digits=2) == f"{100 * low:.2f} - {100 * high:.2f}"


def test_report_contains_intervals_if_the_samples_are_known():
    runs = [
        {
            **{"setting": "penn-action/msg3d/streams", "seed": seed, "top1": top1},
            **{"parameters": 1e6, "flops": 2e6, "passes": 1, "train_seconds": 9},
        }
        for seed, top1 in enumerate((80, 90))
    ]
    assert "| 85.0 ± 7.1 " in network_report.report(runs)
    known = [{**run, "samples": 100, "ece": 5} for run in runs]
    text = network_report.report(known)
    assert "| 85.0 ± 7.1 (76.7 - 90.7) |" in text  # Wilson (1927)
    assert "| 5.0 ± 0.0 " in text
