"""`import msg3d` brings MMAction2 up, whatever else is installed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bare_stack import fails_without, fake_transformers
from mmaction.registry import MODELS, TRANSFORMS

import msg3d
from msg3d.compat import imports

FRESH = """
import sys
sys.modules["importlib_metadata"] = sys.modules["timm"] = None
import msg3d
from mmaction.registry import MODELS
from mmaction.utils import dependency
assert dependency.WITH_MULTIMODAL is False
assert MODELS.get("STGCN") and MODELS.get("VindLUVQA")
try:
    MODELS.build(dict(type="VindLUVQA"))
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "mend, text",
    [
        ("drn", "No module named 'mmaction.models.localizers.drn'"),
        ("importlib_metadata", "importlib_metadata"),
        ("multimodal", "timm"),
        ("numpy_inf", "`np.Inf` was removed"),
    ],
)
def test_fails_without(mend, text):
    fails_without(mend, text)


def test_import_is_silent_without_importlib_metadata_and_with_transformers(tmp_path):
    source = str(Path(msg3d.__file__).parent.parent)
    path = os.pathsep.join([str(fake_transformers(tmp_path)), source])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FRESH],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "requires extra multi-modal dependencies" in done.stdout
    assert len(done.stdout.splitlines()) == 1 and done.stderr == ""


def test_drn_says_where_it_is():
    if not hasattr(sys.modules[f"{imports.DRN}.drn"], "__getattr__"):
        pytest.skip("this MMAction2 has its DRN: the mend may be retired")
    with pytest.raises(ImportError, match="DRN"):
        MODELS.build(dict(type="mmaction.DRN"))


def test_a_whole_mmaction_keeps_its_drn(tmp_path, monkeypatch):
    (tmp_path / "mmaction" / "models" / "localizers" / "drn").mkdir(parents=True)
    (tmp_path / "mmaction" / "__init__.py").touch()
    for name in [name for name in sys.modules if name.split(".")[0] == "mmaction"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    imports.provide_drn()
    assert imports.DRN not in sys.modules


@pytest.mark.parametrize("transform", ["PoseCompact", "MMCompact"])
def test_compact(transform):
    keypoint = np.array([[[[20.0, 20.0], [60.0, 40.0]]]], dtype=np.float32)
    images = [np.zeros((90, 90, 3))]
    sample = {"keypoint": keypoint, "img_shape": (90, 90), "imgs": images}
    found = TRANSFORMS.build(dict(type=f"mmaction.{transform}"))(sample)
    assert max(found["img_shape"]) < 90


@pytest.mark.parametrize(
    "package, version, supported",
    [
        ("mmcv", "2.2.0", '"mmcv>=2.0.0,<2.2"'),
        ("mmcv-lite", "1.7.2", '"mmcv-lite>=2.0.0,<2.2"'),
        ("mmengine", "0.9.1", '"mmengine>=0.10.7,<0.11"'),
        ("mmaction2", "0.24.1", '"mmaction2>=1.2.0,<1.3"'),
        ("torch", "2.5.1+cu121", '"torch>=2.6"'),
    ],
)
def test_unsupported_version(package, version, supported, monkeypatch):
    versions = {"mmcv-lite": "2.1.0", package: version}
    monkeypatch.setattr(imports, "installed", versions.get)
    with pytest.raises(ImportError) as caught:
        imports.check_versions()
    text = str(caught.value)
    assert f"{package} {version}" in text and supported in text


def test_supported_versions(monkeypatch):
    imports.check_versions()
    versions = {"mmcv": "2.1.0", "torch": "2.13.0a0+git1234", "mmengine": "0.10.7"}
    monkeypatch.setattr(imports, "installed", versions.get)
    imports.check_versions()


def test_no_mmcv(monkeypatch):
    monkeypatch.setattr(imports, "installed", {}.get)
    with pytest.raises(ImportError, match="mmcv.*pip install"):
        imports.check_versions()
