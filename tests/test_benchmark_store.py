"""The benchmark of packed stores measures the same samples in both forms."""

import json
import subprocess
import sys

import numpy as np
import pytest

from conftest import REPOSITORY
from msg3d.datasets import load_annotations, load_store

TOOLS = REPOSITORY / "tools"


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.store import make_data

    sizes = make_data(str(tmp_path), 120, (30, 85, 300))
    assert sizes["ntu_like.pkl"] == (tmp_path / "ntu_like.pkl").stat().st_size
    return tmp_path


def test_both_forms_hold_the_same(made):
    pickled = load_annotations(made / "ntu_like.pkl")
    store = load_store(made / "ntu_like.packed")
    assert len(store) == len(pickled["annotations"]) == 120
    for mine, other in zip(store, pickled["annotations"]):
        assert mine["frame_dir"] == other["frame_dir"]
        assert other["keypoint"].dtype == np.float16
        np.testing.assert_array_equal(mine["keypoint"], other["keypoint"])
    frames = [sample["total_frames"] for sample in pickled["annotations"]]
    assert 30 <= min(frames) and max(frames) <= 300
    assert 70 < np.median(frames) < 100


def test_one_run(made):
    wanted = dict(
        type="PackedSkeletonDataset",
        ann_file=str(made / "ntu_like.packed"),
        workers=1,
        batches=2,
    )
    out = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.loader_run"]
        + [json.dumps(wanted)],
        cwd=TOOLS,
        text=True,
    )
    result = json.loads(out.splitlines()[-1])
    assert all(result[key] >= 0 for key in result)
    assert 0 < result["Pss_Anon"] < result["Pss"] < 2**22  # KiB
    assert result["peak"] > result["Pss"] / 3
