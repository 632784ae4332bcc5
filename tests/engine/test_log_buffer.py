"""In-place append of log buffers."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from mmengine.logging import HistoryBuffer

import msg3d  # noqa: F401  (patches the buffer)

ORIGINAL = HistoryBuffer.update.__wrapped__


def assert_equal(actual, expected):
    for values, expected_values in zip(actual.data, expected.data, strict=True):
        assert values.dtype == expected_values.dtype
        np.testing.assert_array_equal(values, expected_values)


@pytest.mark.parametrize("max_length", [1, 70, 1_000_000])
@pytest.mark.parametrize("initial", [[], [1.5, 2.5], [1, 2]], ids=str)
def test_values_match_mmengine(max_length, initial):
    initial = initial[:max_length]
    ours, theirs = (HistoryBuffer(initial, initial, max_length) for _ in range(2))
    for number in range(300):
        value = number if number % 3 else number / 7
        ours.update(value, 1 + number % 4)
        ORIGINAL(theirs, value, 1 + number % 4)
        assert_equal(ours, theirs)
    assert ours.mean(20) == theirs.mean(20)
    assert ours.current() == theirs.current()
    assert ours.max() == theirs.max()
    assert ours.min(100) == theirs.min(100)


def test_views_of_earlier_values_are_unchanged():
    buffer = HistoryBuffer()
    buffer.update(1.0)
    early, _ = buffer.data
    for value in range(200):
        buffer.update(value)
    assert early.tolist() == [1.0]


def test_copies_and_checkpoints_are_independent():
    buffer = HistoryBuffer()
    for value in range(100):
        buffer.update(value)
    copied, loaded = copy.deepcopy(buffer), pickle.loads(pickle.dumps(buffer))
    buffer.update(-1)
    for other in (copied, loaded):
        assert other.data[0].tolist() == list(range(100))
        other.update(-2)
        assert other.data[0][-2:].tolist() == [99, -2]
    assert buffer.data[0][-2:].tolist() == [99, -1]


def test_checkpoints_contain_no_spare_capacity():
    buffer, original = HistoryBuffer(), HistoryBuffer()
    for value in range(2000):
        buffer.update(value)
        ORIGINAL(original, value)
    assert len(pickle.dumps(buffer)) <= len(pickle.dumps(original)) + 100


def test_updates_do_not_copy():
    buffer = HistoryBuffer(np.zeros(100_000), np.ones(100_000))
    buffer.update(1)  # enlarges the storage
    tracemalloc.start()
    for _ in range(1000):
        buffer.update(1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000  # bytes; MMEngine allocates 1,600,000 per update


def test_nonnumeric_values_are_rejected():
    with pytest.raises(TypeError):
        HistoryBuffer().update("1")
