"""Train, test, and visualize MS-G3D on a small synthetic data set.

    python tools/quickstart.py [--repeats N] [--cfg-options KEY=VALUE ...]

Runs the same commands that a user would run, and prints the accuracy on subjects that are
not in the training set.
"""

import argparse
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

CONFIG = "configs/msg3d/msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d.py"
DATA = "data/skeleton/synthetic.pkl"  # path in the config
REPOSITORY = Path(__file__).resolve().parent.parent


def run(*command):
    """Run a command of this environment in the repository, and exit if it fails."""
    command = [str(part) for part in command]
    print(f"\n$ {' '.join(command)}", flush=True)
    command[0] = str(Path(sys.executable).parent / command[0])
    # Warnings of dependencies (pkg_resources, compiled ops of mmcv) clutter the output.
    env = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    code = subprocess.run(command, cwd=REPOSITORY, env=env).returncode
    if code:
        sys.exit(f"quickstart: the command above failed with exit code {code}")


def accuracy(predictions):
    """Compute the top-1 accuracy from the scores of `mim test --dump`."""
    correct = [
        int(prediction["pred_score"].argmax()) == int(prediction["gt_label"])
        for prediction in predictions
    ]
    return sum(correct) / len(correct)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/quickstart"))
    parser.add_argument(
        "--repeats", type=int, default=5, help="samples per action and person"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[])
    args = parser.parse_args()
    start = time.time()
    work_dir, options = args.work_dir, ["randomness.seed=0", *args.cfg_options]
    options = ["--cfg-options", *options]
    dump, picture = work_dir / "test.pkl", work_dir / "confusion_matrix.png"

    prepare = ["synthetic", DATA, "--repeats", args.repeats, "--overwrite"]
    run("python", "-m", "msg3d", "prepare", *prepare)
    train = [CONFIG, "--work-dir", work_dir, *options]
    run("mim", "train", "mmaction", *train)
    log = max((REPOSITORY / work_dir).glob("*/*.log"))  # named by time
    last_checkpoint = REPOSITORY / work_dir / "last_checkpoint"
    checkpoint = last_checkpoint.read_text(encoding="utf-8").strip()
    test = [CONFIG, "--checkpoint", checkpoint, "--work-dir", work_dir, "--dump", dump]
    run("mim", "test", "mmaction", *test, *options)
    draw = ["run", "msg3d", "confusion_matrix", CONFIG, dump, "--show-path", picture]
    run("mim", *draw)

    with (REPOSITORY / dump).open("rb") as file:
        predictions = pickle.load(file)
    chance = 1 / len(predictions[0]["pred_score"])
    print(f"\nlog: {log}\ncheckpoint: {checkpoint}")
    print(f"confusion matrix: {REPOSITORY / picture}")
    print(f"minutes: {(time.time() - start) / 60:.1f}")
    top1 = accuracy(predictions)
    print(f"quickstart: top1 = {top1:.2f} (chance {chance:.2f})")


if __name__ == "__main__":
    main()
