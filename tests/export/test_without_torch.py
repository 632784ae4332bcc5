"""`msg3d_onnx`: the same predictions where there is neither torch nor MMAction2."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from exported_models import CONFIGS, tiny, walks
from mmengine.config import Config

import msg3d
import msg3d_onnx
from errors import raises
from msg3d import Recognizer
from msg3d.apis.exported import CarriedPipeline
from msg3d.apis.keypoint_input import to_sample
from msg3d.apis.trained import (
    TestPipeline,
)
from msg3d.errors import ConfigError
from msg3d.export import export
from msg3d.export.write import recipe_text
from msg3d.skeletons import skeleton

# Of networks that regress traits, which have no classes to export.
REFUSED = {"LabanEffort", "PackTargetInputs"}
# All that an environment with numpy and onnxruntime alone lacks.
BLOCKED = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {
            "torch", "mmaction", "mmcv", "mmengine", "scipy", "cv2", "onnx",
        }:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
"""
PREDICT = """
import numpy as np
from msg3d_onnx import Recognizer
arrays = list(np.load(sys.argv[1]).values())
found = Recognizer.from_exported(sys.argv[2]).predict(arrays)
assert not {"torch", "mmaction", "mmcv", "msg3d"} & set(sys.modules)
np.save(sys.argv[3], np.stack([one.scores for one in found]))
print([one.name for one in found])
"""
COMMAND = """
import runpy
sys.argv[0] = "msg3d_onnx"
runpy.run_module("msg3d_onnx", run_name="__main__")
"""


def _run(code, *args):
    """A Python without the stack; where the packages are is all it is told."""
    folder = str(Path(msg3d.__file__).parent.parent)
    start = f"{BLOCKED}\nsys.path.insert(0, {folder!r})\n"
    return subprocess.run(
        [sys.executable, "-c", start + code, *map(str, args)],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    made = tiny(folder, "ResTCN", ["wave", "sit", "jump", "fall"])
    export(*made, folder / "one.onnx")
    return *made, folder / "one.onnx"


def test_predicts_as_with_torch(files, tmp_path):
    config, checkpoint, file = files
    np.savez(tmp_path / "walks.npz", *walks())
    done = _run(PREDICT, tmp_path / "walks.npz", file, tmp_path / "scores.npy")
    assert done.returncode == 0, done.stderr
    expected = Recognizer(config, checkpoint, device="cpu").predict(walks())
    scores = np.stack([one.scores for one in expected])
    np.testing.assert_allclose(
        np.load(tmp_path / "scores.npy"), scores, rtol=0, atol=1e-4
    )
    assert np.abs(scores - scores[0]).max() > 1e-3
    assert done.stdout.strip() == str([one.name for one in expected])


def test_command(files, tmp_path):
    walk = walks()[0]
    walk[0, 3, 4] = np.nan
    np.save(tmp_path / "walk.npy", walk[0])
    done = _run(COMMAND, files[2], tmp_path / "walk.npy", "--top", "2")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    expected = Recognizer(*files[:2], device="cpu").predict(np.nan_to_num(walk))
    assert said["name"] == expected.name and len(said["top"]) == 2
    np.save(tmp_path / "walk.npy", walk[:, :, :17])
    done = _run(COMMAND, files[2], tmp_path / "walk.npy")
    assert done.returncode == 1
    assert "17 joints" in done.stderr and "Traceback" not in done.stderr


def test_pipelines_of_all_recipes_give_the_same_numbers():
    """Bit for bit, with MMAction2's own steps and with those that stand in for them."""
    bare = import_module("msg3d_onnx.msg3d.apis.exported")
    assert bare.CarriedPipeline is not CarriedPipeline
    seen = set()
    for path in sorted(CONFIGS.glob("msg3d/*.py")):
        pipeline = TestPipeline(Config.fromfile(path))
        if {step["type"] for step in pipeline.steps} & REFUSED:
            with raises("config", ConfigError):
                recipe_text(pipeline, ["a"], "")
            continue
        text = recipe_text(pipeline, ["a"], "")
        if text not in seen:
            seen.add(text)
            _assert_same(pipeline, bare.CarriedPipeline(json.loads(text)), path.stem)
    assert len(seen) > 30


def _assert_same(theirs, ours, name):
    joints = len(skeleton(theirs.expected.layout).joints)
    flat = theirs.expected.dimensions == 2
    rng = np.random.default_rng(0)
    for persons, frames in ((1, 7), (2, 70), (3, 290), (2, 130)):
        keypoint = rng.normal(size=(persons, frames, joints, 2 if flat else 3))
        keypoint = keypoint.astype(np.float32).cumsum(1)
        keypoint[-1, : frames // 3] = 0
        keypoint[0, 1, 2:5] = 0
        given = dict(keypoint=keypoint)
        if flat:
            given.update(keypoint=300 + 5 * keypoint, img_shape=(480, 640))
            given["keypoint"][keypoint == 0] = 0
        expected = theirs(to_sample(given, theirs.expected))
        actual = ours(to_sample(given, theirs.expected))
        assert actual.dtype == np.float32
        np.testing.assert_array_equal(actual, expected.astype(np.float32), name)


def test_the_stack_is_left_as_it_was():
    assert sys.modules["mmaction.registry"].__name__ == "mmaction.registry"
    assert msg3d_onnx.Recognizer is not Recognizer
