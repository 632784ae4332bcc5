"""Add the weights of a trained network to the package, with a model card.

    python tools/ship_weights.py CHECKPOINT NAME [--ann-file FILE]
    python tools/model_table.py --write

CHECKPOINT is the last epoch of `msg3d train` with a shipped config, in its work dir. The
command tests it and writes

    projects/msg3d/weights/NAME.pth    weights, config, and class names
    projects/msg3d/weights/NAME.md     model card, with the accuracy and the SHA-256
    docs/results/logs/NAME.json        loss and learning rate of each epoch

All numbers of the card are taken from these files, the log, and the test. The data set must
have an entry in `tools/model_index/data_sets.py`.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from model_index import cards, metafiles
from model_index.data_sets import data_set_of

from msg3d.apis.config_files import find_config
from msg3d.apis.model_index import parse_name
from msg3d.apis.trained import TestPipeline
from msg3d.checkpoints.reading import read_data
from msg3d.checkpoints.stored_config import parse_config
from msg3d.cli.main import main as msg3d
from msg3d.errors import ConfigError, MSG3DError
from msg3d.evaluation import read_scores
from msg3d.io.atomic import whole_file, write_json

WEIGHTS = metafiles.REPOSITORY / "projects" / "msg3d" / "weights"
LOGS = metafiles.REPOSITORY / "docs" / "results" / "logs"
# Entries of a config that belong to a run. `load_from` is part of the command.
OF_RUN = ("experiment_name", "launcher", "load_from", "resume", "work_dir")
# Entries that do not change the result.
NEUTRAL = ("num_workers", "persistent_workers", "log_level", "randomness", *OF_RUN)


def ship(
    checkpoint: Path,
    name: str,
    ann_file: Path | None,
    machine: str | None,
    weights: Path = WEIGHTS,
    logs: Path = LOGS,
) -> Path:
    """Test a checkpoint, and write its weights, card, and log.

    Args:
        checkpoint: checkpoint of the last epoch, in the work dir of its training.
        name: new name of the weights.
        ann_file: annotation file for the test; None for the file of the config.
        machine: description of the machine that trained; None for this machine, or for
            the GPU in the log.
        weights: folder of weights and cards.
        logs: folder of logs.

    Returns:
        The path of the model card.

    Raises:
        ConfigError: the checkpoint is not the last epoch of a shipped config, or its
            commit is unknown (kind `config`), or the data set is not described (kind
            `unknown-name`).
        MSG3DError: the test failed.
    """
    data = read_data(str(checkpoint))
    meta = data["meta"]
    stored = parse_config(meta["cfg"])
    values = portable(stored)
    config = re.sub(r"_\d{8}_\d{6}$", "", meta["experiment_name"])
    commit = re.search(r"[0-9a-f]{40}$", meta["mmengine_version"])
    if meta["epoch"] != values["train_cfg"]["max_epochs"] or commit is None:
        raise ConfigError(
            "the checkpoint is not the last epoch of a training in a git checkout. Train "
            "with a committed state of the code, and pass epoch_N.pth of the last epoch.",
            kind="config",
            file=str(checkpoint),
        )
    dataset = values["test_dataloader"]["dataset"]
    data_set = data_set_of(dataset["ann_file"], dataset["split"])
    cfg = Config(values)
    shipped = {
        "state_dict": shared(
            {key: _float32(value) for key, value in data["state_dict"].items()}
        ),
        "meta": {
            "cfg": cfg.pretty_text,
            "dataset_meta": {"classes": list(meta["dataset_meta"]["classes"])},
            "seed": meta["seed"],
            "commit": commit[0],
            "epoch": meta["epoch"],
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        file, dump = Path(folder, f"{name}.pth"), Path(folder, "scores.pkl")
        torch.save(shipped, file)
        words = ["test", file, "--dump", dump, "--work-dir", folder, "--quiet"]
        words += [] if ann_file is None else ["--ann-file", ann_file]
        if msg3d([str(word) for word in words]):
            raise MSG3DError("the test failed", kind="config", file=str(checkpoint))
        scores, content = read_scores(dump), file.read_bytes()
    records = list(log_records(checkpoint.parent))
    pipeline = TestPipeline(cfg).expected
    frames = next(step for step in dataset["pipeline"] if "clip_len" in step)
    log = logs / f"{name}.json"
    about = {
        "name": name,
        "backbone": cfg.model.backbone.type,
        "channels": cfg.model.cls_head.in_channels // 4,
        "stream": parse_name(config)["stream"],
        "classes": shipped["meta"]["dataset_meta"]["classes"],
        "config": config,
        "config_path": f"configs/{find_config(config).parent.name}/{config}.py",
        "command": command(config, values, meta["seed"], stored.get("load_from")),
        "seed": meta["seed"],
        "commit": commit[0],
        "machine": machine or machine_of(checkpoint.parent),
        "hours": hours(records),
        "epochs": meta["epoch"],
        "parameters": parameters(cfg),
        "ann_file": dataset["ann_file"],
        "split": dataset["split"],
        "layout": pipeline.layout,
        "joints": pipeline.joints,
        "dimensions": pipeline.dimensions or parse_name(config)["dimensions"][0],
        "persons": pipeline.num_person,
        "frames": frames["clip_len"],
        "clips": frames.get("num_clips", 1),
        "log": f"docs/results/logs/{log.name}",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    about["network"] = cards.network(about)
    text = cards.card(about, data_set, scores)
    with whole_file(weights / f"{name}.pth") as out:
        out.write(content)
    with whole_file(weights / f"{name}.md", "x") as out:
        out.write(text)
    write_json({"config": config, "epochs": epochs(records)}, log)
    return weights / f"{name}.md"


def portable(values: dict[str, Any]) -> dict[str, Any]:
    """Return a config without entries of a run and without absolute paths of data."""
    values = {key: value for key, value in values.items() if key not in OF_RUN}

    def without_folders(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"data/skeleton/{Path(item).name}"
                if key == "ann_file" and Path(item).is_absolute()
                else without_folders(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return type(value)(without_folders(item) for item in value)
        return value

    return without_folders(values)


def command(
    config: str, values: dict[str, Any], seed: int, pretrained: str | None = None
) -> str:
    """Return the command that trains a stored config.

    Args:
        config: name of the shipped config.
        values: values of the stored config.
        seed: random seed.
        pretrained: path of the initial weights, if any.
    """
    before = flat(Config.fromfile(find_config(config)).to_dict())
    changes = [
        f"{key}={value}"
        for key, value in flat(values).items()
        if before.get(key, before) != value and not set(key.split(".")) & set(NEUTRAL)
    ]
    weights = f" --weights {Path(pretrained).stem}" if pretrained else ""
    options = f" --cfg-options {' '.join(changes)}" if changes else ""
    return f"msg3d train {config} --seed {seed}{weights}{options}"


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested config by their keys in `--cfg-options`."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        items = enumerate(value)
    else:
        return {prefix: list(value) if isinstance(value, tuple) else value}
    nested = {}
    for key, item in items:
        nested |= flat(item, f"{prefix}.{key}" if prefix else str(key))
    return nested


def log_records(work_dir: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a training, in order, also if it was resumed."""
    records = {}
    for file in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            records[record["step"], "loss" in record] = record
    return iter(records.values())


def epochs(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last loss and learning rate of each epoch, and its validation."""
    by_epoch: dict[int, dict[str, Any]] = {}
    for record in records:
        epoch = record.get("epoch", record["step"])
        keys = ("lr", "loss", "acc/top1", "acc/top5", "acc/mean1")
        values = {key: round(record[key], 6) for key in keys if key in record}
        by_epoch.setdefault(epoch, {"epoch": epoch}).update(values)
    return list(by_epoch.values())


def hours(records: list[dict[str, Any]]) -> float:
    """Return the duration of all training steps."""
    seconds, before = 0.0, 0
    for record in records:
        if "loss" in record:
            seconds += record["time"] * (record["iter"] - before)
            before = record["iter"]
    return seconds / 3600


def machine_of(work_dir: Path) -> str:
    """Return the GPU in the log of a training, or else the processor of this machine."""
    for log in sorted(work_dir.glob("*/*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        if match := re.search(r"GPU [\d,]+: (.+)", text):
            return match[1]
    processor, cores = platform.machine(), os.cpu_count()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = re.findall(r"model name\s*: (.+)", cpuinfo.read_text("utf-8"))
        processor = models[0].strip() if models else processor
    return f"{processor}, {cores} cores"


def parameters(cfg: Config) -> int:
    """Return the number of parameters of the network of a config."""
    from mmaction.registry import MODELS
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmaction"):
        return sum(value.numel() for value in MODELS.build(cfg.model).parameters())


def shared(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state whose equal tensors are the same object, so that they are stored once.

    Blocks have equal adjacency matrices, up to a third of the file.
    """
    first: dict[tuple, torch.Tensor] = {}
    return {
        key: first.setdefault((value.shape, value.numpy().tobytes()), value)
        for key, value in state.items()
    }


def _float32(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu()
    # A copy, because torch.save writes the complete storage of a view.
    return (value.float() if value.is_floating_point() else value).clone()


def main() -> int:
    """Run the command; return 1 if the checkpoint cannot be shipped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("name", metavar="NAME", help="name of the weights")
    parser.add_argument(
        "--ann-file", type=Path, help="annotation file (default: that of the config)"
    )
    parser.add_argument(
        "--machine",
        help="machine of the training (default: this one, or the GPU logged)",
    )
    args = parser.parse_args()
    try:
        path = ship(args.checkpoint, args.name, args.ann_file, args.machine)
    except MSG3DError as error:
        print(f"ship_weights.py: {error}", file=sys.stderr)
        return 1
    print(f"wrote {path}. Now run python tools/model_table.py --write")
    return 0


if __name__ == "__main__":
    sys.exit(main())
