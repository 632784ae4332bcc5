"""Training with Slurm, in a cluster on this machine."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from conftest import REPOSITORY
from tiny_ntu import write_tiny

sys.path.insert(0, str(REPOSITORY / "tools" / "slurm"))
import local_cluster
import one_machine

COMMAND = REPOSITORY / "tools" / "slurm" / "one_machine.py"
SBATCH = REPOSITORY / "tools" / "slurm" / "train.sbatch"

missing = local_cluster.missing_programs()
needs_slurm = pytest.mark.skipif(
    bool(missing),
    reason=f"needs Slurm, {', '.join(missing)}: apt-get install munge slurm-wlm",
)

CHANGES = """
custom_imports = dict(imports=['msg3d', 'pause'], allow_failed_imports=False)
custom_hooks = [dict(type='Pause')]
train_dataloader = dict(batch_size=2)
train_cfg = dict(max_epochs=3)
randomness = dict(seed=0)
"""
# Slows down training, so that it can be preempted midway, if PAUSE is set.
PAUSE = """
import os
import time

from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class Pause(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        time.sleep(float(os.environ.get("PAUSE", 0)))
"""


@pytest.fixture(scope="module")
def cluster():
    with local_cluster.Cluster(nodes=2) as cluster:
        cluster.env["PATH"] = (
            f"{Path(sys.executable).parent}{os.pathsep}{cluster.env['PATH']}"
        )
        # The tasks share few cores: more threads would slow them down.
        cluster.env["OMP_NUM_THREADS"] = "1"
        yield cluster


@pytest.fixture(scope="module")
def folder(cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slurm")
    write_tiny(folder, CHANGES)
    (folder / "pause.py").write_text(PAUSE, encoding="utf-8")
    cluster.env["PYTHONPATH"] = str(folder)
    return folder


@pytest.fixture(scope="module")
def trained(cluster, folder):
    """Work dir of `mim train` with two tasks on one node."""
    out = run(cluster, folder, *mim("train"), "--work-dir", "mim")
    assert "srun -p debug --gres=gpu:2 --ntasks=2 --ntasks-per-node=2" in out
    assert "Distributed launcher: slurm" in out
    assert "GPU number: 2" in out
    # 8 samples, repeated twice, in batches of 2 per task.
    assert "Epoch(train) [3][4/4]" in out
    assert "[5/" not in out
    return folder / "mim"


def mim(command):
    arguments = ["--launcher", "slurm", "--partition", local_cluster.PARTITION]
    arguments += ["--gpus", 2, "--gpus-per-node", 2, "--cpus-per-task", 1]
    return ["mim", command, "mmaction", "tiny.py", *arguments]


def run(cluster, folder, *command):
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=cluster.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def submit(cluster, folder, name, *arguments, tasks=1, **env):
    """Submit the template; return the job id and the path of the output."""
    options = [f"--nodes={tasks}", "--ntasks-per-node=1", "--gres=gpu:1"]
    options += ["--cpus-per-task=1", f"--output={name}.out"]
    result = subprocess.run(
        ["sbatch", "--parsable", *options, SBATCH, *arguments],
        cwd=folder,
        env=cluster.env | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip(), folder / f"{name}.out"


def wait(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def contains(path, text):
    return path.exists() and text in path.read_text(encoding="utf-8")


def job(cluster, number):
    """Return the fields of a job, from `scontrol`."""
    shown = cluster.ask("scontrol", "show", "job", "-o", number)[0]
    return dict(part.split("=", 1) for part in shown.split() if "=" in part)


def ended(cluster, number):
    return job(cluster, number)["JobState"] in ("COMPLETED", "FAILED", "CANCELLED")


@needs_slurm
def test_mim_test(cluster, folder, trained):
    scores = folder / "scores.pkl"
    checkpoint = ["--checkpoint", trained / "epoch_3.pth", "--work-dir", "test"]
    out = run(cluster, folder, *mim("test"), *checkpoint, "--dump", scores)
    assert "Distributed launcher: slurm" in out
    assert "acc/top1" in out
    with scores.open("rb") as file:
        labels = [int(sample["gt_label"]) for sample in pickle.load(file)]
    assert labels == [0, 1, 2, 3]


@needs_slurm
def test_preempted_on_two_nodes(cluster, folder, trained):
    """The job resumes, and reaches the parameters of the uninterrupted run.

    Running statistics differ: a checkpoint contains only those of the first process.
    """
    arguments = ["tiny.py", "--work-dir", "two_nodes"]
    number, out = submit(cluster, folder, "two_nodes", *arguments, tasks=2, PAUSE="0.2")
    wait(lambda: contains(out, "Epoch(train) [1][1/4]"))
    nodes = job(cluster, number)["NodeList"]
    urgent = ["srun", "-p", local_cluster.URGENT]
    urgent += ["--nodes=2", "--exclusive", "hostname"]
    assert len(cluster.ask(*urgent)) == 2
    wait(lambda: ended(cluster, number))

    printed = out.read_text(encoding="utf-8")
    assert nodes == ",".join(cluster.nodes)
    assert "GPU number: 2" in printed
    assert printed.count("SIGTERM after iteration") == 1
    assert "resumed epoch: " in printed
    assert "preempted.pth" in printed
    assert job(cluster, number)["JobState"] == "COMPLETED", printed[-4000:]
    assert job(cluster, number)["Restarts"] == "1"
    # Before and after preemption: none of the 12 iterations is repeated.
    assert printed.count("Epoch(train)") == 12
    first = torch.load(trained / "epoch_3.pth")["state_dict"]
    second = torch.load(folder / "two_nodes" / "epoch_3.pth")["state_dict"]
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert "running" in name or torch.equal(value, second[name]), name


# Replaces training: exits with the same statuses as PreemptionHook.
PYTHON = """#!/bin/sh
test "$1" = -c && exit
echo started
test "$SLURM_RESTART_COUNT" && exit
test "$CRASHES" && exit 1
trap 'exit 138' USR1
trap 'exit 143' TERM
for i in $(seq 300); do sleep 0.1; done
"""


@needs_slurm
def test_template_requeues_only_jobs_that_can_resume(cluster, tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o755)
    path = {"PATH": f"{python.parent}{os.pathsep}{cluster.env['PATH']}"}
    crashed, _ = submit(cluster, tmp_path, "crashed", CRASHES="1", **path)
    cancelled, out = submit(cluster, tmp_path, "cancelled", **path)
    limited, limited_out = submit(cluster, tmp_path, "limited", **path)
    wait(lambda: contains(out, "started") and contains(limited_out, "started"))
    cluster.ask("scancel", cancelled)
    # `--signal` sends this before the time limit.
    cluster.ask("scancel", "--signal=USR1", limited)
    wait(lambda: all(ended(cluster, number) for number in (crashed, cancelled)))
    wait(lambda: ended(cluster, limited))

    states = [job(cluster, number) for number in (crashed, cancelled, limited)]
    assert [state["JobState"] for state in states] == [
        *("FAILED", "CANCELLED", "COMPLETED")
    ]
    assert [state["Restarts"] for state in states] == ["0", "0", "1"]
    assert states[0]["ExitCode"] == "1:0"


@needs_slurm
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_machine_ends_everything(number):
    """After a signal, even a job that ignores SIGTERM is ended."""
    loop = "trap '' TERM; while :; do sleep 1; done"
    script = f'echo $SLURM_CONF; exec srun sh -c "echo running; {loop}"'
    command = [sys.executable, COMMAND, "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        conf = Path(process.stdout.readline().strip())
        assert process.stdout.readline() == "running\n"
        variable = f"SLURM_CONF={conf}"
        assert len(local_cluster.processes_with(variable)) > 4
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
    assert local_cluster.processes_with(variable) == []
    assert not conf.parent.exists()


@needs_slurm
def test_one_machine_returns_the_exit_status():
    command = [sys.executable, COMMAND, "srun", "sh", "-c", "exit 7"]
    assert subprocess.run(command, capture_output=True).returncode == 7


def test_one_machine_without_slurm(monkeypatch, capsys):
    monkeypatch.setattr(local_cluster, "PROGRAMS", ("sh", "no-such-daemon"))
    message = one_machine.main(["true"])
    assert "no-such-daemon" in message
    assert "apt-get install munge slurm-wlm" in message
