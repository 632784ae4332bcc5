"""Test that commands import only what they need."""

import subprocess
import sys

import pytest

from conftest import user_env
from msg3d.apis.launch import TOOLS
from msg3d.cli.prepare import FORMATS

CODE = """
import sys
from msg3d.cli.main import main
for words in {!r}:
    try:
        main([*words, "--help"])
    except SystemExit as exit:
        assert not exit.code
print("HEAVY", sorted({{"numpy", "torch", "mmengine", "mmaction"}} & {{*sys.modules}}))
"""


@pytest.mark.main_job
def test_help_is_light():
    formats = [["prepare", name] for name in (*FORMATS, "synthetic")]
    code = CODE.format([["prepare"], ["check"], ["pack"], ["chunks"], *formats])
    assert run(code).endswith("HEAVY []\n")


def test_help_of_scripts_is_light():
    """mim asks for the help of `train.py` before each run."""
    code = """
import runpy, sys
for name in ("train", "test"):
    sys.argv = [f"{{name}}.py", "-h"]
    try:
        runpy.run_path(f"{}/{{name}}.py", run_name="__main__")
    except SystemExit as exit:
        assert not exit.code
print("HEAVY", sorted({{"torch", "mmengine", "mmaction"}} & {{*sys.modules}}))
"""
    text = run(code.format(TOOLS))
    assert text.endswith("HEAVY []\n")
    assert text.count("--cfg-options") >= 2


def test_training_defers_plots_and_statistics():
    code = """
import sys
import msg3d, mmaction.datasets
from mmaction.visualization import ActionVisualizer
visualizer = ActionVisualizer()
print("HEAVY", sorted({"scipy.stats", "matplotlib.figure"} & {*sys.modules}))
from scipy.stats import mode
assert mode([2, 2, 1])[0] == 2 and visualizer.dpi
"""
    assert run(code).endswith("HEAVY []\n")


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=user_env() | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
