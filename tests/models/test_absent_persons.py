"""Mean over persons with and without absent persons."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from errors import raises
from msg3d.errors import ConfigError
from msg3d.models.absent_persons import mean_of_present

CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}
BACKBONES = {
    "MSG3D": {"base_channels": 6, "num_gcn_scales": 3, "num_g3d_scales": 2},
    "STGCN": {
        "base_channels": 8,
        "num_stages": 3,
        "inflate_stages": [2],
        "down_stages": [3],
    },
    "AAGCN": {
        "base_channels": 8,
        "num_stages": 3,
        "inflate_stages": [2],
        "down_stages": [3],
    },
}
MODES = {"MSG3D": "binary_adj", "STGCN": "stgcn_spatial", "AAGCN": "spatial"}
CHANNELS = {"MSG3D": 24, "STGCN": 16, "AAGCN": 16}


def build(backbone, num_person, ours=True, spread=True, **head):
    """Build a recognizer with random weights, also in data_bn if `spread`."""
    init_default_scope("mmaction")
    torch.manual_seed(0)
    names = ("MaskedRecognizerGCN", "MaskedGCNHead")
    recognizer, classifier = names if ours else ("RecognizerGCN", "GCNHead")
    cfg = {
        "type": recognizer,
        "backbone": dict(
            type=backbone,
            graph_cfg={"layout": dict(CHAIN), "mode": MODES[backbone]},
            num_person=num_person,
            **BACKBONES[backbone],
        ),
        "cls_head": dict(
            type=classifier,
            num_classes=7,
            in_channels=CHANNELS[backbone],
            **dict({"average_clips": "score"}, **head),
        ),
    }
    model = MODELS.build(copy.deepcopy(cfg))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if "data_bn" in name and not spread:
                continue
            if tensor.is_floating_point() and not name.endswith("A"):
                noise = torch.rand(tensor.shape, generator=generator) - 0.5
                tensor.add_(0.4 * noise)
    return model


def clips(*persons, clips=1, seed=0):
    """Return inputs [B, clips, M, T, V, C] with `persons` present persons per sample."""
    generator = torch.Generator().manual_seed(seed)
    most = max(persons, default=1)
    x = torch.randn(len(persons), clips, most, 9, 5, 3, generator=generator)
    for sample, count in enumerate(persons):
        x[sample, :, count:] = 0
    return x


def padded_persons(x, num_person):
    """Add absent persons at the end."""
    count = num_person - x.shape[2]
    return torch.cat([x, torch.zeros_like(x[:, :, :1]).repeat_interleave(count, 2)], 2)


def labeled(count):
    samples = [ActionDataSample() for _ in range(count)]
    for number, sample in enumerate(samples):
        sample.set_gt_label(number % 7)
    return samples


def scores(model, x):
    model.eval()
    with torch.no_grad():
        predicted = model(x, labeled(len(x)), mode="predict")
    return torch.stack([sample.pred_score for sample in predicted])


def step(model, x):
    """Return the loss and all gradients of a training step."""
    model.train().zero_grad()
    loss = model(x, labeled(len(x)), mode="loss")["loss_cls"]
    loss.backward()
    return loss, [p.grad for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("num_person", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_identical_to_mmaction2_without_the_option(backbone, num_person):
    ours, theirs = (
        build(backbone, num_person, ours, dropout=0.5, average_clips="prob")
        for ours in (True, False)
    )
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    x = padded_persons(clips(1, num_person, clips=2), num_person)
    assert torch.equal(scores(ours, x), scores(theirs, x))
    results = []
    for model in (ours, theirs):
        torch.manual_seed(3)
        loss, gradients = step(model, x[:, :1])
        results.append([loss, *gradients])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    for stage in ("backbone", "head"):
        with torch.no_grad():
            ours.eval(), theirs.eval()
            assert torch.equal(ours(x, stage=stage), theirs(x, stage=stage))


@pytest.mark.parametrize("num_person", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_mean_over_present_persons(backbone, num_person):
    """Ten clips; the first person is absent in one clip, all persons in another."""
    model = build(backbone, num_person, ignore_absent=True)
    x = padded_persons(clips(*range(1, num_person + 1), clips=10), num_person)
    x[-1, 3, 0] = x[0, 5] = 0
    model.eval()
    with torch.no_grad():
        features = model(x, stage="backbone")
        expected = []
        for sample, clip_features in zip(x, features.split(10), strict=True):
            clip_scores = []
            for clip, feature in zip(sample, clip_features, strict=True):
                present = [m for m in range(num_person) if np.any(clip[m].numpy() != 0)]
                pooled = [
                    feature[m].flatten(1).mean(1) for m in present or range(num_person)
                ]
                clip_scores.append(model.cls_head.fc(sum(pooled) / len(pooled)))
            expected.append(sum(clip_scores) / len(clip_scores))
    torch.testing.assert_close(scores(model, x), torch.stack(expected))
    head = model(x, stage="head")
    assert head.shape == (num_person * 10, 7)
    torch.testing.assert_close(
        head.unflatten(0, (-1, 10)).mean(1), torch.stack(expected)
    )


@pytest.mark.parametrize("backbone", BACKBONES)
def test_additional_absent_persons_change_nothing(backbone):
    """The weights of data_bn are the same for all persons."""
    x = clips(1, 2, 1, clips=2)
    alone = scores(build(backbone, 2, spread=False, ignore_absent=True), x)
    for num_person in (3, 4, 5):
        padded = padded_persons(x, num_person)
        model = build(backbone, num_person, spread=False, ignore_absent=True)
        torch.testing.assert_close(scores(model, padded), alone)
        shuffled = padded[:, :, torch.randperm(num_person)]
        torch.testing.assert_close(scores(model, shuffled), alone)
        model.cls_head.ignore_absent = False
        assert (scores(model, padded) - alone).abs().max() > 1e-3


@pytest.mark.parametrize("backbone", BACKBONES)
def test_absent_persons_get_no_gradient(backbone):
    model = build(backbone, 2, ignore_absent=True)
    x = padded_persons(clips(1, 1, 1), 2)
    outputs = []
    model.backbone.register_forward_hook(
        lambda module, inputs, out: (out.retain_grad(), outputs.append(out))[-1]
    )
    loss, gradients = step(model, x)
    assert torch.isfinite(loss)
    assert all(torch.isfinite(g).all() for g in gradients)
    gradient = outputs[0].grad
    assert gradient[:, 0].abs().max() > 0
    assert not gradient[:, 1].any()
    present = outputs[0][:, :1].detach()
    expected = torch.nn.functional.cross_entropy(
        model.cls_head.fc(present.mean((1, 3, 4))), torch.arange(3)
    )
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_all_persons_count_if_none_is_present(backbone):
    theirs, ours = build(backbone, 3, False), build(backbone, 3, ignore_absent=True)
    x = torch.zeros(2, 2, 3, 9, 5, 3)
    torch.testing.assert_close(scores(ours, x), scores(theirs, x))


@pytest.mark.parametrize("num_person", [1, 3, 5])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_in_half_precision(backbone, num_person):
    model = build(backbone, num_person, ignore_absent=True)
    x = padded_persons(clips(1, num_person, clips=2), num_person)
    expected = scores(model, x)
    with torch.autocast("cpu", torch.bfloat16):
        actual = scores(model, x)
        loss, _ = step(model, x[:, :1])
    assert torch.isfinite(loss)
    torch.testing.assert_close(actual.float(), expected, atol=0.02, rtol=0.05)


def test_features_of_absent_persons_may_be_nan():
    features = torch.tensor([[[1.0], [float("nan")], [3.0]], [[1.0], [2.0], [6.0]]])
    present = torch.tensor([[True, False, True], [False, False, False]])
    assert mean_of_present(features, present).tolist() == [[2.0], [3.0]]


def test_unsupported_models():
    model = build("STGCN", 2, ignore_absent=True)
    x = model.backbone(clips(2)[:, 0])
    with raises("config", ConfigError, field="model.type"):
        model.cls_head(x)
    present = torch.ones(1, 2, dtype=torch.bool)
    with raises("config", ConfigError, field="model.cls_head.ignore_absent"):
        model.cls_head(x[:, :1], present)


def test_masked_recognizer_with_mmaction2_head():
    model = build("STGCN", 2)
    x = padded_persons(clips(1, 2), 2)
    expected = scores(model, x)
    head = build("STGCN", 2, ours=False).cls_head
    head.load_state_dict(model.cls_head.state_dict())
    model.cls_head = head
    assert torch.equal(scores(model, x), expected)
