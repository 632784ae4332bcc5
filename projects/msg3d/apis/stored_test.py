"""Test config of a checkpoint, from the training config that it contains.

The runtime is that of the package. Network, data set, and metric are those of the
checkpoint, restricted to known classes.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmaction.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config

from ..checkpoints.stored_config import MODULES, stored_config
from ..errors import CheckpointError, ConfigError, DataError
from .config_files import CONFIGS
from .trained import read_meta

SECTIONS = ("model", "test_dataloader", "test_evaluator")
REGISTRIES = (MODELS, DATASETS, TRANSFORMS, DATA_SAMPLERS, METRICS)
# Modules and classes, in addition to the networks and transforms of `MODULES`.
TEST_MODULES = (
    *MODULES,
    "msg3d.datasets.",
    "msg3d.evaluation.",
    "mmaction.datasets.transforms.loading.SampleFrames.",
    "mmaction.evaluation.metrics.acc_metric.",
    "mmengine.dataset.dataset_wrapper.",
    "mmengine.dataset.sampler.",
)


def write_test_config(
    checkpoint: str,
    folder: Path,
    ann_file: str | None = None,
    prepare: str | None = None,
) -> Path:
    """Write the config that tests a checkpoint on the data set that it names.

    Args:
        checkpoint: path or URL of a checkpoint that contains its training config.
        folder: folder of the config. Its name is that of the training config, or else
            that of the checkpoint.
        ann_file: annotation file or store that replaces that of the config, which is
            relative to the current folder.
        prepare: command that prepares the data set, for an error.

    Returns:
        The path of the config.

    Raises:
        CheckpointError: the checkpoint contains no config of a test (kind `config`), or
            its config is not plain data or uses an unknown class (kind `unsafe`).
        ConfigError: the config tests several files, so that `ann_file` cannot replace
            them (kind `option`).
        DataError: the annotation file does not exist (kind `not-found`).
    """
    meta = read_meta(checkpoint)
    values = stored_config(meta, checkpoint, SECTIONS).to_dict()
    for section in SECTIONS:
        if section not in values:
            raise CheckpointError(
                f"the config in the checkpoint has no {section}. Pass a config: "
                f"`msg3d test CONFIG {checkpoint}`",
                kind="config",
                file=checkpoint,
                field=section,
            )
    for part in _typed(values):
        part["type"] = _known_type(part["type"], checkpoint)
    datasets = list(_files(values["test_dataloader"]))
    if ann_file is not None:
        if len(datasets) != 1:
            raise ConfigError(
                f"the config in the checkpoint tests {len(datasets)} annotation files, "
                "but --ann-file replaces a single one. Omit --ann-file.",
                kind="option",
                file=checkpoint,
                field="ann_file",
            )
        datasets[0].update(ann_file=ann_file, data_root=None)
    for dataset in datasets:
        root = dataset.get("data_root") or ""
        _check_exists(Path(root, str(dataset["ann_file"])), prepare)
    loop = {"type": "TestLoop"}
    cfg = Config(dict(values, test_cfg=loop, default_scope="mmaction"))
    base = str(CONFIGS / "_base_" / "default_runtime.py")
    # MMEngine appends the time to the name of the config.
    name = re.sub(r"_\d{8}_\d{6}$", "", str(meta.get("experiment_name", "")))
    path = folder / f"{Path(name).name or Path(checkpoint).stem}.py"
    path.write_text(f"_base_ = {base!r}\n{cfg.pretty_text}", encoding="utf-8")
    return path


def _typed(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all dictionaries that describe an object to build.

    Initializers are removed, since all weights are loaded.
    """
    if isinstance(value, dict):
        value.pop("init_cfg", None)
        if "type" in value:
            yield value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _typed(item)


def _files(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all dictionaries with an annotation file."""
    for part in _typed(value):
        if "ann_file" in part:
            yield part


def _known_type(key: Any, checkpoint: str) -> str:
    """Return the name of a class, without its module.

    Raises:
        CheckpointError: the class is not one of `TEST_MODULES` (kind `unsafe`).
    """
    name = str(key).rpartition(".")[2]
    places = []
    for registry in REGISTRIES:
        parent = registry
        while parent is not None:
            parent.import_from_location()
            if name in parent.module_dict:
                places.append(f"{parent.module_dict[name].__module__}.{name}.")
                break
            parent = parent.parent
    if not places or not all(place.startswith(TEST_MODULES) for place in places):
        raise CheckpointError(
            f"the config in the checkpoint uses {key!r:.80}, which is not part of msg3d "
            "or MMAction2's skeleton networks. Nothing was imported. Pass a trusted "
            f"config: `msg3d test CONFIG {checkpoint}`",
            kind="unsafe",
            file=checkpoint,
        )
    return name


def _check_exists(ann_file: Path, prepare: str | None) -> None:
    if ann_file.exists():
        return
    hint = "Prepare the data set (docs/data.md)"
    if prepare is not None:
        hint = f"Run `{prepare}`"
    raise DataError(
        f"the annotation file does not exist. {hint}, or pass its path as --ann-file.",
        kind="not-found",
        file=str(ann_file),
        field="ann_file",
    )
