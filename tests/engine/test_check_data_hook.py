"""CheckDataHook rejects data that do not match the model."""

import random
from types import SimpleNamespace

import mmengine
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.registry import init_default_scope
from mmengine.runner import BaseLoop, Runner
from torch import nn

from errors import raises
from msg3d.datasets import save_annotations
from msg3d.engine import CheckDataHook
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import skeleton
from samples import annotations, write

FORMATTING = [
    {"type": "UniformSampleFrames", "clip_len": 8},
    {"type": "PoseDecode"},
    {"type": "FormatGCNInput", "num_person": 1},
    {"type": "PackActionInputs"},
]


def config(path, joints=20, in_channels=3, classes=4, work_dir="", pipeline=FORMATTING):
    layouts = {20: skeleton("kinect20").as_graph(), 25: "nturgb+d", 17: "coco"}

    def loader(split):
        return {
            "batch_size": 4,
            "num_workers": 0,
            "sampler": {"type": "DefaultSampler", "shuffle": split == "train"},
            "dataset": {
                "type": "SkeletonDataset",
                "ann_file": str(path),
                "split": split,
                "pipeline": pipeline,
            },
        }

    train = loader("train")
    train["dataset"] = {
        "type": "RepeatDataset",
        "times": 2,
        "dataset": train["dataset"],
    }
    return Config(
        {
            "default_scope": "mmaction",
            "work_dir": str(work_dir),
            "log_level": "WARNING",
            "model": {
                "type": "RecognizerGCN",
                "backbone": {
                    "type": "STGCN",
                    "in_channels": in_channels,
                    "base_channels": 4,
                    "num_stages": 2,
                    "inflate_stages": [],
                    "down_stages": [],
                    "graph_cfg": {"layout": layouts[joints], "mode": "stgcn_spatial"},
                },
                "cls_head": {
                    "type": "GCNHead",
                    "num_classes": classes,
                    "in_channels": 4,
                },
            },
            "train_dataloader": train,
            "val_dataloader": loader("val"),
            "test_dataloader": loader("val"),
            "train_cfg": {"type": "EpochBasedTrainLoop", "max_epochs": 1},
            "val_cfg": {"type": "ValLoop"},
            "test_cfg": {"type": "TestLoop"},
            "val_evaluator": [{"type": "AccMetric"}],
            "test_evaluator": [{"type": "AccMetric"}],
            "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.01}},
            "custom_hooks": [{"type": "CheckDataHook"}],
            "default_hooks": {"checkpoint": None},
        }
    )


class Loop(BaseLoop):
    """A loop that has only a data loader."""

    def run(self):
        raise AssertionError("the hook must not run a loop")


def check(cfg, wrap=lambda dataset: dataset, split="train", wrap_model=lambda m: m):
    """Run the hook on a data set and a model, without a runner."""
    init_default_scope("mmaction")
    dataset = cfg.train_dataloader.dataset.dataset
    dataset.split = split
    dataset = wrap(DATASETS.build(dataset))
    model = wrap_model(MODELS.build(cfg.model))
    loop = Loop(None, torch.utils.data.DataLoader(dataset))
    runner = SimpleNamespace(
        model=model, _train_loop=loop, _val_loop={}, _test_loop=None
    )
    CheckDataHook().before_run(runner)


def assert_rejected(kind, key, *args, sample="sample000", field, **kwargs):
    """Check that an error is raised whose message contains the config key."""
    with raises(kind, DataError, file="a.pkl", sample=sample, field=field) as error:
        check(*args, **kwargs)
    assert key in error.value.message
    assert "\n" not in str(error.value)
    return error.value.message


@pytest.mark.parametrize(("joints", "channels"), [(20, 3), (25, 3), (17, 2)])
def test_matching_data_pass(tmp_path, joints, channels):
    path = write(tmp_path / "a.pkl", joints=joints, channels=channels)
    check(config(path, joints=joints))


def test_label_out_of_range(tmp_path):
    data = annotations()
    data["annotations"][2]["label"] = 7
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    text = assert_rejected(
        "label",
        "model.cls_head.num_classes",
        config(tmp_path / "a.pkl"),
        sample="sample002",
        field="label",
    )
    assert all(number in text for number in "748")


def regression(path, targets=3):
    cfg = config(path)
    head = {"type": "TraitHead", "num_targets": targets, "in_channels": 4}
    cfg.model.cls_head = head
    return cfg


def test_targets(tmp_path):
    path = write(tmp_path / "a.pkl", targets=3)
    check(regression(path))
    key = "model.cls_head.num_targets to 3"
    assert_rejected("target", key, regression(path, targets=1), field="targets")
    assert_rejected("label", "num_targets=3", config(path), field="label")


def test_targets_missing(tmp_path):
    data = annotations(targets=3)
    sample = data["annotations"][2]
    del sample["targets"]
    sample["label"] = 7  # regression ignores labels
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    assert_rejected(
        "target",
        "targets",
        regression(tmp_path / "a.pkl"),
        sample="sample002",
        field="targets",
    )


def test_labels_and_targets(tmp_path):
    data = annotations(targets=3)
    for sample in data["annotations"]:
        sample["label"] = 3
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    check(regression(tmp_path / "a.pkl"))
    check(config(tmp_path / "a.pkl"))


def test_joints_differ_from_layout(tmp_path):
    path = write(tmp_path / "a.pkl", joints=20)
    key = "model.backbone.graph_cfg.layout to 'kinect20'"
    text = assert_rejected("layout", key, config(path, joints=25), field="keypoint")
    assert "nturgb+d" in text
    assert "20" in text
    assert "25" in text


def test_joints_of_unknown_layout(tmp_path):
    cfg = config(write(tmp_path / "a.pkl", joints=14), joints=20)
    key = "model.backbone.graph_cfg.layout"
    text = assert_rejected("layout", key, cfg, field="keypoint")
    assert "14" in text
    assert "20" in text


def test_joints_on_which_the_pipeline_fails(tmp_path):
    path = write(tmp_path / "a.pkl", joints=20)
    feature = {"type": "GenSkeFeat", "dataset": "nturgb+d", "feats": ["b"]}
    cfg = config(path, joints=25, pipeline=[feature, *FORMATTING])
    assert_rejected("layout", "model.backbone.graph_cfg.layout", cfg, field="keypoint")


def test_other_pipeline_errors_are_unchanged(tmp_path):
    cfg = config(write(tmp_path / "a.pkl"), pipeline=[{"type": "PoseCompact"}])
    with pytest.raises(KeyError, match="img_shape"):
        check(cfg)


def test_joints_selected_by_the_pipeline(tmp_path):
    """The output of the pipeline counts, not the content of the file."""
    path = write(tmp_path / "a.pkl", joints=25)
    cfg = config(path, joints=20)

    def select(results):
        results["keypoint"] = results["keypoint"][:, :, :20]
        return results

    def wrap(dataset):
        dataset.pipeline.transforms.insert(0, select)
        return dataset

    check(cfg, wrap)


def test_channels(tmp_path):
    path = write(tmp_path / "a.pkl", joints=17, channels=2)
    cfg = config(path, joints=17, in_channels=2)
    key = "model.backbone.in_channels to 3"
    assert "keypoint_score" in assert_rejected("shape", key, cfg, field="keypoint")


def test_channels_without_scores(tmp_path):
    data = annotations(joints=17, channels=2)
    for sample in data["annotations"]:
        del sample["keypoint_score"]
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    cfg = config(tmp_path / "a.pkl", joints=17)
    assert_rejected("shape", "model.backbone.in_channels to 2", cfg, field="keypoint")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda dataset: RepeatDataset(dataset, times=3),
        lambda dataset: ConcatDataset([dataset, dataset]),
        lambda dataset: torch.utils.data.ConcatDataset([RepeatDataset(dataset, 3)] * 2),
    ],
)
def test_wrapped_data_sets(tmp_path, wrap):
    path = write(tmp_path / "a.pkl")
    check(config(path), wrap)
    cfg = config(path, classes=3)
    assert_rejected(
        "label", "num_classes", cfg, wrap, sample="sample003", field="label"
    )


def test_wrapped_model(tmp_path):
    cfg = config(write(tmp_path / "a.pkl"), classes=3)
    # A model wrapper of MMEngine that requires no process group.
    assert_rejected(
        "label",
        "num_classes",
        cfg,
        wrap_model=nn.DataParallel,
        sample="sample003",
        field="label",
    )


class OtherDataset(BaseDataset):
    """A data set without a summary."""

    def load_data_list(self):
        return [{"label": 99}]


def test_unsupported_data_and_models_are_skipped(tmp_path):
    cfg = config(write(tmp_path / "a.pkl"))
    check(cfg, wrap=lambda dataset: OtherDataset())
    check(cfg, wrap_model=lambda model: nn.Linear(2, 2))


def test_random_state_is_unchanged(tmp_path):
    cfg = config(write(tmp_path / "a.pkl"))
    init_default_scope("mmaction")
    model = MODELS.build(cfg.model)
    hook, dataset = CheckDataHook(), DATASETS.build(cfg.train_dataloader.dataset)
    loop = Loop(None, torch.utils.data.DataLoader(dataset))
    run = SimpleNamespace(
        model=model, _train_loop=loop, _val_loop=None, _test_loop=None
    )

    def draw(action):
        np.random.seed(3)
        torch.manual_seed(3)
        random.seed(3)
        action()
        return np.random.rand(), torch.rand(1).item(), random.random()

    assert draw(lambda: None) == draw(lambda: hook.before_run(run))


# Tests with a complete runner.


@pytest.fixture(autouse=True)
def config_is_not_pretty_printed(monkeypatch):
    """It takes two seconds per runner."""
    monkeypatch.setattr(Config, "pretty_text", "")


def runner(cfg):
    init_default_scope("mmaction")
    return Runner.from_cfg(cfg)


def count_steps(monkeypatch):
    from mmaction.models import RecognizerGCN

    steps, forward = [], RecognizerGCN.forward

    def counted(self, *args, **kwargs):
        steps.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(RecognizerGCN, "forward", counted)
    return steps


def test_training_with_matching_data(tmp_path, monkeypatch):
    steps = count_steps(monkeypatch)
    cfg = config(write(tmp_path / "a.pkl"), work_dir=tmp_path)
    runner(cfg).train()
    assert len(steps) == 4 + 1


@pytest.mark.parametrize(
    ("command", "change", "kind"),
    [
        ("train", {"classes": 3}, "label"),
        ("train", {"joints": 25}, "layout"),
        ("train", {"in_channels": 2}, "shape"),
        ("val", {"classes": 3}, "label"),
        ("test", {"joints": 25}, "layout"),
    ],
)
def test_rejected_before_the_first_iteration(
    tmp_path, monkeypatch, change, kind, command
):
    steps = count_steps(monkeypatch)
    cfg = config(write(tmp_path / "a.pkl"), work_dir=tmp_path, **change)
    with raises(kind, file="a.pkl"):
        getattr(runner(cfg), command)()
    assert not steps


def test_validation_data_are_checked_before_training(tmp_path, monkeypatch):
    steps = count_steps(monkeypatch)
    data = annotations()
    data["annotations"][-1]["label"] = 4
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    cfg = config(tmp_path / "a.pkl", work_dir=tmp_path)
    with raises("label", sample="sample011", field="label"):
        runner(cfg).train()
    assert not steps


@pytest.mark.parametrize("command", ["val", "test", "train"])
@pytest.mark.parametrize("change", ["missing", "unexpected", "shape", "none"])
def test_checkpoint_must_match_except_in_training(
    tmp_path, monkeypatch, change, command
):
    steps = count_steps(monkeypatch)
    cfg = config(write(tmp_path / "a.pkl"), work_dir=tmp_path)
    state = MODELS.build(cfg.model).state_dict()
    key = "cls_head.fc.weight"
    if change == "missing":
        del state[key]
    elif change == "unexpected":
        state[key := "extra"] = torch.zeros(1)
    elif change == "shape":
        state[key] = torch.zeros(3, 4)
    # With the prefix of DistributedDataParallel, which MMEngine removes.
    state = {f"module.{name}": value for name, value in state.items()}
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    cfg.load_from = str(tmp_path / "a.pth")
    if change == "none" or command == "train":
        getattr(runner(cfg), command)()
        return
    with raises("weights", ConfigError, file="a.pth") as error:
        getattr(runner(cfg), command)()
    assert key in error.value.message
    assert not steps


def warnings_of(cfg, monkeypatch):
    """Return the warnings of the hook in a training."""
    warnings = []
    run = runner(cfg)
    monkeypatch.setattr(run.logger, "warning", warnings.append)
    run.train()
    return warnings


def test_warning_about_ignored_persons(tmp_path, monkeypatch):
    path = write(tmp_path / "a.pkl", persons=3)
    cfg = config(path, work_dir=tmp_path)
    warnings = warnings_of(cfg, monkeypatch)
    advice = "dict(type='SelectPersons', num_person=1)"
    assert len([warning for warning in warnings if advice in warning]) == 2
    select = {"type": "SelectPersons", "num_person": 1}
    cfg = config(path, work_dir=tmp_path, pipeline=[select, *FORMATTING])
    assert not warnings_of(cfg, monkeypatch)


def test_warning_about_default_image_size(tmp_path, monkeypatch):
    data = annotations(joints=17, channels=2)
    save_annotations(data, tmp_path / "sized.pkl")
    for sample in data["annotations"]:
        del sample["img_shape"]
    save_annotations(data, tmp_path / "unsized.pkl")
    pipeline = [
        {"type": "PreNormalize2D"},
        {"type": "SkeletonFeatures", "layout": "coco"},
        *FORMATTING,
    ]
    for name, count in (("sized", 0), ("unsized", 2)):
        path = tmp_path / f"{name}.pkl"
        cfg = config(path, joints=17, work_dir=tmp_path, pipeline=pipeline)
        warnings = warnings_of(cfg, monkeypatch)
        assert len([text for text in warnings if "(1080, 1920)" in text]) == count


# Compatibility of the parts of a config.


NETWORKS = {
    "MSG3D": {
        "base_channels": 6,
        "num_gcn_scales": 2,
        "num_g3d_scales": 2,
        "in_channels": 3,
    },
    "STGCN": {
        "base_channels": 4,
        "num_stages": 2,
        "inflate_stages": [2],
        "down_stages": [],
    },
    "PartitionSTGCN": {"base_channels": 4},
    "TwoStreamSTGCN": {"base_channels": 4},
    "AAGCN": {"base_channels": 4},
    "LayoutAAGCN": {"base_channels": 4},
    "AGCN": {"base_channels": 4},
    "ResTCN": {"base_channels": 4, "num_person": 1},
}
CHANNELS = {"MSG3D": 24, "STGCN": 8, "TwoStreamSTGCN": 32}


def network(path, name, in_channels=None, head="GCNHead", **changes):
    cfg = config(path)
    mode = "binary_adj" if name == "MSG3D" else "spatial"
    graph_cfg = dict(cfg.model.backbone.graph_cfg, mode=mode)
    cfg.model.backbone = dict(NETWORKS[name], type=name, graph_cfg=graph_cfg)
    if name in ("MSG3D", "LayoutAAGCN", "AAGCN", "AGCN"):
        cfg.model.backbone.num_person = 1
    cfg.model.backbone.update(changes)
    cfg.model.cls_head.in_channels = in_channels or CHANNELS.get(name, 16)
    if head == "TraitHead":
        number = cfg.model.cls_head.in_channels
        cfg.model.cls_head = {"type": head, "num_targets": 3, "in_channels": number}
    return cfg


@pytest.mark.parametrize("name", NETWORKS)
def test_channels_of_the_head(tmp_path, name):
    path = write(tmp_path / "a.pkl")
    check(network(path, name))
    right = network(path, name).model.cls_head.in_channels
    with raises("option", ConfigError, field="model.cls_head.in_channels") as error:
        check(network(path, name, in_channels=12))
    assert f"to {right}" in error.value.message


def test_channels_of_the_regression_head(tmp_path):
    path = write(tmp_path / "a.pkl", targets=3)
    check(network(path, "MSG3D", head="TraitHead"))
    with raises("option", ConfigError, field="model.cls_head.in_channels"):
        check(network(path, "MSG3D", in_channels=96, head="TraitHead"))


def test_check_does_not_change_the_model(tmp_path):
    cfg = network(write(tmp_path / "a.pkl"), "MSG3D")
    init_default_scope("mmaction")
    model = MODELS.build(cfg.model).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check(cfg, wrap_model=lambda _: model)
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("name", ["MSG3D", "AAGCN", "AGCN", "ResTCN"])
def test_persons(tmp_path, name):
    path = write(tmp_path / "a.pkl")
    with raises("option", ConfigError, field="num_person"):
        check(network(path, name, num_person=2))


def test_several_streams(tmp_path):
    path = write(tmp_path / "a.pkl")
    layout = skeleton("kinect20").as_graph()
    features = {"type": "SkeletonFeatures", "layout": layout, "feats": ["j", "b"]}
    cfg = config(path, pipeline=[features, *FORMATTING])
    with raises("shape", ConfigError, file="a.pkl", field="feats"):
        check(cfg)
    check(config(path, in_channels=6, pipeline=[features, *FORMATTING]))


def test_layout_of_a_transform(tmp_path):
    """Layouts with the same number of joints differ in their names."""
    path = write(tmp_path / "a.pkl", joints=17)
    other = {"type": "SkeletonFeatures", "layout": "h36m17", "feats": ["b"]}
    cfg = config(path, joints=17, pipeline=[other, *FORMATTING])
    with raises("layout", ConfigError, field="SkeletonFeatures.layout"):
        check(cfg)
    converted = {
        "type": "ConvertLayout",
        "source": "h36m17",
        "target": "coco",
        "missing": "zero",
    }
    check(config(path, joints=17, pipeline=[other, converted, *FORMATTING]))


def test_layout_of_the_file(tmp_path):
    data = annotations(joints=17)
    data["meta"] = {"layout": "h36m17"}
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    assert_rejected(
        "layout",
        "model.backbone.graph_cfg.layout",
        config(tmp_path / "a.pkl", joints=17),
        sample=None,
        field="meta['layout']",
    )
    data["meta"] = {"layout": "coco"}
    mmengine.dump(data, str(tmp_path / "a.pkl"))
    check(config(tmp_path / "a.pkl", joints=17))


def test_missing_checkpoint(tmp_path, monkeypatch):
    cfg = config(write(tmp_path / "a.pkl"), work_dir=tmp_path)
    cfg.load_from = str(tmp_path / "no.pth")
    steps = count_steps(monkeypatch)
    with raises("not-found", file="no.pth", field="load_from"):
        runner(cfg).train()
    assert not steps


def test_classes_of_training_and_validation(tmp_path, monkeypatch):
    """Labels have the same meaning, or training does not start."""
    steps = count_steps(monkeypatch)
    for name, classes in (("a", "abcd"), ("b", "abdc"), ("c", "")):
        data = annotations()
        data["meta"] = {"classes": list(classes)} if classes else {}
        mmengine.dump(data, tmp_path / f"{name}.pkl")
    cfg = config(tmp_path / "a.pkl", work_dir=tmp_path)
    dataset = cfg.val_dataloader.dataset
    dataset.ann_file = str(tmp_path / "b.pkl")
    with raises("label", DataError, file="b.pkl", field="classes"):
        runner(cfg).train()
    assert not steps
    for name in ("a", "c"):
        dataset.ann_file = str(tmp_path / f"{name}.pkl")
        runner(cfg).train()
