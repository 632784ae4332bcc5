"""FreezeParametersHook freezes the given parameters for some epochs."""

import copy

import torch
from mmengine.dataset import DefaultSampler
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from errors import raises
from msg3d.errors import ConfigError


class Points(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {"inputs": torch.full((2,), index / 8.0)}


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.inner = nn.Module()
        self.inner.PA = nn.Parameter(torch.tensor([0.5, -1.0]))
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.states = []

    def forward(self, inputs, mode="loss"):
        self.states.append(copy.deepcopy(self.state_dict()))
        return {"loss": ((self.inner.PA * inputs + self.weight) ** 2).mean()}


def train(work_dir, model, hooks, max_epochs=3, resume=False):
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader={
            "dataset": Points(),
            "batch_size": 4,
            "sampler": {"type": DefaultSampler, "shuffle": False},
            "collate_fn": {"type": "default_collate"},
        },
        train_cfg={"by_epoch": True, "max_epochs": max_epochs},
        optim_wrapper={
            "optimizer": {
                "type": "SGD",
                "lr": 0.1,
                "momentum": 0.9,
                "weight_decay": 0.1,
            }
        },
        custom_hooks=hooks,
        resume=resume,
        experiment_name=f"freeze_{work_dir.name}_{max_epochs}_{resume}",
        default_scope="mmaction",
    )
    runner.train()
    return [state["inner.PA"] for state in model.states], model


def hook(**kwargs):
    return dict(type="FreezeParametersHook", **dict({"names": ["PA"]}, **kwargs))


def test_training_starts_after_frozen_epochs(tmp_path):
    """Two iterations per epoch; frozen epochs leave no weight decay or momentum."""
    values, model = train(tmp_path, Model(), [hook(epochs=2)])
    assert all(torch.equal(value, values[0]) for value in values[:5])
    assert not torch.equal(values[5], values[4])
    assert not torch.equal(model.states[1]["weight"], model.states[0]["weight"])

    before = model.states[4]  # before the first step of PA
    inputs = torch.stack([Points()[i]["inputs"] for i in range(4)])
    PA = before["inner.PA"].clone().requires_grad_()
    ((PA * inputs + before["weight"]) ** 2).mean().backward()
    expected = before["inner.PA"] - 0.1 * (PA.grad + 0.1 * before["inner.PA"])
    torch.testing.assert_close(values[5], expected)


def test_resumed_run_continues_the_count(tmp_path):
    train(tmp_path, Model(), [hook(epochs=2)], max_epochs=1)
    values, _ = train(tmp_path, Model(), [hook(epochs=2)], resume=True)
    assert len(values) == 4
    assert torch.equal(values[2], values[0])
    assert not torch.equal(values[3], values[2])


def test_unknown_name(tmp_path):
    with raises("unknown-name", ConfigError, field="names") as error:
        train(tmp_path, Model(), [hook(names=["PA", "B"], epochs=1)])
    assert "'B'" in error.value.message


class Normalized(Model):
    """Model with BatchNorm in a module that is frozen."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))

    def forward(self, inputs, mode="loss"):
        return super().forward(self.backbone(inputs), mode)


def test_frozen_module_does_not_change(tmp_path):
    hook = {"type": "FreezeParametersHook", "names": ["backbone"]}
    model = Normalized()
    before = copy.deepcopy(model.state_dict())
    train(tmp_path, model, [hook])
    after = model.state_dict()
    frozen = [name for name in before if name.startswith("backbone.")]
    assert len(frozen) == 7
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(before["weight"], after["weight"])
    assert model.backbone.training
