"""Prediction in Python, compared with MMAction2's test of the same files."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from errors import raises
from msg3d import Recognizer
from msg3d.apis.predict_files import predict_files
from msg3d.apis.tasks import Labels
from msg3d.datasets import load_annotations
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import convert_layout
from samples import write
from tiny_models import NTU_2D, NTU_3D, UCLA_BONE, trained

NAMES = ["wave", "sit", "jump", "fall"]


@pytest.fixture(scope="module")
def recognizer_3d(tmp_path_factory):
    """3D, joints of NTU, two persons."""
    files = trained(tmp_path_factory.mktemp("3d"), NTU_3D, NAMES)
    return Recognizer(*files, device="cpu", batch_size=4)


@pytest.fixture(scope="module")
def recognizer_2d(tmp_path_factory):
    """2D, joints of COCO, two persons, without class names."""
    files = trained(tmp_path_factory.mktemp("2d"), NTU_2D)
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
def test_scores_equal_mim_test(name, joints, channels, persons, tmp_path):
    """`mim test --dump` calls Runner.test with DumpResults."""
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
    scores = {
        result["frame_dir"]: result["pred_score"].numpy()
        for result in pickle.loads(dump.read_bytes())
    }
    samples = [
        sample
        for sample in load_annotations(dataset.ann_file)["annotations"]
        if sample["frame_dir"] in scores
    ]
    assert len(samples) == len(scores) == 4
    recognizer = Recognizer(config, checkpoint, device="cpu", batch_size=3)
    actual = np.stack([result.scores for result in recognizer.predict(samples)])
    expected = np.stack([scores[sample["frame_dir"]] for sample in samples])
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    # The comparison is meaningful only if the scores of sequences differ.
    assert np.abs(expected - expected[0]).max() > 1e-3


def test_predictions_of_a_list(recognizer_3d):
    sequences = [walk(seed=seed, frames=9 + seed) for seed in range(6)]
    predictions = recognizer_3d.predict(sequences)
    for sequence, prediction in zip(sequences, predictions, strict=True):
        single = recognizer_3d.predict(sequence)
        scores = prediction.scores
        np.testing.assert_allclose(single.scores, scores, atol=1e-6)
        assert prediction.name == NAMES[prediction.label] == NAMES[scores.argmax()]
        assert prediction.score == scores.max()
        assert prediction.frames == (0, sequence.shape[1])
        top = [score for _, score in prediction.top(4)]
        assert top == sorted(scores, reverse=True)
    assert len({prediction.score for prediction in predictions}) == 6


def test_input_and_random_state_do_not_change(recognizer_2d):
    keypoint = walk(joints=17, channels=2) * 50 + 300
    before = keypoint.copy()
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    recognizer_2d.predict(keypoint, img_shape=(480, 640))
    np.testing.assert_array_equal(keypoint, before)
    assert np.random.rand() == expected


def test_units(recognizer_3d, recognizer_2d):
    meters = walk()
    expected = recognizer_3d.predict(meters).scores
    for unit, factor in (("cm", 100), ("mm", 1000)):
        actual = recognizer_3d.predict(meters * factor, unit=unit).scores
        np.testing.assert_allclose(actual, expected, atol=1e-5)
        wrong = recognizer_3d.predict(meters * factor).scores
        assert np.abs(wrong - expected).max() > 1e-3
    normalized = np.random.default_rng(0).uniform(0.1, 0.9, (1, 20, 17, 2))
    pixels = normalized * (640, 480)
    expected = recognizer_2d.predict(pixels, img_shape=(480, 640)).scores
    for options in ({}, {"img_shape": (480, 640)}):
        actual = recognizer_2d.predict(normalized, unit="normalized", **options).scores
        np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_keypoint_scores(recognizer_2d):
    pixels = walk(joints=17, channels=2) * 50 + 300
    score = np.random.default_rng(0).uniform(size=pixels.shape[:3])
    sample = {"keypoint": pixels, "keypoint_score": score, "img_shape": (480, 640)}
    expected = recognizer_2d.predict(sample).scores
    with_score = np.concatenate([pixels, score[..., None]], -1)
    actual = recognizer_2d.predict(with_score, img_shape=(480, 640)).scores
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    default = recognizer_2d.predict(pixels, img_shape=(480, 640)).scores
    ones = recognizer_2d.predict(dict(sample, keypoint_score=np.ones_like(score)))
    np.testing.assert_allclose(default, ones.scores, atol=1e-6)
    assert np.abs(default - expected).max() > 1e-4


def test_other_layouts(recognizer_2d):
    keypoint = walk(joints=33, channels=2) * 50 + 300
    expected = recognizer_2d.predict(
        convert_layout(keypoint, "mediapipe33", "coco"), img_shape=(480, 640)
    )
    actual = recognizer_2d.predict(keypoint, layout="mediapipe33", img_shape=(480, 640))
    np.testing.assert_array_equal(actual.scores, expected.scores)
    sample = {"keypoint": keypoint, "layout": "mediapipe33", "img_shape": (480, 640)}
    np.testing.assert_array_equal(recognizer_2d.predict(sample).scores, expected.scores)


def test_half_precision_is_kept(recognizer_3d):
    """The files of NTU-2D are float16, and transforms keep the dtype."""
    assert (
        recognizer_3d.prepare(walk().astype(np.float16))["keypoint"].dtype == np.float16
    )
    assert (
        recognizer_3d.prepare((walk() * 99).astype(int))["keypoint"].dtype == np.float32
    )


def test_persons_and_pairs(recognizer_3d):
    """Three persons, the last one only in frames 5 to 11 and far from the others."""
    scene = walk(persons=3)
    scene[1] += 10
    scene[2] += 30
    scene[2, :5] = scene[2, 12:] = 0
    prediction = recognizer_3d.predict(scene, persons=True, pairs=3)
    persons, pairs = prediction.persons, prediction.pairs
    assert [person.rows for person in persons] == [(0,), (1,), (2,)]
    assert [person.frames for person in persons] == [(0, 20), (0, 20), (5, 12)]
    expected = recognizer_3d.predict([scene[:1], scene[1:2], scene[2:, 5:12]])
    for person, single in zip(persons, expected, strict=True):
        np.testing.assert_allclose(person.scores, single.scores, atol=1e-6)
    assert [pair.rows for pair in pairs] == [(0, 1), (1, 2), (0, 2)]
    assert [pair.frames for pair in pairs] == [(0, 20), (5, 12), (5, 12)]
    expected = recognizer_3d.predict(scene[[0, 2], 5:12]).scores
    np.testing.assert_allclose(pairs[2].scores, expected, atol=1e-6)
    expected = recognizer_3d.predict(scene).scores
    np.testing.assert_allclose(prediction.scores, expected, atol=1e-6)
    (pair,) = recognizer_3d.predict(scene, pairs=1).pairs
    assert pair.rows == (0, 1)
    content = prediction.as_dict(2)
    assert content["pairs"][0]["rows"] == [0, 1]
    assert len(content["top"]) == 2


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
def test_invalid_3d_keypoints(recognizer_3d, keypoint, options, kind, field):
    with raises(kind, DataError, sample="sample 0", field=field) as caught:
        recognizer_3d.predict(keypoint, **options)
    assert "\n" not in str(caught.value)


def test_invalid_type(recognizer_3d):
    with raises("structure", DataError):
        recognizer_3d.predict("file.npy")


def test_fixes_are_suggested(recognizer_3d):
    """The message contains the guessed axes and the fix."""
    with raises("shape") as caught:
        recognizer_3d.predict(walk(2, 30).transpose(0, 3, 1, 2))
    assert "[M, C, T, V]" in caught.value.message
    with raises("shape") as caught:
        recognizer_3d.predict(walk()[0])
    assert "keypoint[None]" in caught.value.message


def test_swapped_persons_and_frames_are_accepted(recognizer_3d):
    prediction = recognizer_3d.predict(walk().transpose(1, 0, 2, 3))
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
def test_invalid_2d_keypoints(recognizer_2d, options, kind):
    pixels = walk(joints=17, channels=2) * 50 + 300
    with raises(kind, DataError, sample="sample 0"):
        recognizer_2d.predict(pixels, **options)


def test_normalized_coordinates_are_not_pixels(recognizer_2d):
    normalized = np.random.default_rng(0).uniform(0, 1, (1, 20, 17, 2))
    with raises("unit", DataError):
        recognizer_2d.predict(normalized, img_shape=(480, 640))
    depth = walk(joints=17, channels=3)
    with raises("score", DataError, field="keypoint"):
        recognizer_2d.predict(depth, img_shape=(480, 640))


def test_errors_contain_the_sample(recognizer_3d):
    with raises("not-finite", sample="sample 1"):
        recognizer_3d.predict([walk(), nan()])
    with raises("not-finite", sample="kitchen7"):
        recognizer_3d.predict({"keypoint": nan(), "frame_dir": "kitchen7"})


def test_equal_groups_are_computed_once(recognizer_3d, monkeypatch):
    inputs, pipeline = [], recognizer_3d._pipeline

    class Counted:
        expected = pipeline.expected

        def __call__(self, sample):
            inputs.append(sample)
            return pipeline(sample)

    monkeypatch.setattr(recognizer_3d, "_pipeline", Counted())
    single, two = recognizer_3d.predict([walk(1), walk(2)], persons=True, pairs=1)
    assert len(inputs) == 1 + 3  # one person; both persons, and each of them
    assert len(single.persons) == 1
    assert not single.pairs
    assert len(two.persons) == 2
    assert [pair.rows for pair in two.pairs] == [(0, 1)]
    np.testing.assert_array_equal(single.persons[0].scores, single.scores)
    np.testing.assert_array_equal(two.pairs[0].scores, two.scores)


def test_pairs_require_two_persons(tmp_path):
    recognizer = Recognizer(*trained(tmp_path, UCLA_BONE), device="cpu")
    with raises("option", field="pairs"):
        recognizer.predict(walk(2, joints=20), pairs=1)
    with raises("option", field="pairs"):
        predict_files(Labels(recognizer, pairs=1), [], ".", str(tmp_path), None, None)


def test_mismatch_of_config_and_checkpoint(tmp_path):
    config, checkpoint = trained(tmp_path / "a", NTU_3D)
    other, _ = trained(tmp_path / "b", UCLA_BONE)
    with raises("weights", ConfigError, file=checkpoint):
        Recognizer(other, checkpoint)
    state = torch.load(checkpoint)
    del state["state_dict"]["cls_head.fc.bias"]
    torch.save(state, tmp_path / "incomplete.pth")
    with raises("weights", ConfigError, file="incomplete.pth"):
        Recognizer(config, tmp_path / "incomplete.pth")
    with raises("not-found", ConfigError, file="none.pth"):
        Recognizer(config, tmp_path / "none.pth")
    with raises("label", ConfigError, field="classes"):
        Recognizer(config, checkpoint, classes=["a", "b", "c"])
    (tmp_path / "model.py").write_text(
        "model = dict(backbone=dict(), cls_head=dict())", encoding="utf-8"
    )
    with raises("config", file="model.py", field="test_dataloader"):
        Recognizer(tmp_path / "model.py", checkpoint)


def test_class_names_override_saved_names(tmp_path):
    files = trained(tmp_path, NTU_3D, NAMES)
    assert Recognizer(*files, device="cpu").classes == tuple(NAMES)
    assert Recognizer(*files, classes=list("abcd"), device="cpu").classes[3] == "d"


def test_default_class_names(recognizer_2d):
    assert recognizer_2d.classes == ("0", "1", "2", "3")
