"""Test that every config builds, loads a batch, and takes one training step."""

import copy
import re
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from conftest import REPOSITORY
from leaves import LEAVES, ROOT, UPSTREAM, datasets
from msg3d.apis.flops import input_shape
from msg3d.skeletons import skeleton
from samples import write

sys.path.insert(0, str(REPOSITORY / "tools"))
from model_index import metafiles

STREAMS = {"j": "joint", "b": "bone", "jm": "joint-motion", "bm": "bone-motion"}


def use_file(cfg, path):
    """Switch a config to a small data file of its layout, and shrink its network."""
    layout = cfg.model.backbone.graph_cfg.layout
    train, val, test = datasets(cfg)
    write(
        path,
        splits=(train.split, val.split),
        joints=len(skeleton(layout).joints),
        channels=2 if "2d" in Path(cfg.filename).name else 3,
        persons=cfg.model.backbone.get("num_person", 2),
        targets=cfg.model.cls_head.get("num_targets", 0),
    )
    test.split = val.split
    for dataset in (train, val, test):
        dataset.ann_file = str(path)
        for step in dataset.pipeline:
            for key in ("clip_len", "length"):
                if key in step:
                    step[key] = 24
    cfg.model.backbone.base_channels = 12
    cfg.model.cls_head.in_channels = 48


def clips(cfg):
    """Return the number of clips per test sample."""
    steps = cfg.test_dataloader.dataset.pipeline
    return next((step["num_clips"] for step in steps if "num_clips" in step), 1)


@pytest.fixture(scope="module")
def entries():
    """Map each config to (its model index entry, architectures of its collection)."""
    by_config = {}
    for path in metafiles.metafiles():
        content = metafiles.read(path)
        architectures = {
            collection["Name"]: collection["Metadata"]["Architecture"]
            for collection in content["Collections"]
        }
        for model in content["Models"]:
            architecture = architectures[model["In Collection"]]
            by_config[model["Config"]] = model, architecture
    return by_config


def check_name_and_entry(cfg, entries):
    """Check that the name and the model index entry of a config match its contents."""
    path = Path(cfg.filename)
    parts = metafiles.parse_name(path.stem)
    model, architectures = entries[f"configs/{path.relative_to(ROOT).as_posix()}"]
    assert cfg.model.backbone.type in architectures
    assert model["Metadata"]["Input"] == "x".join(map(str, input_shape(cfg)))

    train = cfg.train_dataloader.dataset
    times, train = train.get("times", 1), train.get("dataset", train)
    assert int(parts["epochs"]) == cfg.train_cfg.max_epochs * times
    # MMEngine counts the samples of a forward pass, not those of an optimizer step.
    passes = cfg.optim_wrapper.get("accumulative_counts", 1)
    assert int(parts["batch"]) == cfg.train_dataloader.batch_size * passes
    # The quickstart has a larger base batch size: its rate is scaled down to one GPU.
    if "synthetic" not in path.stem:
        base = cfg.auto_scale_lr.base_batch_size * passes
        assert int(parts["gpus"]) * int(parts["batch"]) == base
    laban = any(step.type == "LabanEffort" for step in train.pipeline)
    several = any("feats" in step for step in train.pipeline)
    stream = "streams" if several else STREAMS[train.get("stream", "j")]
    assert parts["stream"] == ("laban" if laban else stream)
    data = re.sub(r"_(\d+|[23]d)$", "", Path(train.ann_file).stem)
    split = train.split.removesuffix("train")
    name = f"{data}_{split}".replace("_", "-").strip("-")
    assert f"{name}-{parts['dimensions']}" == parts["data"].lower()


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_config_trains(path, tmp_path, entries):
    cfg = Config.fromfile(path)
    check_name_and_entry(cfg, entries)
    network = copy.deepcopy(cfg.model)
    use_file(cfg, tmp_path / "data.pkl")
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    init_default_scope("mmaction")
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader)))
    derived = [name for name in list(STREAMS.values())[1:] if f"-{name}-" in path.name]
    if derived:  # the same network as for joints
        joint = Config.fromfile(path.with_name(path.name.replace(derived[0], "joint")))
        assert network == joint.model
        channels = cfg.model.backbone.get("in_channels", 3)
        assert batch["inputs"][0].shape[-1] == channels
        return
    model = MODELS.build(cfg.model)
    data = model.data_preprocessor(batch, training=True)
    losses = model(**data, mode="loss")
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.parameters())

    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    batch = next(iter(Runner.build_dataloader(cfg.test_dataloader)))
    assert batch["inputs"][0].shape[0] == clips(cfg)
    data = model.data_preprocessor(batch, training=False)
    with torch.no_grad():
        sample = model.eval()(**data, mode="predict")[0]
    if "num_targets" in cfg.model.cls_head:
        assert sample.pred_targets.shape == sample.gt_targets.shape
        assert {"frame_dir", "person_id", "session"} <= set(sample.metainfo_keys())
    else:
        torch.testing.assert_close(sample.pred_score.sum(), torch.tensor(1.0))


def test_learning_rate_is_scaled_to_one_gpu(tmp_path):
    cfg = Config.fromfile(ROOT / "msg3d" / UPSTREAM.format("3d"))
    use_file(cfg, tmp_path / "data.pkl")
    cfg.work_dir = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    optimizer = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper = optimizer
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.scale_lr(optimizer, runner.auto_scale_lr)
    assert optimizer.get_lr()["lr"] == [0.1 * 16 / 128]
