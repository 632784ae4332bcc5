"""Classes enrolled from a few examples, their scores, and their files."""

import dataclasses

import numpy as np
import pytest
import torch

from errors import raises
from exported_models import BACKBONES, needs_onnx_export, tiny, walks
from msg3d import Recognizer, Stream
from msg3d.apis.enrolled import SHRINKAGE, SLOPE, EnrolledClasses
from msg3d.errors import ConfigError, DataError
from msg3d.export import export
from tiny_models import NTU_3D, trained, trained_on_targets


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("network"), NTU_3D)


@pytest.fixture
def recognizer(files):
    return Recognizer(*files, device="cpu", batch_size=2)


def waves(count, seed=0):
    """Return sequences of a person who moves a hand, with different noise."""
    rng = np.random.default_rng(seed)
    body = np.random.default_rng(9).normal(size=(1, 1, 25, 3))
    sequences = np.repeat(body[None], count, 0).repeat(20, 2)
    sequences[:, 0, :, 10, 0] += np.sin(np.arange(20))
    return list(sequences + rng.normal(scale=0.02, size=sequences.shape))


def test_last_layer_maps_features_to_scores(files):
    recognizer = Recognizer(*files, device="cpu", clips=1)
    sequences = walks()
    features = recognizer.features(sequences)
    assert features.shape == (3, 48)
    assert features.dtype == np.float32
    layer = recognizer._scores.model.cls_head.fc
    with torch.no_grad():
        scores = layer(torch.from_numpy(features)).softmax(1).numpy()
    expected = [prediction.scores for prediction in recognizer.predict(sequences)]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert not layer._forward_pre_hooks


def test_features_of_single_and_several_sequences(recognizer):
    sequences = walks()
    features = recognizer.features(sequences)
    for sequence, row in zip(sequences, features, strict=True):
        np.testing.assert_allclose(recognizer.features(sequence), row, atol=1e-5)
        sample = {"keypoint": sequence * 100, "unit": "cm"}
        np.testing.assert_allclose(recognizer.features(sample), row, atol=1e-4)
    np.testing.assert_allclose(
        recognizer.features(sequences[0] * 100, unit="cm"), features[0], atol=1e-4
    )
    assert np.abs(features - features[0]).max() > 1e-3


def test_features_are_averaged_over_clips(files):
    """Features of several clips are the mean of those of single clips."""
    recognizer = Recognizer(*files, device="cpu", clips=3)
    (sequence,) = waves(1)
    inputs = recognizer._pipeline(dict(recognizer.prepare(sequence)))
    assert len(inputs) == 3
    single = [recognizer._scores.features([clip[None]])[0] for clip in inputs]
    np.testing.assert_allclose(
        recognizer.features(sequence), np.mean(single, 0), atol=1e-5
    )


def test_enrolled_classes_are_predicted(recognizer):
    still, moving = walks()[0], waves(4)
    recognizer.enroll("walk", still)
    recognizer.enroll("wave", moving[:2])
    recognizer.enroll("wave", moving[2])
    assert recognizer.enrolled.names == ["walk", "wave"]
    assert recognizer.enrolled.counts == [1, 3]
    first, second = recognizer.predict([still, moving[3]], enrolled=True)
    assert (first.name, second.name) == ("walk", "wave")
    assert first.classes == ("walk", "wave")
    assert first.label == 0
    for prediction in (first, second):
        assert prediction.scores.shape == (2,)
        np.testing.assert_allclose(prediction.scores.sum(), 1, atol=1e-6)
        assert prediction.score == prediction.scores.max()
    # Predictions of the network's classes do not change.
    assert recognizer.predict(still).classes == ("0", "1", "2", "3")


def test_calls_are_equivalent_to_one_call(recognizer):
    moving = waves(3)
    recognizer.enroll("a", walks()[0])
    recognizer.enroll("b", moving)
    expected = recognizer.predict(walks(), enrolled=True)
    recognizer.enrolled = EnrolledClasses()
    for name, clip in (("a", walks()[0]), *(("b", clip) for clip in moving)):
        recognizer.enroll(name, [clip])
    for actual, scores in zip(
        recognizer.predict(walks(), enrolled=True), expected, strict=True
    ):
        np.testing.assert_allclose(actual.scores, scores.scores, atol=1e-5)


def test_scores_do_not_depend_on_order_and_number_of_examples():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 8)).astype(np.float32)
    few, many = EnrolledClasses(), EnrolledClasses()
    for label in (0, 1, 2):
        few.add(str(label), features[label : label + 1])
        many.add(str(label), features[[label] * (label + 1)])
    queries = rng.normal(size=(5, 8)).astype(np.float32)
    np.testing.assert_allclose(few.scores(queries), many.scores(queries), atol=1e-6)
    backwards = EnrolledClasses()
    for label in (2, 1, 0):
        backwards.add(str(label), features[label : label + 1])
    np.testing.assert_allclose(
        backwards.scores(queries)[:, ::-1], few.scores(queries), atol=1e-6
    )
    assert few.scores(features).argmax(1).tolist() == [0, 1, 2]


def test_distances_use_the_shared_covariance():
    """Scores equal those of the explicit formula with a D x D covariance."""
    rng = np.random.default_rng(0)
    spread = np.exp(rng.normal(size=6))
    groups = [
        5 + rng.normal(size=(n, 6)) * spread + rng.normal(size=6) for n in (4, 2, 3)
    ]
    queries = 5 + rng.normal(size=(7, 6)) * spread
    classes = EnrolledClasses()
    for name, group in zip("abc", groups, strict=True):
        classes.add(name, group[:1].astype(np.float32))
        classes.add(name, group[1:].astype(np.float32))

    def normalized(x):
        roots = np.sqrt(np.abs(x)) * np.sign(x)
        return roots / np.linalg.norm(roots, axis=1, keepdims=True)

    examples = [normalized(group) for group in groups]
    means = np.stack([group.mean(0) for group in examples])
    scatter = sum(
        (group - group.mean(0)).T @ (group - group.mean(0)) for group in examples
    )
    identity = np.eye(6) * np.concatenate(examples).var(0).mean()
    covariance = (1 - SHRINKAGE) * scatter / (9 - 3) + SHRINKAGE * identity
    inverse = np.linalg.inv(covariance)

    def squares(x):
        rest = x[:, None] - means
        return np.einsum("qcd,de,qce->qc", rest, inverse, rest)

    unit = squares(means).sum() / (3 * 2)
    powers = np.exp(-SLOPE * squares(normalized(queries)) / unit)
    expected = powers / powers.sum(1, keepdims=True)
    actual = classes.scores(queries.astype(np.float32))
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    # The covariance matters: Euclidean distances give other scores.
    plain = ((normalized(queries)[:, None] - means) ** 2).sum(2)
    assert np.abs(np.exp(-plain) / np.exp(-plain).sum(1)[:, None] - actual).max() > 0.05


def test_a_single_class_has_score_1():
    classes = EnrolledClasses()
    classes.add("a", np.ones((1, 4), np.float32))
    assert classes.scores(np.eye(4, dtype=np.float32)).tolist() == [[1]] * 4


def test_persons_and_streams(recognizer):
    recognizer.enroll("walk", walks()[0])
    recognizer.enroll("wave", waves(2))
    prediction = recognizer.predict(walks()[1], persons=True, pairs=1, enrolled=True)
    for part in (prediction, *prediction.persons, *prediction.pairs):
        assert part.classes == ("walk", "wave")
    assert len(prediction.persons) == 2
    stream = Stream(recognizer, window=20, every=20, enrolled=True)
    (moving,) = waves(1, seed=5)
    results = [stream.add(frame) for frame in np.moveaxis(moving, 1, 0)]
    assert results[-1].name == "wave"


def test_files(recognizer, files, tmp_path):
    recognizer.enroll("walk", walks()[0])
    recognizer.enroll("wave ä", waves(2))
    recognizer.save_enrolled(tmp_path / "new" / "enrolled.npz")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["enrolled.npz"]
    with np.load(tmp_path / "new" / "enrolled.npz", allow_pickle=False) as arrays:
        assert arrays["names"].tolist() == ["walk", "wave ä"]
    # The number of clips can differ.
    other = Recognizer(*files, device="cpu", clips=1)
    other.load_enrolled(tmp_path / "new" / "enrolled.npz")
    assert other.enrolled.names == ["walk", "wave ä"]
    assert other.enrolled.counts == [1, 2]
    same = Recognizer(*files, device="cpu")
    same.load_enrolled(tmp_path / "new" / "enrolled.npz")
    for network in (recognizer, same):
        network.enroll("walk", walks()[1])
    actual, expected = (
        network.predict(walks(), enrolled=True) for network in (same, recognizer)
    )
    for left, right in zip(actual, expected, strict=True):
        np.testing.assert_allclose(left.scores, right.scores, atol=1e-6)


def test_other_networks_are_rejected(recognizer, files, tmp_path):
    recognizer.enroll("walk", walks()[0])
    file = tmp_path / "enrolled.npz"
    recognizer.save_enrolled(file)
    config, checkpoint = files
    state = torch.load(checkpoint)
    state["state_dict"]["backbone.data_bn.bias"][0] += 1
    torch.save(state, tmp_path / "other.pth")
    text = config.read_text(encoding="utf-8").replace("'clip_len': 16", "'clip_len': 8")
    assert text != config.read_text(encoding="utf-8")
    (tmp_path / "shorter.py").write_text(text, encoding="utf-8")
    for other in (
        Recognizer(config, tmp_path / "other.pth", device="cpu"),
        Recognizer(tmp_path / "shorter.py", checkpoint, device="cpu"),
    ):
        with raises("weights", ConfigError, file=file):
            other.load_enrolled(file)
        assert not other.enrolled.names


def without(name):
    return lambda arrays: arrays.pop(name)


def changed(name, value):
    return lambda arrays: arrays.update({name: np.array(value)})


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        (without("names"), "structure", "names"),
        (without("feature_hash"), "structure", "feature_hash"),
        (changed("features", [1.0, 2.0]), "structure", "features"),
        (changed("names", ["a", "a"]), "structure", "names"),
        (changed("names", np.array([], "U1")), "structure", "names"),
        (changed("names", [b"a", b"b"]), "dtype", "names"),
        (changed("names", np.array([{}, []], object)), "dtype", "names"),
        (changed("format", 2), "version", "format"),
        (changed("labels", [0, 0]), "label", "labels"),
        (changed("labels", [0, 1, 2]), "label", "labels"),
        (changed("labels", [0, 1, 1]), "corrupt", "features"),
        (changed("features", [[1.0, 2.0], [np.nan, 1.0]]), "corrupt", "features"),
    ],
)
def test_invalid_arrays(tmp_path, change, kind, field):
    classes = EnrolledClasses()
    for name in "ab":
        classes.add(name, np.ones((1, 2), np.float32))
    file = tmp_path / "enrolled.npz"
    classes.save(file, "hash")
    assert EnrolledClasses.load(file, "hash").names == ["a", "b"]
    with np.load(file) as loaded:
        arrays = dict(loaded)
    change(arrays)
    np.savez(file, **arrays)
    with raises(kind, DataError, file=file, field=field):
        EnrolledClasses.load(file, "hash")


def test_invalid_files(recognizer, tmp_path):
    with raises("not-found", ConfigError, file="none.npz"):
        recognizer.load_enrolled(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive", encoding="utf-8")
    with raises("corrupt-archive", DataError, file="text.npz"):
        recognizer.load_enrolled(tmp_path / "text.npz")


def test_errors(recognizer, tmp_path):
    with raises("empty", ConfigError):
        recognizer.predict(walks(), enrolled=True)
    with raises("empty", ConfigError):
        recognizer.save_enrolled(tmp_path / "enrolled.npz")
    assert not list(tmp_path.iterdir())
    with raises("empty", DataError):
        recognizer.enroll("walk", [])
    with raises("shape", DataError):
        recognizer.enroll("walk", walks()[0][..., :2])
    assert not recognizer.enrolled.names


def test_regression_networks_are_rejected(tmp_path):
    file = trained_on_targets(tmp_path / "traits.pth", ["a", "b"])
    recognizer = Recognizer(file, device="cpu")
    body = np.random.default_rng(0).normal(size=(1, 9, 24, 3))
    with raises("config", ConfigError):
        recognizer.features(body)
    with raises("config", ConfigError):
        recognizer.enroll("walk", body)


@needs_onnx_export
@pytest.mark.parametrize("backbone", ["MSG3D", "PartitionSTGCN"])
def test_onnx_files_have_features(tmp_path, backbone):
    files = tiny(tmp_path, backbone)
    original = Recognizer(*files, device="cpu")
    original.enroll("first", walks()[0])
    original.enroll("second", walks()[1])
    original.save_enrolled(tmp_path / "enrolled.npz")
    export(*files, tmp_path / "model.onnx")
    exported = Recognizer(tmp_path / "model.onnx")
    features = exported.features(walks())
    assert features.shape == (3, BACKBONES[backbone][1])
    expected = original.features(walks())
    tolerance = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(features, expected, rtol=0, atol=tolerance)
    exported.load_enrolled(tmp_path / "enrolled.npz")
    for actual, prediction in zip(
        exported.predict(walks(), enrolled=True),
        original.predict(walks(), enrolled=True),
        strict=True,
    ):
        np.testing.assert_allclose(actual.scores, prediction.scores, atol=1e-3)
        assert dataclasses.astuple(actual)[1] == prediction.name


def test_archives_of_torch_have_no_features(tmp_path):
    export(*tiny(tmp_path, "ResTCN"), tmp_path / "model.pt2")
    recognizer = Recognizer(tmp_path / "model.pt2")
    assert recognizer.predict(walks()[0]).scores.shape == (4,)
    with raises("config", ConfigError, field="features"):
        recognizer.features(walks())


@needs_onnx_export
def test_earlier_onnx_files_have_no_features(tmp_path, monkeypatch):
    """Files exported by earlier versions have the single output `scores`."""
    import onnx

    export(*tiny(tmp_path, "ResTCN"), tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    [output] = [value for value in proto.graph.output if value.name == "features"]
    proto.graph.output.remove(output)
    onnx.save(proto, tmp_path / "earlier.onnx")
    recognizer = Recognizer(tmp_path / "earlier.onnx")
    assert recognizer.predict(walks()[0]).scores.shape == (4,)
    with raises("config", ConfigError, field="features"):
        recognizer.features(walks())


@pytest.mark.parametrize("name", ["", " ", "a\0", 3, None, ["a"]])
def test_names_are_text(name):
    with raises("option", ConfigError, field="name"):
        EnrolledClasses().add(name, np.ones((1, 4), np.float32))


def test_other_number_of_features():
    classes = EnrolledClasses()
    classes.add("a", np.ones((1, 4), np.float32))
    with raises("shape", DataError):
        classes.scores(np.ones((1, 5), np.float32))
