"""One long training of a tiny network, watched: the process that `load` starts.

The recipe's own data pipeline, loop, hooks, logger and checkpoints; in the place of the
network stand two small blocks of ST-GCN. Prints one line of JSON.
"""

import gc
import json
import sys
import time
from pathlib import Path
from unittest.mock import patch

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .data import ntu_config
from .process_tree import held

FRAMES = 8  # of a clip
# Small enough for a thousand epochs in minutes: what may grow is around it.
NETWORK = dict(
    type="STGCN",
    base_channels=4,
    num_stages=2,
    inflate_stages=[],
    down_stages=[],
    graph_cfg=dict(layout="nturgb+d", mode="spatial"),
)


class Watch(Hook):
    """Reads what the processes hold after every so many epochs.

    Args:
        every: epochs from one reading to the next.

    Attributes:
        readings: dictionaries of `process_tree.held`, with `epoch`, `seconds` since
            the first epoch began, and `checkpoint`, the bytes of the last one.
    """

    priority = "LOWEST"  # after checkpoint and log

    def __init__(self, every: int) -> None:
        self.every, self.readings, self._start = every, [], None

    def before_train_epoch(self, runner: Runner) -> None:
        self._start = self._start or time.perf_counter()

    def after_train_epoch(self, runner: Runner) -> None:
        if (runner.epoch + 1) % self.every == 0:
            if not self.readings:
                # The first full collection after the workers were forked parts what
                # this process shares with them, once. Unforced it may come any time.
                gc.collect()
            saved = Path(runner.work_dir).glob("epoch_*.pth")
            sizes = [(one.st_mtime, one.st_size) for one in map(Path.stat, saved)]
            self.readings.append(
                dict(
                    epoch=runner.epoch + 1,
                    seconds=time.perf_counter() - self._start,
                    **held(),
                    checkpoint=max(sizes)[1],
                )
            )


def config(wanted: dict) -> Config:
    """The 3D recipe with a tiny network, an epoch a pass over the samples.

    Args:
        wanted: `type` and `ann_file` of the data set, `epochs`, `workers`, `batch`,
            `work_dir`, `every`.
    """
    cfg = Config.fromfile(ntu_config("3d"))
    data = dict(type=wanted["type"], ann_file=wanted["ann_file"])
    loader = dict(batch_size=wanted["batch"], num_workers=wanted["workers"])
    clip = {"clip_len": FRAMES}
    train, val = (
        [{**step, **clip} if "clip_len" in step else step for step in pipeline]
        for pipeline in (cfg.train_pipeline, cfg.val_pipeline)
    )
    cfg.merge_from_dict(
        dict(
            model=dict(cls_head=dict(in_channels=4)),
            train_cfg=dict(max_epochs=wanted["epochs"]),
            train_dataloader=dict(
                **loader, dataset=dict(times=1, dataset=dict(**data, pipeline=train))
            ),
            val_dataloader=dict(
                **loader,
                dataset=dict(**data, pipeline=val, indices=2 * wanted["batch"]),
            ),
            test_dataloader=dict(dataset=data),
            default_hooks=dict(checkpoint=dict(max_keep_ckpts=2)),
            randomness=dict(seed=0),
            work_dir=wanted["work_dir"],
        )
    )
    cfg.model.backbone = NETWORK
    cfg.param_scheduler[0].T_max = wanted["epochs"]
    return cfg


def main() -> None:
    wanted = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    watch = Watch(wanted["every"])
    # Laying out the config's text again for every checkpoint costs more than an epoch.
    with patch("mmengine.config.config.FormatCode", lambda text, **_: (text, True)):
        runner = Runner.from_cfg(config(wanted))
        runner.register_hook(watch)
        runner.train()
    logs = [path for path in Path(wanted["work_dir"]).rglob("*") if path.is_file()]
    logs = sum(path.stat().st_size for path in logs if path.suffix != ".pth")
    print(json.dumps(dict(readings=watch.readings, logs=logs)))


if __name__ == "__main__":
    main()
