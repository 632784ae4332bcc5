"""The whole road on a small data set: make it, train MS-G3D, test it, draw it.

    python tools/quickstart.py [--repeats N] [--cfg-options KEY=VALUE ...]

Runs the commands that anyone would type, one after the other, and ends with the
accuracy on subjects that were not trained on.
"""

import argparse
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

CONFIG = "configs/msg3d/msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d.py"
DATA = "data/skeleton/synthetic.pkl"  # where the config looks
REPOSITORY = Path(__file__).resolve().parent.parent


def run(*command):
    """Runs a command of this environment in the repository, or ends with its error."""
    command = [str(part) for part in command]
    print(f"\n$ {' '.join(command)}", flush=True)
    command[0] = str(Path(sys.executable).parent / command[0])
    # The stack's own (pkg_resources, compiled ops of mmcv) would drown the progress.
    env = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    code = subprocess.run(command, cwd=REPOSITORY, env=env).returncode
    if code:
        sys.exit(f"quickstart: this command failed with exit code {code}, see above")


def accuracy(predictions):
    """Top-1 of a dump of `mim test --dump`, recounted from its scores."""
    hits = [int(p["pred_score"].argmax()) == int(p["gt_label"]) for p in predictions]
    return sum(hits) / len(hits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/quickstart"))
    parser.add_argument(
        "--repeats", type=int, default=5, help="samples of each action by each person"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[])
    args = parser.parse_args()
    start = time.time()
    work_dir, options = args.work_dir, ["randomness.seed=0", *args.cfg_options]
    options = ["--cfg-options", *options]
    dump, picture = work_dir / "test.pkl", work_dir / "confusion_matrix.png"

    made = ["synthetic", DATA, "--repeats", args.repeats, "--overwrite"]
    run("python", "-m", "msg3d", "prepare", *made)
    train = [CONFIG, "--work-dir", work_dir, *options]
    run("mim", "train", "mmaction", *train)
    log = max((REPOSITORY / work_dir).glob("*/*.log"))  # named by the time
    last = (
        (REPOSITORY / work_dir / "last_checkpoint").read_text(encoding="utf-8").strip()
    )
    test = [CONFIG, "--checkpoint", last, "--work-dir", work_dir, "--dump", dump]
    run("mim", "test", "mmaction", *test, *options)
    draw = ["run", "msg3d", "confusion_matrix", CONFIG, dump, "--show-path", picture]
    run("mim", *draw)

    with (REPOSITORY / dump).open("rb") as file:
        predictions = pickle.load(file)
    chance = 1 / len(predictions[0]["pred_score"])
    print(f"\nlog: {log}\ncheckpoint: {last}")
    print(f"confusion matrix: {REPOSITORY / picture}")
    print(f"minutes: {(time.time() - start) / 60:.1f}")
    top1 = accuracy(predictions)
    print(f"quickstart: top1 = {top1:.2f} (chance {chance:.2f})")


if __name__ == "__main__":
    main()
