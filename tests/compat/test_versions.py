"""Version checks of the required packages."""

import importlib.metadata
import importlib.util
import sys

import pytest

from msg3d.compat import versions
from msg3d.compat.fixes import FIXES, fix, installed

WORKING = {"mmcv-lite": "2.1.0", "torch": "2.13.0a0+git1234", "mmengine": "0.10.7"}


@pytest.fixture
def packages(monkeypatch):
    """Simulated installed versions, which tests may change."""
    simulated = dict(WORKING)

    def version(name):
        if name not in simulated:
            raise importlib.metadata.PackageNotFoundError(name)
        return simulated[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return simulated


@pytest.mark.parametrize(
    ("package", "version", "supported"),
    [
        ("mmcv", "2.2.0", '"mmcv>=2.0.0,<2.2"'),
        ("mmcv-lite", "1.7.2", '"mmcv-lite>=2.0.0,<2.2"'),
        ("onedl-mmcv", "2.3.6", '"mmcv-lite>=2.0.0,<2.2"'),
        ("mmengine", "0.9.1", '"mmengine>=0.10.7,<0.11"'),
        ("mmaction2", "0.24.1", '"mmaction2>=1.2.0,<1.3"'),
        ("torch", "2.5.1+cu121", '"torch>=2.6"'),
    ],
)
def test_unsupported_version(package, version, supported, packages):
    packages[package] = version
    with pytest.raises(ImportError) as caught:
        versions.check_versions()
    text = str(caught.value)
    assert f"{package} {version}" in text
    assert supported in text


def test_supported_versions(packages):
    versions.check_versions()
    del packages["mmengine"]
    packages["onedl-mmengine"] = "0.10.12"
    versions.check_versions()
    assert installed("mmengine") == {"onedl-mmengine": "0.10.12"}


def test_real_versions():
    versions.check_versions()
    versions.check_installed()


@pytest.mark.parametrize("module", ["torch", "mmengine", "mmcv", "mmaction"])
def test_missing_package(module, monkeypatch):
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else name
    )
    with pytest.raises(ImportError, match=f"{module}.*pip install") as caught:
        versions.check_installed()
    advised, package = versions.MODULES[module]
    assert f'"{advised}{versions.WORKING[package]}"' in str(caught.value)


@pytest.mark.parametrize(
    ("requirement", "applied"),
    [("mmengine<0.11", True), ("mmengine>=0.11", False), ("transformers>=4", False)],
)
def test_fixes_apply_only_to_their_versions(requirement, applied, packages):
    packages["transformers"] = "3.0"
    calls = []

    @fix("no_such_module", versions=requirement)
    def count():
        calls.append(1)

    FIXES.pop().apply()
    assert bool(calls) is applied
