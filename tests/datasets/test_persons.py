"""Selection of persons, compared with each rule in plain loops."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from errors import raises
from msg3d.annotations.files import load_annotations
from msg3d.datasets.transforms import SelectPersons
from msg3d.errors import ConfigError, DataError

RULES = ("energy", "score", "area", "length")


def sample(persons=4, frames=12, joints=7, channels=2, dtype=np.float32, seed=0):
    """Return random walks with absent joints, gaps, and an absent third person."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.5, 2, (persons, 1, 1, 1))
    steps = rng.normal(size=(persons, frames, joints, channels)).cumsum(1)
    keypoint = 5 + size * steps / 10
    keypoint *= rng.random((persons, frames, 1, 1)) > rng.uniform(
        0, 0.5, (persons, 1, 1, 1)
    )
    keypoint *= rng.random((persons, frames, joints, 1)) > 0.1
    keypoint[2:3] = 0
    score = rng.uniform(0.1, 1, (persons, frames, joints)) * keypoint.any(-1)
    return {
        "keypoint": keypoint.astype(dtype),
        "keypoint_score": score.astype(dtype),
        "total_frames": frames,
    }


def plain_value(rule, keypoint, score):
    """Rank value of one person [T, V, C]; None if the person is absent."""
    frames = [t for t in range(len(keypoint)) if (keypoint[t] != 0).any()]
    if not frames:
        return None
    if rule == "length":
        return len(frames)
    if rule == "score":
        return sum(float(s) for frame in score for s in frame) / score.size
    poses = [
        [[float(c) for c in joint] for joint in keypoint[t] if (joint != 0).any()]
        for t in frames
    ]
    if rule == "area":
        areas = []
        for pose in poses:
            (left, right), (low, high) = (
                (min(c), max(c)) for c in list(zip(*pose, strict=True))[:2]
            )
            areas.append((right - left) * (high - low))
        return sum(areas) / len(areas)
    energy = 0
    for coordinate in zip(*(joint for pose in poses for joint in pose), strict=True):
        mean = sum(coordinate) / len(coordinate)
        energy += (sum((c - mean) ** 2 for c in coordinate) / len(coordinate)) ** 0.5
    return energy


def plain_choice(rule, results, num_person):
    values = {
        person: plain_value(rule, keypoint, score)
        for person, (keypoint, score) in enumerate(
            zip(results["keypoint"], results["keypoint_score"], strict=True)
        )
    }
    present = [person for person, value in values.items() if value is not None]
    return sorted(present, key=lambda person: -values[person])[:num_person] or [0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("persons", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("rule", RULES)
def test_rules_equal_plain_loops(rule, persons, channels, dtype):
    for seed in range(5):
        results = sample(persons, channels=channels, dtype=dtype, seed=seed)
        for num_person in (1, 2, 5):
            chosen = plain_choice(rule, results, num_person)
            actual = SelectPersons(num_person, by=rule)(dict(results))
            for key in ("keypoint", "keypoint_score"):
                np.testing.assert_array_equal(actual[key], results[key][chosen])
                assert actual[key].dtype == dtype
            assert actual["total_frames"] == results["total_frames"]


@pytest.mark.parametrize("rule", ["energy", "score", "area", "frame_score"])
def test_order_in_the_file_has_no_effect(rule):
    results = sample(5)
    expected = SelectPersons(3, by=rule)(dict(results))["keypoint"]
    for order in ([4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        shuffled = {
            "keypoint": results["keypoint"][order],
            "keypoint_score": results["keypoint_score"][order],
        }
        actual = SelectPersons(3, by=rule)(shuffled)["keypoint"]
        np.testing.assert_array_equal(actual, expected)


def test_chair_and_late_actor():
    """The chair is the first person: still, large, and always present."""
    keypoint = np.zeros((2, 10, 4, 3), np.float32)
    keypoint[0] = [[0, 0, 3], [1, 0, 3], [1, 1, 3], [0, 1, 3]]
    keypoint[1, 6:] = [[2, 0, 3], [2.1, 0, 3], [2.1, 0.5, 3], [2, 0.5, 3]]
    keypoint[1, 6:, :, 0] += np.array([0, 2, 4, 6])[:, None]
    chair, actor = keypoint
    for rule, first in (("energy", actor), ("length", chair), ("area", chair)):
        result = SelectPersons(1, by=rule)({"keypoint": keypoint})["keypoint"]
        np.testing.assert_array_equal(result, first[None])


@pytest.mark.parametrize("rule", [*RULES, "frame_score"])
def test_ties_keep_the_order_of_the_file(rule):
    """Mirrored persons have the same rank value."""
    person = sample(1, channels=2)
    results = {
        "keypoint": person["keypoint"] * np.array([[1], [-1], [1]])[..., None, None],
        "keypoint_score": person["keypoint_score"].repeat(3, 0),
    }
    actual = SelectPersons(2, by=rule)(dict(results))["keypoint"]
    np.testing.assert_array_equal(actual, results["keypoint"][:2])


def test_frame_score_ranks_each_frame_separately():
    results = sample(5)
    keypoint, score = results["keypoint"], results["keypoint_score"]
    actual = SelectPersons(2, by="frame_score")(dict(results))
    for t in range(keypoint.shape[1]):
        sums = [float(score[m, t].astype(np.float64).sum()) for m in range(5)]
        best = sorted(range(5), key=lambda person: -sums[person])[:2]
        np.testing.assert_array_equal(actual["keypoint"][:, t], keypoint[best, t])
        np.testing.assert_array_equal(actual["keypoint_score"][:, t], score[best, t])


def test_scores_of_absent_persons_are_ignored():
    results = sample(2)
    results["keypoint"][0, 1:] = 0
    results["keypoint_score"][0] = 1
    results["keypoint"][1], results["keypoint_score"][1] = 3, 0.5
    for rule in ("score", "frame_score"):
        keypoint = SelectPersons(1, by=rule)(dict(results))["keypoint"]
        assert keypoint[0, 1:].all()


@pytest.mark.parametrize("rule", [*RULES, "frame_score"])
def test_no_person_detected(rule):
    results = sample(3)
    results["keypoint"][:] = results["keypoint_score"][:] = 0
    actual = SelectPersons(2, by=rule)(results)
    assert actual["keypoint"].shape == (1, 12, 7, 2)
    assert actual["keypoint_score"].shape == (1, 12, 7)
    assert not actual["keypoint"].any()


@pytest.mark.parametrize("num_person", [1, 2, 3, 4, 5])
def test_absent_persons_of_2d_input_are_zero(num_person):
    """PreNormalize2D would set absent persons to -1 instead of 0."""
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            {"type": "SelectPersons", "num_person": num_person, "by": "score"},
            {"type": "PreNormalize2D", "img_shape": (4, 4)},
            {"type": "GenSkeFeat", "dataset": "coco", "feats": ["j"]},
            {
                "type": "UniformSampleFrames",
                "clip_len": 8,
                "num_clips": 3,
                "test_mode": True,
            },
            {"type": "PoseDecode"},
            {"type": "FormatGCNInput", "num_person": num_person},
        ]
    )
    results = sample(4, joints=17)
    results["keypoint"] = results["keypoint"][[2, 0, 1, 3]]  # absent person first
    results["keypoint_score"] = results["keypoint_score"][[2, 0, 1, 3]]
    keypoint = pipeline(results)["keypoint"]
    assert keypoint.shape == (3, num_person, 8, 17, 3)
    present = (keypoint != 0).any((0, 2, 3, 4))
    assert present.tolist() == [person < 3 for person in range(num_person)]


def test_input_is_not_modified():
    results = sample()
    before = {key: np.copy(value) for key, value in results.items()}
    SelectPersons(2)(dict(results))["keypoint"][:] = 0
    np.testing.assert_equal(results, before)


def test_invalid_arguments_and_samples():
    with raises("option", ConfigError, field="by"):
        TRANSFORMS.build({"type": "SelectPersons", "by": "size"})
    with raises("option", ConfigError, field="num_person"):
        SelectPersons(0)
    results = sample()
    del results["keypoint_score"]
    for rule in ("score", "frame_score"):
        with raises("score", DataError, field="keypoint_score"):
            SelectPersons(by=rule)(dict(results))


def test_both_persons_of_sbu_are_kept(shared):
    """Every sample has two persons, and all rules keep both."""
    annotations = load_annotations(shared / "data" / "sbu.pkl")["annotations"]
    for entry in annotations[::7]:
        keypoint = entry["keypoint"]
        for rule in ("energy", "area", "length"):
            kept = SelectPersons(2, by=rule)({"keypoint": keypoint})["keypoint"]
            values = [plain_value(rule, person, None) for person in keypoint]
            order = [0, 1] if values[0] >= values[1] else [1, 0]
            np.testing.assert_array_equal(kept, keypoint[order])
