"""Test that `import msg3d` works before and after any part of the stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bare_stack import fake_transformers

import msg3d

ENV = {**os.environ, "OMP_NUM_THREADS": "1"}
SOURCE = str(Path(msg3d.__file__).parent.parent)
LIGHT = """
import sys
before = set(sys.modules)
import msg3d
heavy = {"torch", "numpy", "mmengine", "mmcv", "mmaction", "scipy", "cv2"}
print(*sorted(heavy & set(sys.modules)), len(set(sys.modules) - before) < 120)
"""
# All registries, and all kinds of fixes and wrappers.
REGISTERED = """
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from mmengine.fileio import io
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, Runner, runner
for registry, name in (
    (MODELS, "MSG3D"), (MODELS, "STGCN"), (DATASETS, "SkeletonDataset"),
    (TRANSFORMS, "AlignView"), (HOOKS, "CheckDataHook"), (METRICS, "PersonTraitMetric"),
):
    assert registry.get(name), name
import mmengine, torch, numpy
assert numpy.Inf == numpy.inf and mmengine.load is io.load
from mmaction.models.heads import BaseHead
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper
patched = [
    io.load, HistoryBuffer.update, CheckpointLoader.load_checkpoint, Runner.train,
    Runner.__init__, runner.find_latest_checkpoint, BaseHead.loss_by_feat,
]
if not torch.cuda.is_available():
    patched += [MMDistributedDataParallel.__init__, AmpOptimWrapper.__init__]
for function in patched:
    assert function.patched_by == "msg3d", function
assert HistoryBuffer in torch.serialization.get_safe_globals()
print("registered")
"""
ORDERS = [
    "msg3d mmengine.runner mmaction.models",
    "msg3d mmaction.models mmengine.runner",
    "mmengine.runner msg3d mmaction.models",
    "mmengine.runner mmaction.datasets msg3d",
    "mmaction.datasets msg3d mmengine.runner",
    "mmaction.registry mmengine msg3d torch",
    # MMEngine packages with circular imports.
    "msg3d torch mmengine.hooks",
    "msg3d mmengine.model",
    "msg3d.models",
]
SPAWNED = """
import multiprocessing
import sys

import msg3d


def work(queue):
    heavy = "torch" in sys.modules
    from mmaction.registry import DATASETS
    from mmengine.fileio import io
    queue.put((heavy, DATASETS.get("SkeletonDataset").__name__, io.load.patched_by))


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    worker = context.Process(target=work, args=(queue,))
    worker.start()
    print(*queue.get(timeout=120))
    worker.join()
"""
FRESH = """
import sys
sys.modules["importlib_metadata"] = sys.modules["timm"] = None
import msg3d
from mmaction.registry import MODELS
from mmaction.utils import dependency
assert MODELS.get("STGCN") and MODELS.get("VindLUVQA")
assert dependency.WITH_MULTIMODAL is False
try:
    MODELS.build(dict(type="VindLUVQA"))
except ImportError as error:
    print(error)
"""


def python(program, *arguments, path=(SOURCE,)):
    """Run a program, check that stderr is empty, and return its output."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *(["-c"] if "\n" in program else []), program],
        env={**ENV, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    assert result.stderr == ""
    return result.stdout.strip()


def test_import_is_light():
    assert python(LIGHT) == "True"


@pytest.mark.parametrize("order", ORDERS)
def test_order(order):
    imports = "\n".join(f"import {name}" for name in order.split())
    assert python(f"{imports}\n{REGISTERED}") == "registered"


def test_spawned_worker(tmp_path):
    (tmp_path / "spawn.py").write_text(SPAWNED, encoding="utf-8")
    expected = "False SkeletonDataset msg3d"
    assert python(str(tmp_path / "spawn.py")) == expected


def test_import_is_silent_without_importlib_metadata_and_with_transformers(tmp_path):
    printed = python(FRESH, path=(str(fake_transformers(tmp_path)), SOURCE))
    assert "requires extra multi-modal dependencies" in printed
    assert len(printed.splitlines()) == 1
