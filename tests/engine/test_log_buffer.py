"""Log buffers that append in place."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from mmengine.logging import HistoryBuffer

import msg3d  # noqa: F401  (wraps the buffer)

ORIGINAL = HistoryBuffer.update.__wrapped__


def same(mine, other):
    for ours, theirs in zip(mine.data, other.data, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("max_length", [1, 70, 1_000_000])
@pytest.mark.parametrize("begun", [[], [1.5, 2.5], [1, 2]], ids=str)
def test_values_are_mmengines(max_length, begun):
    begun = begun[:max_length]
    mine, other = (HistoryBuffer(begun, begun, max_length) for _ in range(2))
    for number in range(300):
        value = number if number % 3 else number / 7
        mine.update(value, 1 + number % 4)
        ORIGINAL(other, value, 1 + number % 4)
        same(mine, other)
    assert mine.mean(20) == other.mean(20)
    assert mine.current() == other.current()
    assert mine.max() == other.max()
    assert mine.min(100) == other.min(100)


def test_what_was_read_before_stays():
    buffer = HistoryBuffer()
    buffer.update(1.0)
    early, _ = buffer.data
    for value in range(200):
        buffer.update(value)
    assert early.tolist() == [1.0]


def test_copies_and_checkpoints_go_their_own_way():
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


def test_a_checkpoint_holds_no_spare_room():
    buffer, plain = HistoryBuffer(), HistoryBuffer()
    for value in range(2000):
        buffer.update(value)
        ORIGINAL(plain, value)
    assert len(pickle.dumps(buffer)) <= len(pickle.dumps(plain)) + 100


def test_an_update_copies_nothing():
    buffer = HistoryBuffer(np.zeros(100_000), np.ones(100_000))
    buffer.update(1)  # this one makes room
    tracemalloc.start()
    for _ in range(1000):
        buffer.update(1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000  # bytes; MMEngine takes 1,600,000 for each


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError):
        HistoryBuffer().update("1")
