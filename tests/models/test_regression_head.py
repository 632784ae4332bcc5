"""Regression head, and packing of its targets."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

import msg3d  # noqa: F401
from errors import raises
from msg3d.errors import ConfigError, DataError


def head(**kwargs):
    torch.manual_seed(0)
    cfg = {"type": "TraitHead", "num_targets": 3, "in_channels": 8}
    model = MODELS.build({**cfg, **kwargs}).double()
    torch.nn.init.normal_(model.fc.weight)
    return model


def samples(targets):
    data_samples = [ActionDataSample() for _ in targets]
    for sample, values in zip(data_samples, targets, strict=True):
        sample.set_field(torch.as_tensor(values), "gt_targets")
    return data_samples


def features(count, persons=2):
    return torch.rand(count, persons, 8, 4, 5, dtype=torch.double)


MEAN, STD = [1.0, -2.0, 30.0], [0.5, 1.0, 10.0]


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_loss_matches_the_formula(loss):
    model = head(loss=loss, target_mean=MEAN, target_std=STD)
    x, targets = features(4), np.random.default_rng(0).normal(size=(4, 3))
    losses = model.loss(x, samples(targets.astype(np.float32)))
    assert list(losses) == [f"loss_{loss}"]

    pooled = x.mean((1, 3, 4)).numpy()
    scores = pooled @ model.fc.weight.detach().numpy().T
    scores += model.fc.bias.detach().numpy()
    error = scores - (targets.astype(np.float32) - MEAN) / STD
    expected = (error**2).mean() if loss == "mse" else np.abs(error).mean()
    np.testing.assert_allclose(losses[f"loss_{loss}"].item(), expected, rtol=1e-6)
    losses[f"loss_{loss}"].backward()
    assert model.fc.weight.grad.abs().sum() > 0


def test_prediction_in_the_units_of_the_targets():
    model, x = head(target_mean=MEAN, target_std=STD).eval(), features(3)
    plain = x.mean((1, 3, 4)) @ model.fc.weight.T + model.fc.bias
    expected = plain * torch.tensor(STD) + torch.tensor(MEAN)
    torch.testing.assert_close(model(x), expected)
    predictions = model.predict(x, samples(np.zeros((3, 3))))
    for sample, targets in zip(predictions, expected, strict=True):
        torch.testing.assert_close(sample.pred_targets, targets)
        assert not hasattr(sample, "pred_score")
        assert not hasattr(sample, "pred_label")


def test_clips_are_averaged():
    model, x = head().eval(), features(6)
    predictions = model.predict(x, samples(np.zeros((2, 3))))  # three clips each
    for sample, clips in zip(predictions, model(x).split(3), strict=True):
        torch.testing.assert_close(sample.pred_targets, clips.mean(0))


def test_checkpoint_contains_the_standardization():
    first = head(target_mean=MEAN, target_std=STD)
    second = head()
    second.load_state_dict(first.state_dict())
    x = features(2)
    torch.testing.assert_close(first(x), second(x))


@pytest.mark.parametrize("targets", [1, 7])
def test_any_number_of_targets_in_the_recognizer(targets):
    init_default_scope("mmaction")
    model = MODELS.build(
        {
            "type": "RecognizerGCN",
            "backbone": {
                "type": "MSG3D",
                "graph_cfg": {"layout": "smpl24", "mode": "binary_adj"},
                "in_channels": 15,
                "base_channels": 12,
                "num_gcn_scales": 3,
                "num_g3d_scales": 2,
                "num_person": 1,
            },
            "cls_head": {
                "type": "TraitHead",
                "num_targets": targets,
                "in_channels": 48,
            },
        }
    )
    pack = TRANSFORMS.build({"type": "PackTargetInputs"})
    keypoint = np.random.rand(2, 2, 1, 8, 24, 15).astype(np.float32)  # two clips each
    packed = [
        pack({"keypoint": clips, "targets": np.arange(targets), "frame_dir": "a"})
        for clips in keypoint
    ]
    batch = {
        "inputs": torch.stack([results["inputs"] for results in packed]),
        "data_samples": [results["data_samples"] for results in packed],
    }
    with torch.no_grad():
        predictions = model.eval()(**batch, mode="predict")
        clips = model(
            batch["inputs"].flatten(0, 1)[:, None], mode="tensor", stage="head"
        )
    assert all(sample.pred_targets.shape == (targets,) for sample in predictions)
    torch.testing.assert_close(predictions[0].pred_targets, clips[:2].mean(0))
    training = dict(batch, inputs=batch["inputs"][:, :1])
    model.train()(**training, mode="loss")["loss_mse"].backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", "huber"),
        ("target_mean", [1.0]),
        ("target_std", [1.0, 0.0, 1.0]),
        ("target_std", [1.0, float("nan"), 1.0]),
    ],
)
def test_invalid_options(name, value):
    with raises("option", ConfigError, field=name):
        head(**{name: value})


@pytest.mark.parametrize("targets", [None, [1.0], [1.0, 2.0, 3.0, 4.0]])
def test_missing_targets(targets):
    """A single number would broadcast silently."""
    sample = ActionDataSample(metainfo={"frame_dir": "s7"})
    if targets is not None:
        sample.set_field(torch.tensor(targets), "gt_targets")
    with raises("target", DataError, sample="s7", field="gt_targets"):
        head().loss(features(1), [sample])


def test_packing():
    pack = TRANSFORMS.build({"type": "PackTargetInputs"})
    keypoint = np.ones((1, 1, 4, 24, 3), np.float32)
    results = {
        "keypoint": keypoint,
        "targets": [1, 2.5],
        "frame_dir": "a",
        "person_id": 7,
    }
    packed = pack(results)
    sample = packed["data_samples"]
    assert torch.equal(sample.gt_targets, torch.tensor([1, 2.5]))
    assert sample.gt_targets.dtype == torch.float32
    assert (sample.frame_dir, sample.person_id) == ("a", 7)
    assert "session" not in sample
    assert "gt_label" not in sample
    assert torch.equal(packed["inputs"], torch.from_numpy(keypoint))
    assert pack(dict(results, label=3))["data_samples"].gt_label == 3
    with raises("target", DataError, sample="a", field="targets"):
        pack({"keypoint": keypoint, "label": 1, "frame_dir": "a"})
