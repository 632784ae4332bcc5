"""Training stops at NaN, names the samples, and leaves good checkpoints."""

import ast
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
    named = "dict(type='PackActionInputs', meta_keys=('frame_dir', ))"
    text = path.read_text(encoding="utf-8").replace(
        "dict(type='PackActionInputs')", named
    )
    path.write_text(text, encoding="utf-8")
    return path


class Poison(Hook):
    """Makes a weight NaN before one iteration, and keeps that batch's names."""

    names = None

    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            next(runner.model.parameters()).data.fill_(float("nan"))
            names = [sample.frame_dir for sample in data_batch["data_samples"]]
            self.names = list(dict.fromkeys(names))  # two of a sample are one


def stopped(tiny, work_dir, *hooks, **options):
    with pytest.raises(FloatingPointError) as error:
        train(tiny, work_dir, hooks=hooks, **options)
    return str(error.value)


def named(sentence):
    return ast.literal_eval(re.search(r"samples (\[.*?\])", sentence)[1])


def test_names_batch_and_last_checkpoint(tiny, tmp_path):
    poison = Poison(iteration=6)
    text = stopped(tiny, tmp_path, poison)
    assert "iteration 7 (epoch 2)" in text
    assert named(text) == poison.names
    assert len(poison.names) > 1
    assert f"--resume {tmp_path / 'epoch_1.pth'}" in text
    assert "\n" not in text
    assert torch.load(tmp_path / "epoch_1.pth")["meta"]["iter"] == 4


def test_names_batch_of_a_run_resumed_inside_an_epoch(tiny, tmp_path):
    train(tiny, tmp_path, **BY_ITERATION, **{"train_cfg.max_epochs": 2})
    last = {"resume": True, "load_from": str(tmp_path / "iter_6.pth")}
    poison = Poison(iteration=7)
    assert named(stopped(tiny, tmp_path, poison, **last)) == poison.names


def test_names_the_sample_whose_input_is_not_finite(tiny, tmp_path):
    @TRANSFORMS.register_module(force=True)
    class DivideByZero(BaseTransform):
        def transform(self, results):
            if results["frame_dir"] == "sample003":
                results["keypoint"][0, :, 2] = float("inf")
            return results

    first, added = "pipeline = [", "dict(type='DivideByZero'), "
    config = tiny.with_name("dividing.py")
    config.write_text(
        tiny.read_text(encoding="utf-8").replace(first, first + added, 1),
        encoding="utf-8",
    )
    text = stopped(config, tmp_path)
    assert named(text) == ["sample003"]
    assert "--resume" not in text
    assert "optim_wrapper" not in text


def test_writes_no_weights_that_are_not_finite(tiny, tmp_path):
    class PoisonAtTheEnd(Hook):
        """The last step of the epoch can spoil what no loss has seen yet."""

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 7:
                runner.model.cls_head.fc.bias.data[0] = float("inf")

    text = stopped(tiny, tmp_path, PoisonAtTheEnd())
    assert "cls_head.fc.bias" in text
    assert "iteration 8" in text
    assert f"--resume {tmp_path / 'epoch_1.pth'}" in text
    assert not (tmp_path / "epoch_2.pth").exists()
