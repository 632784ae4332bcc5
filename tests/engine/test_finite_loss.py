"""FiniteLossHook stops at NaN, reports the samples, and keeps good checkpoints."""

import re

import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook

from tiny_runs import prepare, train

BY_ITERATION = {
    "default_hooks.checkpoint.by_epoch": False,
    "default_hooks.checkpoint.interval": 2,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = prepare(tmp_path_factory.mktemp("tiny"))
    pack = "dict(type='PackActionInputs', meta_keys=('frame_dir', ))"
    text = path.read_text(encoding="utf-8").replace(
        "dict(type='PackActionInputs')", pack
    )
    path.write_text(text, encoding="utf-8")
    return path


class SetNaN(Hook):
    """Set a weight to NaN before an iteration, and store the names of the batch."""

    names = None

    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            next(runner.model.parameters()).data.fill_(float("nan"))
            names = [sample.frame_dir for sample in data_batch["data_samples"]]
            self.names = list(dict.fromkeys(names))  # without repetitions


def error_message(tiny, work_dir, *hooks, **options):
    with pytest.raises(FloatingPointError) as error:
        train(tiny, work_dir, hooks=hooks, **options)
    return str(error.value)


def sample_names(message):
    return re.search(r"samples ((?:\w+, )*\w+)", message)[1].split(", ")


def test_reports_batch_and_last_checkpoint(tiny, tmp_path):
    hook = SetNaN(iteration=6)
    text = error_message(tiny, tmp_path, hook)
    assert "iteration 7 (epoch 2)" in text
    assert sample_names(text) == hook.names
    assert len(hook.names) > 1
    assert f"--resume {tmp_path / 'epoch_1.pth'}" in text
    assert "\n" not in text
    assert torch.load(tmp_path / "epoch_1.pth")["meta"]["iter"] == 4


def test_reports_batch_of_a_run_resumed_within_an_epoch(tiny, tmp_path):
    train(tiny, tmp_path, **BY_ITERATION, **{"train_cfg.max_epochs": 2})
    last = {"resume": True, "load_from": str(tmp_path / "iter_6.pth")}
    hook = SetNaN(iteration=7)
    assert sample_names(error_message(tiny, tmp_path, hook, **last)) == hook.names


def test_reports_samples_with_nonfinite_input(tiny, tmp_path):
    @TRANSFORMS.register_module(force=True)
    class DivideByZero(BaseTransform):
        def transform(self, results):
            if results["frame_dir"] == "sample003":
                results["keypoint"][0, :, 2] = float("inf")
            return results

    start, step = "pipeline = [", "dict(type='DivideByZero'), "
    config = tiny.with_name("dividing.py")
    config.write_text(
        tiny.read_text(encoding="utf-8").replace(start, start + step, 1),
        encoding="utf-8",
    )
    text = error_message(config, tmp_path)
    assert sample_names(text) == ["sample003"]
    assert "--resume" not in text
    assert "optim_wrapper" not in text


def test_never_saves_nonfinite_weights(tiny, tmp_path):
    class SetInfAtTheEnd(Hook):
        """No loss is computed after the last step of the epoch."""

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 7:
                runner.model.cls_head.fc.bias.data[0] = float("inf")

    text = error_message(tiny, tmp_path, SetInfAtTheEnd())
    assert "cls_head.fc.bias" in text
    assert "iteration 8" in text
    assert f"--resume {tmp_path / 'epoch_1.pth'}" in text
    assert not (tmp_path / "epoch_2.pth").exists()
