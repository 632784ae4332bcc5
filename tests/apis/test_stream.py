"""Streams, compared with predictions for the last frames."""

import tracemalloc

import numpy as np
import pytest

from errors import raises
from msg3d.apis import Recognizer, Stream
from msg3d.errors import ConfigError, DataError
from tiny_models import NTU_2D, NTU_3D, trained


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    files = trained(tmp_path_factory.mktemp("model") / "3d", NTU_3D, list("abcd"))
    return Recognizer(*files, device="cpu", clips=1)


@pytest.fixture
def walk():
    """Two persons, [T, M, V, C]."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, 2, 25, 3)).cumsum(0).astype(np.float32)


def test_prediction_of_the_last_frames(recognizer, walk):
    stream = Stream(recognizer, window=20, every=7)
    for number, frame in enumerate(walk, 1):
        prediction = stream.add(frame)
        assert stream.frames == number
        if number % 7:
            assert prediction is None
            continue
        start = max(0, number - 20)
        expected = recognizer.predict(np.moveaxis(walk[start:number], 0, 1))
        np.testing.assert_array_equal(prediction.scores, expected.scores)
        assert prediction.frames == (start, number)
        assert prediction.name == expected.name


def test_keypoint_scores(tmp_path):
    model = Recognizer(*trained(tmp_path / "2d", NTU_2D), device="cpu", clips=1)
    rng = np.random.default_rng(0)
    frames = rng.uniform(10, 400, size=(12, 1, 17, 2)).astype(np.float32)
    scores = rng.uniform(0.1, 1, size=(12, 1, 17)).astype(np.float32)
    stream = Stream(model, window=8, every=12, img_shape=(480, 640))
    *_, prediction = map(stream.add, frames, scores)
    keypoint, score = (np.moveaxis(array[4:], 0, 1) for array in (frames, scores))
    sample = {"keypoint": keypoint, "keypoint_score": score, "img_shape": (480, 640)}
    np.testing.assert_array_equal(prediction.scores, model.predict(sample).scores)
    with raises("shape", DataError, field="keypoint_score"):
        stream.add(frames[0])


def test_windows_without_persons(recognizer, walk):
    stream = Stream(recognizer, window=10, every=5)
    empty = np.zeros_like(walk[0])
    assert [stream.add(empty) for _ in range(10)] == [None] * 10
    for frame in walk[:5]:
        prediction = stream.add(frame)
    assert prediction.frames == (5, 15)  # counted from the start of the stream


def test_frames_of_another_shape(recognizer, walk):
    stream = Stream(recognizer, window=10)
    with raises("shape", DataError, field="keypoint"):
        stream.add(walk[0, 0])
    stream.add(walk[0])
    with raises("shape", DataError, field="keypoint"):
        stream.add(walk[1, :1])
    with raises("structure", DataError, field="keypoint_score"):
        stream.add(walk[1], np.ones((2, 25)))
    assert stream.frames == 1
    stream.reset()
    stream.add(walk[1, :1])
    assert stream.frames == 1
    with raises("option", ConfigError, field="window"):
        Stream(recognizer, window=0)


def test_memory_does_not_grow(recognizer, walk):
    """100,000 frames are an hour at 28 frames per second."""
    stream = Stream(recognizer, window=60, every=2000)
    for number in range(4000):
        stream.add(walk[number % 50])
    tracemalloc.start()
    try:
        before, labels = tracemalloc.get_traced_memory()[0], 0
        for number in range(4000, 100_000):
            labels += stream.add(walk[number % 50]) is not None
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert (stream.frames, labels) == (100_000, 48)
    # Caches of torch and Python grow. Keeping one window per label would take 1.7 MB.
    assert grown < 500_000
