"""Streams of every layout, compared with MMAction2 and with plain loops."""

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import GenSkeFeat
from mmaction.registry import MODELS, TRANSFORMS
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import init_default_scope

from errors import raises
from msg3d.datasets.transforms import SkeletonFeatures
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import SKELETONS, skeleton
from samples import annotations

ARROW = {
    "num_node": 4,
    "inward": [(0, 1), (2, 1), (3, 2)],
    "center": 1,
    "joints": ["left_tip", "head", "right_tip", "right_end"],
    "spine": (3, 1),
    "shoulders": (2, 0),
}


def title(layout):
    return layout if isinstance(layout, str) else "dictionary"


STREAMS = [["j"], ["b"], ["jm"], ["bm"], ["j", "b", "jm", "bm"], ["bm", "j"]]


def sample(layout, channels, scored, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, 6, len(skeleton(layout).joints), channels)
    results = {"keypoint": rng.normal(size=shape).astype(dtype)}
    if scored:
        results["keypoint_score"] = rng.uniform(0.2, 1, shape[:3]).astype(dtype)
    return results


def copied(results):
    return {key: value.copy() for key, value in results.items()}


@pytest.mark.parametrize("feats", STREAMS, ids="-".join)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("layout", "channels", "scored"),
    [
        ("coco", 2, True),
        ("coco", 2, False),
        ("openpose", 2, True),
        ("openpose", 2, False),
        ("nturgb+d", 3, False),
        ("nturgb+d", 2, False),
    ],
)
def test_equal_to_genskefeat(layout, channels, scored, dtype, feats):
    results = sample(layout, channels, scored, dtype)
    expected = GenSkeFeat(dataset=layout, feats=feats)(copied(results))["keypoint"]
    actual = SkeletonFeatures(layout=layout, feats=feats)(results)
    assert "keypoint_score" not in actual
    assert actual["keypoint"].dtype == expected.dtype
    np.testing.assert_array_equal(actual["keypoint"], expected)


def test_concatenated_along_another_axis():
    results = sample("coco", 2, True)
    expected = GenSkeFeat(dataset="coco", feats=["j", "b"], axis=0)(copied(results))
    actual = SkeletonFeatures("coco", ["j", "b"], axis=0)(results)
    np.testing.assert_array_equal(actual["keypoint"], expected["keypoint"])


def plain(keypoint, score, bones):
    """Compute the four streams of one person in plain loops; score may be None."""
    frames, _joints, _channels = keypoint.shape
    joint = keypoint if score is None else np.dstack([keypoint, score])
    bone = np.zeros_like(joint)
    for frame in range(frames):
        for child, parent in bones:
            bone[frame, child] = joint[frame, child] - joint[frame, parent]
            if score is not None:
                bone[frame, child, -1] = (
                    score[frame, child] + score[frame, parent]
                ) / 2
    streams = {"j": joint, "b": bone}
    for name in ("j", "b"):
        stream, motion = streams[name], np.zeros_like(joint)
        for frame in range(frames - 1):
            motion[frame] = stream[frame + 1] - stream[frame]
            if score is not None:
                motion[frame, :, -1] = (stream[frame + 1] + stream[frame])[:, -1] / 2
        streams[name + "m"] = motion
    return streams


@pytest.mark.parametrize("layout", [*SKELETONS, ARROW], ids=title)
@pytest.mark.parametrize(("channels", "scored"), [(3, False), (2, False), (2, True)])
def test_streams_of_every_layout(layout, channels, scored):
    results = sample(layout, channels, scored)
    feats = ["j", "b", "jm", "bm"]
    actual = SkeletonFeatures(layout, feats)(copied(results))["keypoint"]
    assert actual.shape[-1] == 4 * (3 if scored else channels)
    for person in range(2):
        streams = plain(
            results["keypoint"][person],
            results["keypoint_score"][person] if scored else None,
            skeleton(layout).bones,
        )
        expected = np.concatenate([streams[name] for name in feats], axis=-1)
        np.testing.assert_allclose(actual[person], expected, atol=1e-6)


def test_third_coordinate_is_not_a_score():
    """MMAction2 interprets the third channel depending on the layout."""
    results = sample("coco", 3, False)
    reference = GenSkeFeat(dataset="coco", feats=["b"])(copied(results))["keypoint"]
    depth = results["keypoint"][..., 2]
    actual = SkeletonFeatures("coco", ["b"])(copied(results))["keypoint"]
    np.testing.assert_array_equal(actual[..., :2], reference[..., :2])
    np.testing.assert_array_equal(actual[..., 7, 2], depth[..., 7] - depth[..., 5])


@pytest.mark.parametrize("scored", [False, True])
def test_absent_joints_are_masked(scored):
    """Joint 7 (left elbow) is absent in frames 2 and 3; joint 9 (wrist) is its child."""
    results = sample("coco", 2, scored)
    results["keypoint"][:, 2:4, 7] = 0
    if scored:  # normalization may move absent joints away from zero
        results["keypoint_score"][:, 2:4, 7] = 0
        results["keypoint"] -= 1
    feats = ["j", "b", "jm", "bm"]
    full = SkeletonFeatures("coco", feats)(copied(results))["keypoint"]
    masked = SkeletonFeatures("coco", feats, mask_absent=True)(copied(results))
    full, masked = (
        dict(zip(feats, np.split(streams, 4, axis=-1), strict=True))
        for streams in (full, masked["keypoint"])
    )
    zero = {name: np.zeros(full["j"].shape[:3], bool) for name in feats}
    zero["b"][:, 2:4, [7, 9]] = True
    zero["jm"][:, 1:4, 7] = True  # into, within, and out of the gap
    zero["bm"][:, 1:4, [7, 9]] = True
    for name in feats:
        assert full[name][zero[name]].any() or name == "j"
        assert not masked[name][zero[name]].any()
        kept = ~zero[name]
        np.testing.assert_array_equal(masked[name][kept], full[name][kept])


@pytest.mark.parametrize(
    ("layout", "results", "kind"),
    [
        ("coco", sample("kinect20", 3, False), "layout"),
        ("kinect20", sample("kinect20", 3, True), "shape"),
        ("kinect20", sample("kinect20", 4, False), "shape"),
    ],
    ids=["joints", "z and score", "four channels"],
)
def test_invalid_sample(layout, results, kind):
    with raises(kind, DataError, field="keypoint"):
        SkeletonFeatures(layout, ["j", "b"])(copied(results))


@pytest.mark.parametrize("feats", [[], ["x"], "joint"])
def test_unknown_feature(feats):
    with raises("option", ConfigError, field="feats"):
        TRANSFORMS.build({"type": "SkeletonFeatures", "layout": "coco", "feats": feats})


@pytest.mark.parametrize("layout", [*SKELETONS, ARROW], ids=title)
@pytest.mark.parametrize("channels", [2, 3])
def test_training_step(layout, channels):
    """Run one training step with the pipeline and model of a config."""
    init_default_scope("mmaction")
    joints = len(skeleton(layout).joints)
    feats = ["j", "b", "jm", "bm"]
    cfg = Config(
        {
            "pipeline": [
                {"type": "SkeletonFeatures", "layout": layout, "feats": feats},
                {"type": "UniformSampleFrames", "clip_len": 8},
                {"type": "PoseDecode"},
                {"type": "FormatGCNInput", "num_person": 2},
                {"type": "PackActionInputs"},
            ],
            "model": {
                "type": "RecognizerGCN",
                "backbone": {
                    "type": "MSG3D",
                    "graph_cfg": {"layout": layout, "mode": "binary_adj"},
                    "in_channels": 12,
                    "base_channels": 12,
                    "num_gcn_scales": 3,
                    "num_g3d_scales": 2,
                },
                "cls_head": {"type": "GCNHead", "num_classes": 4, "in_channels": 48},
            },
        }
    )
    pipeline = Compose([TRANSFORMS.build(step) for step in cfg.pipeline])
    data = annotations(joints=joints, channels=channels, persons=2, samples=2)
    packed = [pipeline(dict(entry, modality="Pose")) for entry in data["annotations"]]
    model = MODELS.build(cfg.model)
    # (N, 1, M, T, V, C)
    inputs = torch.stack([results["inputs"] for results in packed]).float()
    assert inputs.shape == (2, 1, 2, 8, joints, 12)
    samples = [results["data_samples"] for results in packed]
    losses = model(inputs, samples, mode="loss")
    losses["loss_cls"].backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all() for p in model.parameters()
    )
