"""ReuseMemoryHook changes the allocator of runs on a CPU only."""

from types import SimpleNamespace

import pytest
from torch import nn

from msg3d.engine.hooks import memory_hook


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.Linear(2, 2), [True]),
        (nn.Linear(2, 2, device="meta"), []),
        (nn.ReLU(), [True]),  # without parameters
    ],
)
def test_hook(model, expected, monkeypatch):
    calls = []
    monkeypatch.setattr(memory_hook, "keep_freed_memory", lambda: calls.append(True))
    memory_hook.ReuseMemoryHook().before_run(SimpleNamespace(model=model))
    assert calls == expected


def test_other_systems(monkeypatch):
    monkeypatch.setattr(memory_hook.sys, "platform", "darwin")
    assert not memory_hook.keep_freed_memory()
