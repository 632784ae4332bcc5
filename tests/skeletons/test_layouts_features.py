"""Streams of every layout: MMAction2's numbers for its three, plain sums for all."""

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


def same(results):
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
    expected = GenSkeFeat(dataset=layout, feats=feats)(same(results))["keypoint"]
    actual = SkeletonFeatures(layout=layout, feats=feats)(results)
    assert "keypoint_score" not in actual
    assert actual["keypoint"].dtype == expected.dtype
    np.testing.assert_array_equal(actual["keypoint"], expected)


def test_joined_along_another_axis():
    results = sample("coco", 2, True)
    expected = GenSkeFeat(dataset="coco", feats=["j", "b"], axis=0)(same(results))
    actual = SkeletonFeatures("coco", ["j", "b"], axis=0)(results)
    np.testing.assert_array_equal(actual["keypoint"], expected["keypoint"])


def plain(keypoint, score, bones):
    """The four streams of one person, sum by sum; score or None."""
    frames, _joints, _channels = keypoint.shape
    both = keypoint if score is None else np.dstack([keypoint, score])
    bone = np.zeros_like(both)
    for frame in range(frames):
        for child, parent in bones:
            bone[frame, child] = both[frame, child] - both[frame, parent]
            if score is not None:
                bone[frame, child, -1] = (
                    score[frame, child] + score[frame, parent]
                ) / 2
    streams = {"j": both, "b": bone}
    for name in ("j", "b"):
        stream, motion = streams[name], np.zeros_like(both)
        for frame in range(frames - 1):
            motion[frame] = stream[frame + 1] - stream[frame]
            if score is not None:
                motion[frame, :, -1] = (stream[frame + 1] + stream[frame])[:, -1] / 2
        streams[name + "m"] = motion
    return streams


@pytest.mark.parametrize("layout", [*SKELETONS, ARROW], ids=title)
@pytest.mark.parametrize(("channels", "scored"), [(3, False), (2, False), (2, True)])
def test_every_layout_has_its_streams(layout, channels, scored):
    results = sample(layout, channels, scored)
    feats = ["j", "b", "jm", "bm"]
    actual = SkeletonFeatures(layout, feats)(same(results))["keypoint"]
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
    """Where MMAction2 goes by the name of the data set."""
    results = sample("coco", 3, False)
    theirs = GenSkeFeat(dataset="coco", feats=["b"])(same(results))["keypoint"]
    depth = results["keypoint"][..., 2]
    ours = SkeletonFeatures("coco", ["b"])(same(results))["keypoint"]
    np.testing.assert_array_equal(ours[..., :2], theirs[..., :2])
    np.testing.assert_array_equal(ours[..., 7, 2], depth[..., 7] - depth[..., 5])


@pytest.mark.parametrize("scored", [False, True])
def test_absent_joints_are_masked_where_wanted(scored):
    """Joint 7 (left elbow) is lost in frames 2 and 3; 9, the wrist, is its child."""
    results = sample("coco", 2, scored)
    results["keypoint"][:, 2:4, 7] = 0
    if scored:  # and normalisation has moved what was at zero
        results["keypoint_score"][:, 2:4, 7] = 0
        results["keypoint"] -= 1
    feats = ["j", "b", "jm", "bm"]
    whole = SkeletonFeatures("coco", feats)(same(results))["keypoint"]
    masked = SkeletonFeatures("coco", feats, mask_absent=True)(same(results))
    whole, masked = (
        dict(zip(feats, np.split(one, 4, axis=-1), strict=True))
        for one in (whole, masked["keypoint"])
    )
    zero = {name: np.zeros(whole["j"].shape[:3], bool) for name in feats}
    zero["b"][:, 2:4, [7, 9]] = True
    zero["jm"][:, 1:4, 7] = True  # from, within and out of the gap
    zero["bm"][:, 1:4, [7, 9]] = True
    for name in feats:
        assert whole[name][zero[name]].any() or name == "j"
        assert not masked[name][zero[name]].any()
        kept = ~zero[name]
        np.testing.assert_array_equal(masked[name][kept], whole[name][kept])


@pytest.mark.parametrize(
    ("layout", "results", "kind"),
    [
        ("coco", sample("kinect20", 3, False), "layout"),
        ("kinect20", sample("kinect20", 3, True), "shape"),
        ("kinect20", sample("kinect20", 4, False), "shape"),
    ],
    ids=["joints", "z and score", "four channels"],
)
def test_wrong_sample_is_named(layout, results, kind):
    with raises(kind, DataError, field="keypoint"):
        SkeletonFeatures(layout, ["j", "b"])(same(results))


@pytest.mark.parametrize("feats", [[], ["x"], "joint"])
def test_unknown_feature_is_named(feats):
    with raises("option", ConfigError, field="feats"):
        TRANSFORMS.build({"type": "SkeletonFeatures", "layout": "coco", "feats": feats})


@pytest.mark.parametrize("layout", [*SKELETONS, ARROW], ids=title)
@pytest.mark.parametrize("channels", [2, 3])
def test_from_file_to_scores(layout, channels):
    """A config's pipeline and model for each layout, one step of training."""
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
    packed = [pipeline(dict(one, modality="Pose")) for one in data["annotations"]]
    model = MODELS.build(cfg.model)
    inputs = torch.stack(
        [one["inputs"] for one in packed]
    ).float()  # (N, 1, M, T, V, C)
    assert inputs.shape == (2, 1, 2, 8, joints, 12)
    samples = [one["data_samples"] for one in packed]
    losses = model(inputs, samples, mode="loss")
    losses["loss_cls"].backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all() for p in model.parameters()
    )
