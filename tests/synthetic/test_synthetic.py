"""Synthetic actions: rigid bodies, reproducible seeds, and the command."""

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
    """The action of an average body, without a person's style: [T, V, 3]."""
    return forward_kinematics(move(*as_arrays(ACTIONS[action](cycles)), PHASE))


def test_form(data):
    assert check_annotations(data).samples == 80
    assert data["meta"]["classes"] == list(ACTIONS)
    for sample in data["annotations"]:
        keypoint = sample["keypoint"]
        assert keypoint.dtype == np.float32
        assert keypoint.shape == (1, sample["total_frames"], 20, 3)
        assert 20 <= sample["total_frames"] <= 80
        assert np.isfinite(keypoint).all()


def test_the_body_is_the_layout_of_the_graph():
    layout = skeleton("kinect20")
    bones = {frozenset(bone) for bone in layout.inward}
    assert bones == {frozenset(b) for b in enumerate(PARENTS) if b[1] >= 0}
    standing = forward_kinematics(np.zeros((1, 24)))[0]
    height = dict(zip(layout.joints, standing[:, 1], strict=True))
    assert height["head"] > height["shoulder_center"] > height["hip_center"]
    for name, (x, _, _) in zip(layout.joints, standing, strict=True):
        side = name.partition("_")[0]
        assert np.sign(x) == {"left": 1, "right": -1}.get(side, 0)
    assert height["left_foot"] == pytest.approx(0)


def test_splits_hold_all_classes_and_no_common_person(data):
    label = {sample["frame_dir"]: sample["label"] for sample in data["annotations"]}
    train, val = data["split"]["xsub_train"], data["split"]["xsub_val"]
    assert sorted(train + val) == sorted(label)
    assert not {name[:4] for name in train} & {name[:4] for name in val}
    for names in (train, val):
        assert {label[name] for name in names} == set(range(len(ACTIONS)))


def test_same_seed_same_bytes_however_many(data):
    np.random.seed(1)
    fewer = make_synthetic_actions(subjects=4, repeats=1)
    more = keypoints(make_synthetic_actions(subjects=5, repeats=2))
    for name, keypoint in keypoints(fewer).items():
        assert keypoint.tobytes() == keypoints(data)[name].tobytes()
    for name, keypoint in keypoints(data).items():
        assert keypoint.tobytes() == more[name].tobytes()
    assert fewer["split"]["xsub_val"] == data["split"]["xsub_val"][::2]


def test_another_seed_is_another_data_set(data):
    other = keypoints(make_synthetic_actions(subjects=4, repeats=1, seed=1))
    assert all(
        not np.array_equal(keypoint, keypoints(data)[name])
        for name, keypoint in other.items()
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_bones_are_stiff_and_feet_on_the_floor(action):
    person = make_person(seed=0, number=3)
    joints = perform(action, person, np.random.default_rng(0))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        length = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1)
        assert np.allclose(length, np.linalg.norm(person.bones[joint]))
    assert np.abs(joints[..., 1].min(axis=1)).max() < 0.05


@pytest.mark.parametrize("action", ACTIONS)
def test_movements_are_human(action):
    """No hand or foot is faster than a good throw when an action takes 1.5 s."""
    speed = np.linalg.norm(np.diff(clean(action), axis=0), axis=-1) * 24 / 1.5
    assert 0.3 < speed.max() < 12  # metres a second


@pytest.mark.parametrize("pair", [("push", "pull"), ("sit_down", "stand_up")])
def test_pairs_are_time_reversals(pair):
    one, other = map(clean, pair)
    assert np.allclose(one[::-1], other)
    assert not np.allclose(one, other, atol=0.1)


def test_raised_arms_are_mirrored():
    joints = list(range(20))
    for one, other in ((4, 8), (12, 16)):
        joints[one : one + 4] = range(other, other + 4)
        joints[other : other + 4] = range(one, one + 4)
    left, right = clean("raise_left_arm"), clean("raise_right_arm")
    assert np.allclose(left[:, joints] * (-1, 1, 1), right)
    for action in ACTIONS.values():
        assert mirrored(mirrored(action(1))) == action(1)


def test_no_two_actions_look_the_same():
    names = list(ACTIONS)
    for number, one in enumerate(names):
        for other in names[:number]:
            assert np.abs(clean(one) - clean(other)).max() > 0.2, (one, other)


def test_limbs_cover_their_angles():
    assert [limb.stop - limb.start for limb in LIMBS.values()] == [5, 4, 5, 4]


def test_lost_joints_are_exactly_zero_for_a_while():
    joints = np.broadcast_to(forward_kinematics(np.zeros((1, 24))), (40, 20, 3))
    seen = record(joints, np.random.default_rng(0), lost=0.5)
    zero = ~seen.any(axis=-1)  # (T, V)
    assert zero[:, 5:].any()
    assert not zero[:, [0, 1, 2, 3, 4, 8, 12, 16]].any()
    # With a wrist goes the hand.
    assert (zero[:, 7] >= zero[:, 6]).all()
    # Stretches, not single frames here and there.
    assert np.abs(np.diff(zero.astype(int), axis=0)).sum(axis=0).max() <= 6
    assert record(joints, np.random.default_rng(0), lost=0).any(axis=-1).all()


def test_a_perfect_sensor_keeps_the_shape():
    joints = forward_kinematics(np.zeros((9, 24)))
    perfect = {"white_noise": 0, "drift": 0, "lost": 0}
    seen = record(joints, np.random.default_rng(0), **perfect)
    bones = np.linalg.norm(seen[0, 1:] - seen[0, list(PARENTS[1:])], axis=-1)
    assert np.allclose(bones, np.linalg.norm(BONES[1:], axis=-1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"subjects": 3},
        {"repeats": 0},
        {"seed": -1},
        {"lost": 1.5},
        {"style": -1},
        {"frames": (30, 20)},
    ],
)
def test_wrong_arguments_are_named(wrong):
    ((name, value),) = wrong.items()
    with raises("option", ConfigError, field=name) as caught:
        make_synthetic_actions(**wrong)
    assert f"{name} is {value}" in str(caught.value)


def command(*arguments):
    return msg3d_command("prepare", "synthetic", *arguments, "--overwrite")


def test_command(tmp_path, capsys):
    """Written into a new folder, then again: equal, and nothing else is left."""
    out = tmp_path / "new" / "actions.pkl"
    small = ("--subjects", 4, "--repeats", 1)
    assert command(out, *small) == 0
    printed = capsys.readouterr()
    for part in ("40 sequences", "xsub_train 30, xsub_val 10", "sit_down", "median"):
        assert part in printed.out
    first = out.read_bytes()
    assert command(out, *small) == 0
    assert out.read_bytes() == first
    assert [path.name for path in out.parent.iterdir()] == ["actions.pkl"]

    again = keypoints(load_annotations(out))
    expected = keypoints(make_synthetic_actions(subjects=4, repeats=1))
    assert again.keys() == expected.keys()
    assert all(np.array_equal(again[name], expected[name]) for name in expected)


def test_command_that_fails_leaves_the_file(tmp_path, capsys, monkeypatch):
    out = tmp_path / "actions.pkl"
    out.write_bytes(b"precious")
    assert command(out, "--subjects", 2) == 2  # wrong usage
    assert "subjects" in capsys.readouterr().err

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pickle.dump", full)
    assert command(out, "--subjects", 4, "--repeats", 1) == 1
    assert "No space left" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["actions.pkl"]
    assert out.read_bytes() == b"precious"
