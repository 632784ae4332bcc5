"""Test layers below `compat` and exported networks with only NumPy and onnxruntime."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import REPOSITORY
from msg3d.annotations.files import load_annotations
from msg3d.apis import Recognizer
from test_layers import LAYERS, MODULES, PACKAGE

FILES = REPOSITORY / "tests" / "files_0_1"
EXPECTED = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))["exported"]
# Modules of `msg3d.apis` that need torch.
WITH_TORCH = {
    *("exported_program", "flops", "mmaction_tools", "model_index", "new_config"),
    *("stored_test", "torchrun", "trained"),
}
# Imports other than NumPy, onnxruntime, and their dependencies fail.
BLOCKED = """
import sys

ALLOWED = {"numpy", "onnxruntime", "flatbuffers", "google", "msg3d", "msg3d_onnx"}

class BlockImports:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root.startswith("_sysconfigdata"):  # standard library
            return None
        if root not in ALLOWED | sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, BlockImports())
"""
IMPORT = """
from importlib import import_module

for name in sys.argv[1:]:
    import_module(name)
"""
PREDICT = """
import sys
import numpy as np
from msg3d.annotations.files import load_annotations
from msg3d.apis import Recognizer

network, annotations, out = sys.argv[1:]
samples = load_annotations(annotations)["annotations"]
predictions = Recognizer.from_exported(network, clips=1).predict(samples)
np.save(out, [prediction.scores for prediction in predictions])
"""
CONVERT = """
import os
import numpy as np
from msg3d.annotations.files import load_annotations
from msg3d.annotations.inspection import inspect_annotations
from msg3d.converters import convert_folder
from msg3d.stores.packing import pack
from msg3d.stores.store import load_store
from msg3d.synthetic import make_synthetic_actions

samples = make_synthetic_actions(subjects=4, repeats=1)["annotations"]
for sample in samples:
    os.makedirs(f"raw/{sample['label']}", exist_ok=True)
    np.save(f"raw/{sample['label']}/{sample['frame_dir']}.npy", sample["keypoint"])
options = dict(layout="kinect20", units="m", val_fraction=0.25)
assert convert_folder("raw", "mine.pkl", **options)["written"]
data = load_annotations("mine.pkl")
assert len(data["annotations"]) == len(samples)
assert not inspect_annotations(data).errors
pack(data, "mine.packed")
np.testing.assert_equal(load_store("mine.packed").unpack(), data)
"""
# Each call needs a package that is missing.
OPTIONAL = """
import numpy as np
from msg3d.annotations.inspection.picture import draw
from msg3d.apis import Recognizer
from msg3d.formats.video import read_video
from msg3d.preprocessing.tracks import Observations, join_tracks

poses = np.ones((2, 17, 2), np.float32)
persons = Observations(np.arange(2), poses, poses[..., 0], [None] * 2)
for call in (
    lambda: join_tracks(persons, 2, 1),
    lambda: read_video("video.mp4", None),
    lambda: draw(None, {}, "picture.png"),
    lambda: Recognizer("config.py", "best.pth"),
    lambda: Recognizer.from_exported(sys.argv[1]),
):
    try:
        call()
    except ImportError as error:
        print(error)
"""
COMMAND = """
from msg3d.cli.main import main

sys.exit(main(sys.argv[1:]))
"""
ALIAS = """
import runpy
import msg3d_onnx
from msg3d.apis import Recognizer

assert msg3d_onnx.Recognizer is Recognizer
sys.argv[0] = "msg3d_onnx"
runpy.run_module("msg3d_onnx", run_name="__main__")
"""


def run(*command, **options):
    """Run a command without PYTHONPATH."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env=environment, **options
    )


def run_blocked(code, *args, **options):
    """Run code that can import only the allowed packages."""
    start = f"{BLOCKED}\nsys.path.insert(0, {str(PACKAGE.parent)!r})\n"
    return run(sys.executable, "-c", start + code, *args, **options)


def assert_succeeds(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_modules_can_be_imported():
    layers = {*LAYERS[: LAYERS.index("compat")], "apis", "video"}
    names = [
        name
        for name in MODULES
        if name.count(".") and name.split(".")[1] in layers
        if not (name.startswith("msg3d.apis.") and name.split(".")[2] in WITH_TORCH)
    ]
    assert len(names) > 100
    assert_succeeds(run_blocked(IMPORT, "msg3d", *names))


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith(".onnx")])
def test_scores_match_those_with_torch(name, tmp_path):
    annotations = FILES / EXPECTED[name]["annotations"]
    out = tmp_path / "scores.npy"
    assert_succeeds(run_blocked(PREDICT, FILES / name, annotations, out))
    recognizer = Recognizer.from_exported(FILES / name, clips=1)
    np.random.seed(0)
    samples = load_annotations(str(annotations))["annotations"]
    expected = [prediction.scores for prediction in recognizer.predict(samples)]
    value = np.random.random()
    np.testing.assert_array_equal(np.load(out), expected)
    np.random.seed(0)
    assert np.random.random() == value  # sampling does not use the global random state


def test_old_command(tmp_path):
    network = FILES / "msg3d_3d.onnx"
    sample = load_annotations(str(FILES / "ntu_3d.pkl"))["annotations"][0]
    expected = Recognizer.from_exported(network).predict(sample["keypoint"])
    keypoint = sample["keypoint"].copy()
    keypoint[~keypoint.any(-1)] = np.nan  # missing joints
    path = tmp_path / "wave.npy"
    np.save(path, keypoint)
    output = json.loads(
        assert_succeeds(run_blocked(ALIAS, network, path, "--top", 2, "--unit", "m"))
    )
    assert output == json.loads(json.dumps(dict(file=str(path), **expected.as_dict(2))))
    np.save(path, keypoint[0, :, :17])
    result = run_blocked(ALIAS, network, path)
    assert result.returncode == 1
    assert "wave.npy" in result.stderr
    assert "Traceback" not in result.stderr


def test_predict_command(tmp_path):
    arguments = ("predict", FILES / "stgcn_2d.onnx", FILES / "coco_2d.pkl", "--output")
    assert_succeeds(run_blocked(COMMAND, *arguments, tmp_path))
    table = (tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()
    samples = load_annotations(str(FILES / "coco_2d.pkl"))["annotations"]
    assert len(table) == len(samples) + 1
    lines = assert_succeeds(run_blocked(COMMAND, *arguments, "-")).splitlines()
    names = [json.loads(line)["sample"] for line in lines]
    assert names == [sample["frame_dir"] for sample in samples]
    result = run_blocked(COMMAND, "predict", FILES / "stgcn_2d.pth", "a.npy")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_convert_and_check_files(tmp_path):
    assert_succeeds(run_blocked(CONVERT, cwd=tmp_path))


def test_errors_name_missing_packages():
    output = assert_succeeds(run_blocked(OPTIONAL, FILES / "stgcn_2d.pt2"))
    packages = ("scipy", "opencv", "matplotlib", "MMAction2", "torch")
    for name, line in zip(packages, output.splitlines(), strict=True):
        assert name in line


def test_fresh_environment(checkout, tmp_path):
    """Test the installation that `docs/export.md` describes."""
    assert_succeeds(run(sys.executable, "-m", "venv", tmp_path / "venv"))
    python = tmp_path / "venv" / "bin" / "python"
    result = run(python, "-m", "pip", "install", "numpy", "onnxruntime")
    if result.returncode:
        pytest.skip(f"requires a package index: {result.stderr.strip()[-300:]}")
    assert_succeeds(run(python, "-m", "pip", "install", "--no-deps", checkout))
    listed = json.loads(
        assert_succeeds(run(python, "-m", "pip", "list", "--format", "json"))
    )
    names = {package["name"] for package in listed}
    assert {"msg3d", "numpy", "onnxruntime"} <= names
    assert not names & {"mmaction2", "mmcv-lite", "mmengine", "scipy", "torch", "tqdm"}
    assert_succeeds(run(python, "-c", CONVERT, cwd=tmp_path))
    name = "msg3d_3d.onnx"
    annotations, out = FILES / EXPECTED[name]["annotations"], tmp_path / "scores.npy"
    assert_succeeds(run(python, "-c", PREDICT, FILES / name, annotations, out))
    np.testing.assert_allclose(
        np.load(out), EXPECTED[name]["scores"], rtol=0, atol=1e-4
    )
    sample = load_annotations(str(annotations))["annotations"][0]
    np.save(tmp_path / "wave.npy", sample["keypoint"])
    command = ("-m", "msg3d_onnx", FILES / name, tmp_path / "wave.npy")
    assert json.loads(assert_succeeds(run(python, *command)))["top"]
