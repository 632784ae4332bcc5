"""Synthetic actions: rigid bodies, reproducible seeds, and the command."""

from itertools import combinations

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import check_annotations, load_annotations
from msg3d.errors import ConfigError
from msg3d.skeletons import skeleton
from msg3d.synthetic.actions import make_person, make_synthetic_actions, perform
from msg3d.synthetic.depth_sensor import record
from msg3d.synthetic.human_actions import ACTIONS, as_arrays, mirrored, move
from msg3d.synthetic.human_body import BONES, LIMBS, PARENTS, forward_kinematics

PHASE = np.linspace(0, 1, 25)


@pytest.fixture(scope="module")
def data():
    return make_synthetic_actions(subjects=4, repeats=2)


def keypoints(data):
    return {sample["frame_dir"]: sample["keypoint"] for sample in data["annotations"]}


def clean(action, cycles=2):
    """Return the action of an average person without individual style: [T, V, 3]."""
    return forward_kinematics(move(*as_arrays(ACTIONS[action](cycles)), PHASE))


def test_format(data):
    assert check_annotations(data).samples == 80
    assert data["meta"]["classes"] == list(ACTIONS)
    for sample in data["annotations"]:
        keypoint = sample["keypoint"]
        assert keypoint.dtype == np.float32
        assert keypoint.shape == (1, sample["total_frames"], 20, 3)
        assert 20 <= sample["total_frames"] <= 80
        assert np.isfinite(keypoint).all()


def test_body_has_the_layout_kinect20():
    layout = skeleton("kinect20")
    bones = {frozenset(bone) for bone in layout.inward}
    assert bones == {frozenset(bone) for bone in enumerate(PARENTS) if bone[1] >= 0}
    standing = forward_kinematics(np.zeros((1, 24)))[0]
    height = dict(zip(layout.joints, standing[:, 1], strict=True))
    assert height["head"] > height["shoulder_center"] > height["hip_center"]
    for name, (x, _, _) in zip(layout.joints, standing, strict=True):
        side = name.partition("_")[0]
        assert np.sign(x) == {"left": 1, "right": -1}.get(side, 0)
    assert height["left_foot"] == pytest.approx(0)


def test_splits_contain_all_classes_and_no_common_person(data):
    label = {sample["frame_dir"]: sample["label"] for sample in data["annotations"]}
    train, val = data["split"]["xsub_train"], data["split"]["xsub_val"]
    assert sorted(train + val) == sorted(label)
    assert not {name[:4] for name in train} & {name[:4] for name in val}
    for names in (train, val):
        assert {label[name] for name in names} == set(range(len(ACTIONS)))


def test_same_seed_gives_same_bytes_for_any_number_of_samples(data):
    np.random.seed(1)
    fewer = make_synthetic_actions(subjects=4, repeats=1)
    more = keypoints(make_synthetic_actions(subjects=5, repeats=2))
    for name, keypoint in keypoints(fewer).items():
        assert keypoint.tobytes() == keypoints(data)[name].tobytes()
    for name, keypoint in keypoints(data).items():
        assert keypoint.tobytes() == more[name].tobytes()
    assert fewer["split"]["xsub_val"] == data["split"]["xsub_val"][::2]


def test_different_seeds_give_different_data(data):
    other = keypoints(make_synthetic_actions(subjects=4, repeats=1, seed=1))
    assert all(
        not np.array_equal(keypoint, keypoints(data)[name])
        for name, keypoint in other.items()
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_bones_are_rigid_and_feet_on_the_floor(action):
    person = make_person(seed=0, number=3)
    joints = perform(action, person, np.random.default_rng(0))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        length = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1)
        assert np.allclose(length, np.linalg.norm(person.bones[joint]))
    assert np.abs(joints[..., 1].min(axis=1)).max() < 0.05


@pytest.mark.parametrize("action", ACTIONS)
def test_speed_is_plausible(action):
    """No joint is faster than a good throw if an action takes 1.5 s."""
    speed = np.linalg.norm(np.diff(clean(action), axis=0), axis=-1) * 24 / 1.5
    assert 0.3 < speed.max() < 12  # meters per second


@pytest.mark.parametrize("pair", [("push", "pull"), ("sit_down", "stand_up")])
def test_pairs_are_time_reversals(pair):
    first, second = map(clean, pair)
    assert np.allclose(first[::-1], second)
    assert not np.allclose(first, second, atol=0.1)


def test_raised_arms_are_mirrored():
    joints = list(range(20))
    for left, right in ((4, 8), (12, 16)):
        joints[left : left + 4] = range(right, right + 4)
        joints[right : right + 4] = range(left, left + 4)
    left, right = clean("raise_left_arm"), clean("raise_right_arm")
    assert np.allclose(left[:, joints] * (-1, 1, 1), right)
    for action in ACTIONS.values():
        assert mirrored(mirrored(action(1))) == action(1)


def test_actions_differ():
    for first, second in combinations(ACTIONS, 2):
        distance = np.abs(clean(first) - clean(second)).max()
        assert distance > 0.2, (first, second)


def test_limbs_cover_their_angles():
    assert [limb.stop - limb.start for limb in LIMBS.values()] == [5, 4, 5, 4]


def test_lost_joints_are_zero():
    joints = np.broadcast_to(forward_kinematics(np.zeros((1, 24))), (40, 20, 3))
    recorded = record(joints, np.random.default_rng(0), lost=0.5)
    zero = ~recorded.any(axis=-1)  # (T, V)
    assert zero[:, 5:].any()
    assert not zero[:, [0, 1, 2, 3, 4, 8, 12, 16]].any()
    # If a wrist is lost, so is the hand.
    assert (zero[:, 7] >= zero[:, 6]).all()
    # Joints are lost in a few intervals, not in scattered frames.
    assert np.abs(np.diff(zero.astype(int), axis=0)).sum(axis=0).max() <= 6
    assert record(joints, np.random.default_rng(0), lost=0).any(axis=-1).all()


def test_noise_free_sensor_keeps_bone_lengths():
    joints = forward_kinematics(np.zeros((9, 24)))
    options = {"white_noise": 0, "drift": 0, "lost": 0}
    recorded = record(joints, np.random.default_rng(0), **options)
    bones = np.linalg.norm(recorded[0, 1:] - recorded[0, list(PARENTS[1:])], axis=-1)
    assert np.allclose(bones, np.linalg.norm(BONES[1:], axis=-1))


@pytest.mark.parametrize(
    "option",
    [
        {"subjects": 3},
        {"repeats": 0},
        {"seed": -1},
        {"lost": 1.5},
        {"style": -1},
        {"frames": (30, 20)},
    ],
)
def test_invalid_arguments(option):
    ((name, value),) = option.items()
    with raises("option", ConfigError, field=name) as caught:
        make_synthetic_actions(**option)
    assert f"{name} is {value}" in str(caught.value)


def command(*arguments):
    return msg3d_command("prepare", "synthetic", *arguments, "--overwrite")


def test_command(tmp_path, capsys):
    """Two runs write equal files, and no other files."""
    out = tmp_path / "new" / "actions.pkl"
    options = ("--subjects", 4, "--repeats", 1)
    assert command(out, *options) == 0
    printed = capsys.readouterr()
    for text in ("40 sequences", "xsub_train 30, xsub_val 10", "sit_down", "median"):
        assert text in printed.out
    first = out.read_bytes()
    assert command(out, *options) == 0
    assert out.read_bytes() == first
    assert [path.name for path in out.parent.iterdir()] == ["actions.pkl"]

    actual = keypoints(load_annotations(out))
    expected = keypoints(make_synthetic_actions(subjects=4, repeats=1))
    assert actual.keys() == expected.keys()
    assert all(np.array_equal(actual[name], expected[name]) for name in expected)


def test_failing_command_keeps_the_existing_file(tmp_path, capsys, monkeypatch):
    out = tmp_path / "actions.pkl"
    out.write_bytes(b"existing")
    assert command(out, "--subjects", 2) == 2  # wrong usage
    assert "subjects" in capsys.readouterr().err

    def raise_disk_full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pickle.dump", raise_disk_full)
    assert command(out, "--subjects", 4, "--repeats", 1) == 1
    assert "No space left" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["actions.pkl"]
    assert out.read_bytes() == b"existing"
