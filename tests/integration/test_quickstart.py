"""The quickstart, and the documented config for a new data set."""

import re
import sys

from test_commands import run

from conftest import REPOSITORY
from samples import write
from tiny_ntu import CONFIGS


def test_quickstart(checkout):
    small = ["--repeats", 1, "--cfg-options", "train_cfg.max_epochs=1"]
    small += ["train_dataloader.dataset.times=1", "model.backbone.base_channels=12"]
    small += ["model.cls_head.in_channels=48"]
    out = run(checkout, sys.executable, "tools/quickstart.py", *small)
    assert re.search(r"quickstart: top1 = 0\.\d\d \(chance 0\.10\)\s*$", out)
    for name in ("last_checkpoint", "confusion_matrix.png", "test.pkl"):
        assert (checkout / "work_dirs" / "quickstart" / name).is_file()


def documented_config():
    """Return the config of docs/training.md for a new data set."""
    text = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    section = text[text.index("## Inherit a config") :]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


def test_documented_config_for_a_new_data_set(tmp_path):
    config = documented_config()
    assert len(config.splitlines()) <= 20
    (tmp_path / "configs").symlink_to(CONFIGS.parent)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "mine.pkl", joints=17, channels=2, classes=7, samples=21)
    (tmp_path / "my_config.py").write_text(config, encoding="utf-8")
    run(
        tmp_path,
        *["mim", "train", "mmaction", "my_config.py", "--cfg-options"],
        *["train_cfg.max_epochs=1", "model.backbone.base_channels=12"],
        *["model.cls_head.in_channels=48", "train_dataloader.dataset.times=1"],
    )
    assert (tmp_path / "work_dirs" / "my_config" / "epoch_1.pth").is_file()
