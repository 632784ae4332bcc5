"""A machine description that starts no process; tests/integration has the real one."""

import pytest

from benchmarks import results


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    description = dict(cpu="a processor", date="today")
    monkeypatch.setattr(results, "describe", lambda device: description)
