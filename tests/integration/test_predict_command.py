"""`msg3d predict` as users type it."""

import csv
import subprocess
import sys

from conftest import user_env
from msg3d import Recognizer
from msg3d.datasets import load_annotations
from samples import write
from tiny_models import NTU_2D, trained


def test_command_as_typed(tmp_path):
    flat = trained(tmp_path / "flat", NTU_2D, ["wave", "sit", "jump", "fall"])
    recognizer = Recognizer(*flat, device="cpu")
    path = write(tmp_path / "mine.pkl", joints=17, channels=2, persons=3)
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "msg3d",
            "predict",
            flat[1],
            "mine.pkl",
            "--output",
            "results",
            "--split",
            "val",
            "--persons",
            "--pairs",
            "3",
            "--device",
            "cpu",
        ],
        cwd=tmp_path,
        env=user_env(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines() == [
        "predicted 1, already done 0, failed 0",
        "wrote results/predictions.csv",
    ]
    with (tmp_path / "results" / "predictions.csv").open(
        newline="", encoding="utf-8"
    ) as file:
        table = list(csv.DictReader(file))
    data = load_annotations(path)
    names = data["split"]["val"]
    samples = [each for each in data["annotations"] if each["frame_dir"] in names]
    expected = recognizer.predict(samples)
    assert len(table) == 7 * len(names)
    assert [row["sample"] for row in table[::7]] == names
    assert [row["name"] for row in table[::7]] == [best.name for best in expected]
