"""Prediction in Python, against MMAction2's own test of the same files."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from errors import raises
from msg3d import Recognizer
from msg3d.apis.predict_files import predict_files
from msg3d.apis.written import Labels
from msg3d.datasets import load_annotations
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import convert_layout
from samples import write
from tiny_models import NTU_2D, NTU_3D, UCLA_BONE, trained

NAMES = ["wave", "sit", "jump", "fall"]


@pytest.fixture(scope="module")
def solid(tmp_path_factory):
    """3D, NTU's joints, two persons."""
    files = trained(tmp_path_factory.mktemp("solid"), NTU_3D, NAMES)
    return Recognizer(*files, device="cpu", batch_size=4)


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """2D, COCO's joints, two persons, no names of classes."""
    files = trained(tmp_path_factory.mktemp("flat"), NTU_2D)
    return Recognizer(*files, device="cpu")


def walk(persons=1, frames=20, joints=25, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.05, size=(persons, frames, joints, channels))
    start = rng.normal(size=(persons, 1, joints, channels))
    return (start + steps.cumsum(1)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "joints", "channels", "persons"),
    [(NTU_3D, 25, 3, 2), (NTU_2D, 17, 2, 3), (UCLA_BONE, 20, 3, 1)],
)
def test_scores_are_those_of_mim_test(name, joints, channels, persons, tmp_path):
    """Runner.test with DumpResults, which is what `mim test --dump` runs."""
    config, checkpoint = trained(tmp_path, name)
    cfg = Config.fromfile(config)
    dataset = cfg.test_dataloader.dataset
    dataset.ann_file = str(tmp_path / "data.pkl")
    split = (f"not_{dataset.split}", dataset.split)
    write(dataset.ann_file, split, joints=joints, channels=channels, persons=persons)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.work_dir, cfg.load_from = str(tmp_path / "work"), str(checkpoint)
    dump = tmp_path / "dump.pkl"
    cfg.test_evaluator = [
        cfg.test_evaluator[0],
        {"type": "DumpResults", "out_file_path": str(dump)},
    ]
    Runner.from_cfg(cfg).test()
    tested = {
        one["frame_dir"]: one["pred_score"].numpy()
        for one in pickle.loads(dump.read_bytes())
    }
    samples = [
        one
        for one in load_annotations(dataset.ann_file)["annotations"]
        if one["frame_dir"] in tested
    ]
    assert len(samples) == len(tested) == 4
    found = Recognizer(config, checkpoint, device="cpu", batch_size=3).predict(samples)
    expected = np.stack([tested[one["frame_dir"]] for one in samples])
    actual = np.stack([one.scores for one in found])
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    # The comparison is worth something only if sequences differ.
    assert np.abs(expected - expected[0]).max() > 1e-3


def test_one_or_many_and_names(solid):
    sequences = [walk(seed=seed, frames=9 + seed) for seed in range(6)]
    many = solid.predict(sequences)
    for sequence, one in zip(sequences, many, strict=True):
        alone = solid.predict(sequence)
        np.testing.assert_allclose(alone.scores, one.scores, atol=1e-6)
        assert one.name == NAMES[one.label] == NAMES[one.scores.argmax()]
        assert one.score == one.scores.max()
        assert one.frames == (0, sequence.shape[1])
        assert [score for _, score in one.top(4)] == sorted(one.scores, reverse=True)
    assert len({one.score for one in many}) == 6


def test_neither_arrays_nor_random_numbers_of_the_caller_change(flat):
    keypoint = walk(joints=17, channels=2) * 50 + 300
    before = keypoint.copy()
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    flat.predict(keypoint, img_shape=(480, 640))
    np.testing.assert_array_equal(keypoint, before)
    assert np.random.rand() == expected


def test_units(solid, flat):
    metres = walk()
    expected = solid.predict(metres).scores
    for unit, factor in (("cm", 100), ("mm", 1000)):
        found = solid.predict(metres * factor, unit=unit).scores
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert np.abs(solid.predict(metres * factor).scores - expected).max() > 1e-3
    parts = np.random.default_rng(0).uniform(0.1, 0.9, (1, 20, 17, 2))
    pixels = parts * (640, 480)
    expected = flat.predict(pixels, img_shape=(480, 640)).scores
    for found in (
        flat.predict(parts, unit="normalized"),
        flat.predict(parts, unit="normalized", img_shape=(480, 640)),
    ):
        np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_scores_of_joints(flat):
    pixels = walk(joints=17, channels=2) * 50 + 300
    score = np.random.default_rng(0).uniform(size=pixels.shape[:3])
    apart = {"keypoint": pixels, "keypoint_score": score, "img_shape": (480, 640)}
    third = np.concatenate([pixels, score[..., None]], -1)
    expected = flat.predict(apart).scores
    found = flat.predict(third, img_shape=(480, 640)).scores
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ones = dict(apart, keypoint_score=np.ones_like(score))
    without = flat.predict(pixels, img_shape=(480, 640)).scores
    np.testing.assert_allclose(without, flat.predict(ones).scores, atol=1e-6)
    assert np.abs(without - expected).max() > 1e-4


def test_other_layouts(flat):
    keypoint = walk(joints=33, channels=2) * 50 + 300
    expected = flat.predict(
        convert_layout(keypoint, "mediapipe33", "coco"), img_shape=(480, 640)
    )
    found = flat.predict(keypoint, layout="mediapipe33", img_shape=(480, 640))
    np.testing.assert_array_equal(found.scores, expected.scores)
    sample = {"keypoint": keypoint, "layout": "mediapipe33", "img_shape": (480, 640)}
    np.testing.assert_array_equal(flat.predict(sample).scores, expected.scores)


def test_half_precision_is_kept_as_the_data_set_keeps_it(solid):
    """NTU-2D's files are float16, and transforms round as the array's type does."""
    assert solid.prepare(walk().astype(np.float16))["keypoint"].dtype == np.float16
    assert solid.prepare((walk() * 99).astype(int))["keypoint"].dtype == np.float32


def test_each_person_and_each_pair(solid):
    """Three persons, the last in frames 5 to 11 only, far from the first two."""
    scene = walk(persons=3)
    scene[1] += 10
    scene[2] += 30
    scene[2, :5] = scene[2, 12:] = 0
    found = solid.predict(scene, persons=True, pairs=3)
    assert [one.rows for one in found.persons] == [(0,), (1,), (2,)]
    assert [one.frames for one in found.persons] == [(0, 20), (0, 20), (5, 12)]
    alone = solid.predict([scene[:1], scene[1:2], scene[2:, 5:12]])
    for one, expected in zip(found.persons, alone, strict=True):
        np.testing.assert_allclose(one.scores, expected.scores, atol=1e-6)
    assert [one.rows for one in found.pairs] == [(0, 1), (1, 2), (0, 2)]
    assert [one.frames for one in found.pairs] == [(0, 20), (5, 12), (5, 12)]
    expected = solid.predict(scene[[0, 2], 5:12]).scores
    np.testing.assert_allclose(found.pairs[2].scores, expected, atol=1e-6)
    np.testing.assert_allclose(found.scores, solid.predict(scene).scores, atol=1e-6)
    assert [one.rows for one in solid.predict(scene, pairs=1).pairs] == [(0, 1)]
    told = found.as_dict(2)
    assert told["pairs"][0]["rows"] == [0, 1]
    assert len(told["top"]) == 2


def nan():
    keypoint = walk()
    keypoint[0, 3, 7] = np.nan
    return keypoint


@pytest.mark.parametrize(
    ("keypoint", "options", "kind", "field"),
    [
        (walk(joints=17), {}, "shape", "keypoint"),
        (walk()[..., :2], {}, "shape", "keypoint"),
        (nan(), {}, "not-finite", "keypoint"),
        (walk()[:, :0], {}, "empty", "keypoint"),
        (walk()[:0], {}, "empty", "keypoint"),
        (walk()[0], {}, "shape", "keypoint"),
        (walk() * 0, {}, "no-person", "keypoint"),
        (walk(2, 30).transpose(0, 3, 1, 2), {}, "shape", "keypoint"),
        (walk(), {"unit": "px"}, "unit", None),
        (walk(joints=17), {"layout": "coco"}, "layout", "keypoint"),
        (walk(), {"layout": "cocos"}, "layout", "layout"),
        ([[1, 2], [3]], {}, "shape", "keypoint"),
        ({"keypoints": walk()}, {}, "structure", "keypoint"),
    ],
)
def test_invalid_3d_keypoints(solid, keypoint, options, kind, field):
    with raises(kind, DataError, sample="sample 0", field=field) as caught:
        solid.predict(keypoint, **options)
    assert "\n" not in str(caught.value)


def test_the_kind_of_object_is_checked(solid):
    with raises("structure", DataError):
        solid.predict("file.npy")


def test_fixes_are_suggested(solid):
    """The axes that keypoints seem to have, and the transpose that fixes them."""
    with raises("shape") as caught:
        solid.predict(walk(2, 30).transpose(0, 3, 1, 2))
    assert "[M, C, T, V]" in caught.value.message
    with raises("shape") as caught:
        solid.predict(walk()[0])
    assert "keypoint[None]" in caught.value.message


def test_swapped_persons_and_frames_look_like_a_crowd(solid):
    prediction = solid.predict(walk().transpose(1, 0, 2, 3))
    assert prediction.rows == tuple(range(20))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "img-shape"),
        ({"img_shape": (480, 640), "unit": "normalized"}, "unit"),
        ({"img_shape": (480,)}, "img-shape"),
        ({"unit": "mm"}, "unit"),
    ],
)
def test_invalid_2d_keypoints(flat, options, kind):
    pixels = walk(joints=17, channels=2) * 50 + 300
    with raises(kind, DataError, sample="sample 0"):
        flat.predict(pixels, **options)


def test_normalized_coordinates_are_not_pixels(flat):
    normalized = np.random.default_rng(0).uniform(0, 1, (1, 20, 17, 2))
    with raises("unit", DataError):
        flat.predict(normalized, img_shape=(480, 640))
    depth = walk(joints=17, channels=3)
    with raises("score", DataError, field="keypoint"):
        flat.predict(depth, img_shape=(480, 640))


def test_an_error_names_the_sample(solid):
    with raises("not-finite", sample="sample 1"):
        solid.predict([walk(), nan()])
    with raises("not-finite", sample="kitchen7"):
        solid.predict({"keypoint": nan(), "frame_dir": "kitchen7"})


def test_pairs_need_a_network_of_two(tmp_path):
    recognizer = Recognizer(*trained(tmp_path, UCLA_BONE), device="cpu")
    with raises("option", field="pairs"):
        recognizer.predict(walk(2, joints=20), pairs=1)
    with raises("option", field="pairs"):
        predict_files(Labels(recognizer, pairs=1), [], ".", str(tmp_path), None, None)


def test_config_and_checkpoint_that_do_not_fit(tmp_path):
    config, checkpoint = trained(tmp_path / "a", NTU_3D)
    other, _ = trained(tmp_path / "b", UCLA_BONE)
    with raises("weights", ConfigError, file=checkpoint):
        Recognizer(other, checkpoint)
    state = torch.load(checkpoint)
    del state["state_dict"]["cls_head.fc.bias"]
    torch.save(state, tmp_path / "cut.pth")
    with raises("weights", ConfigError, file="cut.pth"):
        Recognizer(config, tmp_path / "cut.pth")
    with raises("not-found", ConfigError, file="none.pth"):
        Recognizer(config, tmp_path / "none.pth")
    with raises("label", ConfigError, field="classes"):
        Recognizer(config, checkpoint, classes=["a", "b", "c"])
    (tmp_path / "model.py").write_text(
        "model = dict(backbone=dict(), cls_head=dict())", encoding="utf-8"
    )
    with raises("config", file="model.py", field="test_dataloader"):
        Recognizer(tmp_path / "model.py", checkpoint)


def test_names_given_go_before_those_saved(tmp_path):
    files = trained(tmp_path, NTU_3D, NAMES)
    assert Recognizer(*files, device="cpu").classes == tuple(NAMES)
    assert Recognizer(*files, classes=list("abcd"), device="cpu").classes[3] == "d"


def test_without_names_there_are_numbers(flat):
    assert flat.classes == ("0", "1", "2", "3")
