"""Transforms of the recipe `strong`, compared with plain loops over joints."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import Flip
from mmaction.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope

import msg3d
from errors import raises
from msg3d.datasets import SkeletonDataset
from msg3d.datasets.transforms import (
    AlignSkeleton3D,
    AlignView,
    JointDropout,
    MirrorBody,
    RandomScale3D,
    ScaleToUnit,
    SkeletonFeatures,
)
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import SKELETONS, skeleton

SYMMETRIC = sorted(name for name in SKELETONS if SKELETONS[name].pairs)
CHAIN = {"num_node": 3, "inward": [(0, 1), (2, 1)], "center": 1}
ARMS = dict(CHAIN, joints=["left_hand", "chest", "right_hand"])
CONFIGS = Path(msg3d.__file__).parent / "configs"
STRONG = sorted(CONFIGS.glob("*/*-strong*.py"))
RANDOM = {"MirrorBody", "JointDropout", "RandomMove2D"}
RANDOM |= {"RandomRotate3D", "RandomScale3D"}


def poses(joints, channels=3, persons=2, frames=7, seed=0):
    """Return poses with an absent joint, an absent person, and a joint at x = 0."""
    rng = np.random.default_rng(seed)
    keypoint = rng.normal(size=(persons, frames, joints, channels)).astype(np.float32)
    keypoint[0, 2, 1] = 0
    keypoint[0, 3, 2, 0] = 0
    keypoint[1:, 5:] = 0
    return keypoint


def mirrored(keypoint, names, axis, width):
    """Mirror joint by joint: swap left and right by name, and flip the coordinate."""
    result = np.zeros_like(keypoint)
    for person, frame, joint in np.ndindex(keypoint.shape[:3]):
        name = names[joint]
        if "left_" in name:
            name = name.replace("left_", "right_")
        elif "right_" in name:
            name = name.replace("right_", "left_")
        source = keypoint[person, frame, names.index(name)].copy()
        if source.any():
            source[axis] = width - source[axis]
        result[person, frame, joint] = source
    return result


def without(keypoint, dropped):
    """Set joints in the mask `dropped` [M, T, V] to zero, joint by joint."""
    result = keypoint.copy()
    for index in np.ndindex(dropped.shape):
        if dropped[index]:
            result[index] = 0
    return result


def in_unit_box(keypoint):
    """Scale each coordinate of the present joints to -1..1."""
    result = np.zeros_like(keypoint)
    present = [
        index for index in np.ndindex(keypoint.shape[:3]) if keypoint[index].any()
    ]
    for channel in range(keypoint.shape[3]):
        values = [keypoint[index][channel] for index in present]
        low, high = min(values), max(values)
        for index in present:
            if high > low:
                fraction = (keypoint[index][channel] - low) / (high - low)
                result[index][channel] = 2 * fraction - 1
    return result


@pytest.mark.parametrize("layout", SYMMETRIC)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirror_in_3d(layout, axis):
    names = skeleton(layout).joints
    keypoint = poses(len(names))
    before = keypoint.copy()
    mirror = MirrorBody(layout, flip_ratio=1, axis=axis)
    out = mirror({"keypoint": keypoint})
    np.testing.assert_array_equal(out["keypoint"], mirrored(before, names, axis, 0))
    np.testing.assert_array_equal(keypoint, before)
    assert out["keypoint"].dtype == np.float32
    np.testing.assert_array_equal(mirror(out)["keypoint"], before)
    assert {"img_shape", "modality"}.isdisjoint(out)


@pytest.mark.parametrize("layout", ["coco", "penn13", "mediapipe33"])
def test_mirror_in_an_image(layout):
    """The result equals that of Flip, except for joints on the left edge."""
    names = skeleton(layout).joints
    keypoint = poses(len(names), channels=2) * 50 + 320
    keypoint[0, 2, 1] = 0
    score = np.random.default_rng(1).random(keypoint.shape[:3]).astype(np.float32)
    sample = {
        "keypoint": keypoint,
        "keypoint_score": score,
        "img_shape": (480, 640),
        "modality": "Pose",
    }
    out = MirrorBody(layout, flip_ratio=1, about="image")(dict(sample))
    left, right = zip(*skeleton(layout).pairs, strict=True)
    flip = Flip(flip_ratio=1, left_kp=left, right_kp=right)
    reference = flip(dict(sample, keypoint=keypoint.copy()))
    np.testing.assert_array_equal(out["keypoint"], reference["keypoint"])
    np.testing.assert_array_equal(out["keypoint_score"], reference["keypoint_score"])
    assert out["img_shape"] == (480, 640)

    keypoint[0, 3, 2, 0] = 0
    out = MirrorBody(layout, flip_ratio=1, about="image")(sample)
    expected = mirrored(keypoint, names, 0, 640)
    np.testing.assert_array_equal(out["keypoint"], expected)
    assert (out["keypoint"][0, 3, :, 0] == 640).sum() == 1


def test_mirror_of_an_inline_layout():
    pose = np.array([[-0.5, 1, 2], [0, 3, 0], [0, 0, 0]])[None, None]
    out = MirrorBody(ARMS, flip_ratio=1)({"keypoint": pose})
    expected = [[0, 0, 0], [0, 3, 0], [0.5, 1, 2]]
    np.testing.assert_array_equal(out["keypoint"][0, 0], expected)


def test_mirror_maps_labels():
    swap = MirrorBody(ARMS, flip_ratio=1, flip_label_map={3: 4, 4: 3})
    pose = np.ones((1, 1, 3, 3))
    assert swap({"keypoint": pose, "label": 3})["label"] == 4
    assert swap({"keypoint": pose, "label": 5})["label"] == 5


def test_mirror_ratio():
    np.random.seed(0)
    mirror, pose = MirrorBody(ARMS, flip_ratio=0.25), np.ones((1, 1, 3, 3))
    flips = [mirror({"keypoint": pose, "label": 0})["flip"] for _ in range(400)]
    assert 70 < sum(flips) < 130
    pose = mirror({"keypoint": pose})["keypoint"]
    assert pose.shape == (1, 1, 3, 3)


@pytest.mark.parametrize("align", [AlignSkeleton3D, AlignView])
def test_mirror_along_x_after_alignment(align):
    """Mirroring after alignment equals alignment after mirroring along any axis."""
    keypoint = np.random.default_rng(0).normal(size=(1, 6, 20, 3)).astype(np.float32)
    align, mirror = align(layout="kinect20"), MirrorBody("kinect20", flip_ratio=1)
    deep = MirrorBody("kinect20", flip_ratio=1, axis=2)

    def first(*steps):
        sample = {"keypoint": keypoint, "total_frames": 6}
        for step in steps:
            sample = step(sample)
        # Alignment does not fix the rotation about the shoulders, so compare radii.
        return np.linalg.norm(sample["keypoint"][..., 1:], axis=-1), sample["keypoint"]

    radius, keypoint_x = first(align, mirror)
    other_radius, keypoint_z = first(deep, align)
    np.testing.assert_allclose(keypoint_x[..., 0], keypoint_z[..., 0], atol=1e-4)
    np.testing.assert_allclose(radius, other_radius, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"layout": "hand21"}, "layout", "layout"),
        ({"layout": CHAIN}, "layout", "layout"),
        ({"layout": "coco", "about": "center"}, "option", "about"),
        ({"layout": "kinect"}, "layout", None),
    ],
)
def test_invalid_mirror_arguments(arguments, kind, field):
    with raises(kind, ConfigError, field=field):
        TRANSFORMS.build(dict(type="MirrorBody", **arguments))


@pytest.mark.parametrize(
    ("arguments", "channels", "kind", "field"),
    [
        ({"layout": "kinect20"}, 3, "layout", "keypoint"),
        ({"layout": "coco", "axis": 2}, 2, "layout", "keypoint"),
        ({"layout": "coco", "about": "image"}, 2, "img-shape", "img_shape"),
    ],
)
def test_invalid_sample_for_mirror(arguments, channels, kind, field):
    with raises(kind, DataError, field=field):
        MirrorBody(**arguments)({"keypoint": poses(17, channels)})


def spans(dropped):
    """Yield the frames with dropped joints, and these joints, for each person."""
    for person in dropped:
        yield np.flatnonzero(person.any(1)), np.flatnonzero(person.any(0))


@pytest.mark.parametrize("layout", [None, *SKELETONS])
def test_dropped_joints_are_absent_for_one_span(layout):
    joints = len(skeleton(layout or "kinect20").joints)
    keypoint = np.random.default_rng(0).normal(size=(2, 40, joints, 3))
    score = np.random.default_rng(1).random((2, 40, joints)) + 0.1
    drop = JointDropout(prob=1, ratio=0.25, layout=layout, span=0.3)
    lengths, starts, numbers = set(), set(), set()
    for seed in range(150):
        np.random.seed(seed)
        out = drop({"keypoint": keypoint, "keypoint_score": score})
        dropped = ~out["keypoint"].any(-1)
        np.testing.assert_array_equal(out["keypoint"], without(keypoint, dropped))
        np.testing.assert_array_equal(out["keypoint_score"], without(score, dropped))
        for frames, indices in spans(dropped):
            assert (np.diff(frames) == 1).all()
            assert dropped[:, frames][:, :, indices].any(0).all()
            lengths.add(len(frames))
            starts.add(frames[0])
            numbers.add(len(indices))
    assert min(lengths) == 12
    assert max(lengths) >= 39
    assert min(starts) == 0
    assert max(starts) > 20
    assert min(numbers) == 1
    assert max(numbers) <= joints // 4
    if layout is None:
        assert numbers == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("layout", SKELETONS)
def test_dropped_joints_are_connected(layout):
    """The dropped joints are one joint and all its descendants."""
    parents = dict(skeleton(layout).bones)
    keypoint = np.ones((1, 5, len(parents), 3))
    limbs = set()
    for seed in range(200 if len(parents) < 50 else 2000):
        np.random.seed(seed)
        out = JointDropout(prob=1, layout=layout)({"keypoint": keypoint})
        ((_, dropped),) = spans(~out["keypoint"].any(-1))
        dropped = set(dropped)
        roots = [joint for joint in dropped if parents[joint] not in dropped]
        assert len(roots) == 1
        assert {child for child in parents if parents[child] in dropped} <= dropped
        limbs.add(frozenset(dropped))
    expected = set()
    for root in parents:
        limb = {root}
        for _ in parents:
            limb |= {child for child in parents if parents[child] in limb}
        if len(limb) <= len(parents) / 4:
            expected.add(frozenset(limb))
    assert limbs == expected


def test_limbs_of_the_kinect():
    """Arms and legs are dropped, but never the trunk."""
    limbs = set()
    for seed in range(200):
        np.random.seed(seed)
        sample = {"keypoint": np.ones((1, 1, 20, 3))}
        out = JointDropout(prob=1, layout="kinect20", span=1)(sample)["keypoint"]
        limbs.add(tuple(np.flatnonzero(~out[0, 0].any(-1))))
    assert {(4, 5, 6, 7), (9, 10, 11), (16, 17, 18, 19), (3,), (15,)} <= limbs
    assert not any({0, 1, 2} & set(joints) for joints in limbs)


def test_dropout_is_independent_per_person():
    np.random.seed(0)
    keypoint = np.ones((2, 10, 20, 3), dtype=np.float32)
    before = keypoint.copy()
    drop, counts = JointDropout(prob=0.3), np.zeros(2)
    both = 0
    for _ in range(500):
        out = drop({"keypoint": keypoint})["keypoint"]
        dropped = ~out.all((1, 2, 3))
        counts += dropped
        both += dropped.all()
    assert out.dtype == np.float32
    np.testing.assert_array_equal(keypoint, before)
    np.testing.assert_allclose(counts / 500, 0.3, atol=0.06)
    np.testing.assert_allclose(both / 500, 0.09, atol=0.04)
    never = JointDropout(prob=0)({"keypoint": keypoint})["keypoint"]
    np.testing.assert_array_equal(never, before)


def test_dropped_joints_have_no_bones():
    """With `mask_absent`, no bone leads to the origin."""
    keypoint = np.random.default_rng(0).normal(size=(1, 4, 20, 3)) + 5
    np.random.seed(0)
    out = JointDropout(prob=1, layout="kinect20", span=1)({"keypoint": keypoint})
    dropped = ~out["keypoint"].any(-1)[0, 0]
    features = SkeletonFeatures("kinect20", feats=["b"], mask_absent=True)
    bones = features(out)["keypoint"][0, 0]
    for child, parent in skeleton("kinect20").bones:
        present = not (dropped[child] or dropped[parent])
        bone = keypoint[0, 0, child] - keypoint[0, 0, parent]
        np.testing.assert_allclose(bones[child], bone if present else 0)


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"prob": 1.5}, "option", "prob"),
        ({"ratio": -1}, "option", "ratio"),
        ({"span": 2}, "option", "span"),
        ({"layout": "kinect"}, "layout", None),
    ],
)
def test_invalid_dropout(arguments, kind, field):
    with raises(kind, ConfigError, field=field):
        TRANSFORMS.build(dict(type="JointDropout", **arguments))
    with raises("layout", DataError, field="keypoint"):
        JointDropout(layout="kinect20")({"keypoint": poses(17)})


@pytest.mark.parametrize("channels", [2, 3])
def test_unit_box(channels):
    keypoint = poses(20, channels) * 3 + 70
    keypoint[0, 2, 1] = keypoint[1, 5:] = 0
    before = keypoint.copy()
    out = ScaleToUnit()({"keypoint": keypoint})["keypoint"]
    np.testing.assert_allclose(out, in_unit_box(before), atol=1e-5)
    np.testing.assert_array_equal(keypoint, before)
    assert out.dtype == np.float32
    assert not out[0, 2, 1].any()
    assert not out[1, 5:].any()
    present = out[before.any(-1)]
    np.testing.assert_allclose(present.min(0), -1, atol=1e-6)
    np.testing.assert_allclose(present.max(0), 1, atol=1e-6)


def test_unit_box_of_flat_and_empty_samples():
    flat = np.ones((1, 3, 2, 3))
    flat[0, :, 0, 0] = 3
    out = ScaleToUnit()({"keypoint": flat})["keypoint"]
    np.testing.assert_array_equal(out[0, 0], [[1, 0, 0], [-1, 0, 0]])
    empty = np.zeros((1, 3, 2, 3))
    np.testing.assert_array_equal(ScaleToUnit()({"keypoint": empty})["keypoint"], 0)


def test_unit_box_removes_position_and_size():
    """Scaling and shifting before ScaleToUnit has no effect, as documented."""
    keypoint = np.random.default_rng(0).normal(size=(1, 9, 20, 3))
    scaled = RandomScale3D(0.5)({"keypoint": keypoint})["keypoint"] + [3, 1, 2]
    first, second = (ScaleToUnit()({"keypoint": k}) for k in (keypoint, scaled))
    np.testing.assert_allclose(first["keypoint"], second["keypoint"], atol=1e-12)


@pytest.mark.parametrize("path", STRONG, ids=lambda path: path.stem)
def test_recipe(path):
    """Only training is random, layouts agree with the model, and labels are smoothed."""
    cfg = Config.fromfile(path)
    train = cfg.train_dataloader.dataset.dataset.pipeline
    kinds = [step["type"] for step in train]
    assert {"JointDropout"} < RANDOM & set(kinds)
    last = max(kinds.index(kind) for kind in RANDOM & set(kinds))
    assert last < kinds.index("SkeletonFeatures")
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        steps = loader.dataset.pipeline
        assert not RANDOM & {step["type"] for step in steps}
        assert [step for step in steps if step["type"] == "SkeletonFeatures"] == [
            step for step in train if step["type"] == "SkeletonFeatures"
        ]
    layouts = {step["layout"] for step in train if "layout" in step}
    assert layouts == {cfg.model.backbone.graph_cfg.layout}
    assert cfg.model.cls_head.label_smooth_eps == 0.1
    passes = cfg.train_cfg.max_epochs * cfg.train_dataloader.dataset.times
    assert f"-{passes}e_" in path.name


def test_schedule_warms_up_and_ends_at_zero():
    cfg = Config.fromfile(CONFIGS / "_base_/schedules/strong_65e.py")
    optimizer = torch.optim.SGD([torch.zeros(1)], cfg.optim_wrapper.optimizer.lr)
    schedulers = []
    for scheduler in cfg.param_scheduler:
        del scheduler["convert_to_iter_based"]
        scheduler = dict(scheduler, optimizer=optimizer)
        schedulers.append(PARAM_SCHEDULERS.build(scheduler))
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(0.005)
    assert rates[-1] < 2e-4
    assert max(rates) == pytest.approx(0.05)
    assert 4 <= np.argmax(rates) <= 5
    assert (np.diff(rates[:5]) > 0).all()
    assert (np.diff(rates[5:]) < 0).all()


def test_recipe_on_nw_ucla(shared):
    """Real sequences fit into -1..1, and joints are dropped in training only."""
    name = "msg3d_1xb16-joint-strong52-325e_nw-ucla-xview-keypoint-3d.py"
    cfg = Config.fromfile(CONFIGS / "msg3d" / name)
    init_default_scope("mmaction")
    samples = SkeletonDataset(
        str(shared / "data" / "nw_ucla.pkl"), pipeline=[], split="xview_val"
    )
    train = Compose(cfg.train_dataloader.dataset.dataset.pipeline)
    test = Compose(cfg.test_dataloader.dataset.pipeline)
    np.random.seed(0)
    dropped = []
    for index in range(0, len(samples), 20):
        clips = test(samples.get_data_info(index))["inputs"]
        again = test(samples.get_data_info(index))["inputs"]
        assert clips.shape == (10, 1, 52, 20, 3)
        assert torch.equal(clips, again)
        assert clips.abs().max() <= 1 + 1e-6
        clip = train(samples.get_data_info(index))["inputs"]
        assert clip.shape == (1, 1, 52, 20, 3)
        assert clip.dtype == torch.float32
        assert clip.isfinite().all()
        assert clip.abs().max() <= 1.2 + 1e-6
        dropped.append((~clip.any(-1)).any().item())
    assert 0.2 < np.mean(dropped) < 0.8
