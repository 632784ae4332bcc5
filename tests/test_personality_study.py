"""The study on styles of moving, run on a file as small as it can be."""

import json
import subprocess
import sys

import numpy as np
import pytest

import msg3d  # noqa: F401
from conftest import REPOSITORY
from msg3d.datasets.annotations import load_annotations, save_annotations
from samples import annotations

TOOL = REPOSITORY / "tools" / "personality" / "run_study.py"
STYLES = ["active", "elderly", "exhausted", "feminine", "masculine", "normal"]
STYLES += ["youthful"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    data = annotations(joints=21, classes=7, samples=21, frames=(20, 60))
    train, val = data["split"].values()
    data["split"] = dict(xcontent_train=train, xcontent_val=val)
    data["meta"] = dict(classes=STYLES)
    save_annotations(data, folder / "styles.pkl")
    return folder


def study(folder, *args):
    command = (sys.executable, TOOL, "--ann-file", folder / "styles.pkl")
    command += ("--work-dir", folder / "work", *args)
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300
    )


def test_runs_resumes_and_reports(folder):
    names = ("stgcn-xyz", "scores-laban")
    done = study(folder, "--seeds", 1, "--settings", *names)
    assert done.returncode == 0, done.stderr[-4000:]
    file = folder / "work" / "results.json"
    results = json.loads(file.read_text())
    assert [(r["setting"], r["seed"], r["epochs"]) for r in results] == [
        (name, 0, 4) for name in names
    ]
    assert 0 <= results[0]["top1"] <= 1 and results[1]["mean"] > 0
    assert not list((folder / "work").glob("*/*.pth"))

    # A seed that is there is not run again, the next one is.
    results[0]["top1"] = 0.25
    file.write_text(json.dumps(results))
    done = study(folder, "--seeds", 2, "--settings", "stgcn*xyz")
    after = json.loads(file.read_text())
    assert after[:2] == results and after[2]["seed"] == 1 and len(after) == 3
    top1 = [25, 100 * after[2]["top1"]]
    row = f"{np.mean(top1):.1f} ± {np.std(top1, ddof=1):.1f} | 2 "
    assert row in done.stdout, done.stdout[-3000:]


def test_scores_of_the_regression(folder):
    scored = load_annotations(folder / "work" / "scored.pkl")
    targets = {STYLES[s["label"]]: s["targets"].tolist() for s in scored["annotations"]}
    assert targets["elderly"] == [-1, 1, 0] and targets["feminine"] == [0, 0, 1]
    assert targets["youthful"] == [1, -1, 0] and targets["normal"] == [0, 0, 0]


def test_unknown_setting(folder):
    done = study(folder, "--settings", "nothing")
    assert done.returncode == 1 and "no setting is called nothing" in done.stderr
