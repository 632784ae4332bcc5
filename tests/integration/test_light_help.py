"""Test that the help of data commands imports neither NumPy nor torch."""

import subprocess
import sys

import pytest

from conftest import user_env
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
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=user_env() | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("HEAVY []\n")
