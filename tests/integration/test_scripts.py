"""Shell scripts of OpenMMLab projects, with launchers that print their arguments."""

import os
import subprocess

import pytest

from conftest import REPOSITORY
from msg3d.cli.main import make_parser


@pytest.fixture
def record(tmp_path):
    """Return a function that returns the arguments with which a script starts a program."""
    for name in ("torchrun", "python"):
        program = tmp_path / name
        program.write_text("#!/bin/bash\nprintf '%s\\n' \"$@\"\n", encoding="utf-8")
        program.chmod(0o755)

    def run(script, *arguments, **variables):
        output = subprocess.check_output(
            [REPOSITORY / "tools" / script, *arguments],
            env=dict(PATH=f"{tmp_path}:{os.environ['PATH']}", **variables),
            text=True,
        )
        return output.splitlines()

    return run


@pytest.mark.parametrize("command", ["train", "test"])
def test_several_processes(record, command):
    checkpoint = ["a.pth"] if command == "test" else []
    options = ["--work-dir", "with space"]
    words = record(
        *[f"dist_{command}.sh", "a.py", *checkpoint, "4", *options], NNODES="2"
    )
    script = words.index(str(REPOSITORY / "tools" / f"{command}.py"))
    assert {"--nnodes=2", "--nproc_per_node=4"} <= set(words[:script])
    args = make_parser(command).parse_args([command, *words[script + 1 :]])
    assert (args.config, args.launcher, args.work_dir) == (
        *("a.py", "pytorch", "with space"),
    )


@pytest.mark.parametrize("command", ["train", "test"])
def test_slurm(record, command):
    checkpoint = ["a.pth"] if command == "test" else []
    words = record(
        *[f"slurm_{command}.sh", "gpu", "name", "a.py", *checkpoint],
        *["--work-dir", "w"],
        GPUS="4",
        SRUN_ARGS="--qos=high",
    )
    assert words[:2] == ["-u", str(REPOSITORY / "tools" / f"{command}.py")]
    args = make_parser(command).parse_args([command, *words[2:]])
    assert (args.config, args.launcher, args.partition) == ("a.py", "slurm", "gpu")
    assert (args.gpus, args.gpus_per_node) == (4, 4)
    assert args.srun_args.split() == ["--job-name=name", "--qos=high"]
