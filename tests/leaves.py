"""The shipped configs that users run, and their data sets."""

from pathlib import Path

import msg3d

ROOT = Path(msg3d.__file__).parent / "configs"
LEAVES = sorted(path for path in ROOT.glob("*/*.py") if path.parent.name != "_base_")
UPSTREAM = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{}.py"


def datasets(cfg):
    """Return the three data sets of a config, without RepeatDataset."""
    train = cfg.train_dataloader.dataset.dataset
    return train, cfg.val_dataloader.dataset, cfg.test_dataloader.dataset
