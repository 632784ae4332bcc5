"""`msg3d predict` in a separate process."""

import csv
import subprocess
import sys

from conftest import user_env
from msg3d import Recognizer
from msg3d.datasets import load_annotations
from samples import write
from tiny_models import NTU_2D, trained


def test_command(tmp_path):
    classes = ["wave", "sit", "jump", "fall"]
    config, checkpoint = trained(tmp_path / "model", NTU_2D, classes)
    recognizer = Recognizer(config, checkpoint, device="cpu")
    path = write(tmp_path / "mine.pkl", joints=17, channels=2, persons=3)
    command = [sys.executable, "-W", "ignore", "-m", "msg3d", "predict"]
    command += [checkpoint, "mine.pkl", "--output", "results", "--split", "val"]
    command += ["--persons", "--pairs", "3", "--device", "cpu"]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env=user_env(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    assert result.stdout.splitlines() == [
        "predicted 1, already done 0, failed 0",
        "wrote results/predictions.csv",
    ]
    output = tmp_path / "results" / "predictions.csv"
    with output.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    data = load_annotations(path)
    names = data["split"]["val"]
    samples = [sample for sample in data["annotations"] if sample["frame_dir"] in names]
    expected = recognizer.predict(samples)
    assert len(table) == 7 * len(names)
    assert [row["sample"] for row in table[::7]] == names
    assert [row["name"] for row in table[::7]] == [
        prediction.name for prediction in expected
    ]
