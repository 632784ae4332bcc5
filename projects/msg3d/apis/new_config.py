"""Generator of a config for an annotation file.

The config inherits model, schedule, and runtime from `_base_` files. These are copied
next to the config, since MMEngine cannot inherit from an installed plugin. All settings
that depend on the data set are derived from the annotation file.
"""

import re
import shutil
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..annotations.check import Annotations
from ..annotations.inspection.facts import Facts, read_facts
from ..annotations.samples import SampleSource
from ..errors import ConfigError, DataError
from ..io.atomic import whole_file
from ..skeletons import skeleton
from ..skeletons.convert import joint_sources
from ..stores.packing import open_any
from .config_files import CONFIGS, find_config, named_bases
from .config_text import Name, code, difference

# Number of dimensions -> name of a recipe for small data sets.
DEFAULTS = {
    2: "msg3d-24c_1xb16-streams-small24-100e_penn-action-keypoint-2d",
    3: "msg3d-24c_1xb16-streams-small24-100e_nw-ucla-xview-keypoint-3d",
}
DATA_KEYS = (
    *("train_dataloader", "val_dataloader", "test_dataloader"),
    *("val_evaluator", "test_evaluator"),
)
SIDES = ("train", "val", "test")
# Words in the names of classes that change in a mirror
SIDED = {"left", "right", "clockwise", "counterclockwise", "ccw", "cw"}
SIDED |= {"draw", "write", "letter", "digit", "tick", "swipe", "slide"}


def write_config(
    ann_file: str | Sequence[str],
    output: str,
    like: str | None = None,
    layout: str | None = None,
    train_split: str | Sequence[str] | None = None,
    val_split: str | Sequence[str] | None = None,
    flat: bool = False,
) -> list[str]:
    """Write a config for annotation files or packed stores.

    Args:
        ann_file: path of the file, which is written to the config unchanged; or paths of
            several files, which are combined (see `CombinedSkeletonDataset`).
        output: path of the config to write, ending in `.py`.
        like: name or path of the config that provides model and schedule. By default, a
            recipe for small data sets is used.
        layout: skeleton layout of the keypoints, required if the file does not specify
            it.
        train_split, val_split: names of the splits for training and validation, required
            if a file has several pairs of splits. With several files, a list may contain
            splits of any of them.
        flat: whether to write a single file without `_base_`.

    Returns:
        Paths of the written files, starting with the config.

    Raises:
        DataError: an annotation file is invalid or incomplete, or several files do not
            contain class names (kind `label`) or have different dimensions (kind
            `shape`).
        ConfigError: the recipe is for another kind of data, or `output` does not end in
            `.py`.
        OSError: a file cannot be written.
    """
    if not output.endswith(".py"):
        raise ConfigError(
            f"the output file ends in {Path(output).suffix!r}, expected '.py'",
            kind="file-name",
            file=output,
        )
    files = [ann_file] if isinstance(ann_file, str) else list(ann_file)
    if len(set(files)) < len(files):
        raise ConfigError(
            "the same file is passed twice", kind="duplicate", file=files[0]
        )
    every = {}
    for name in files:
        data = open_any(name)
        sides = (_own_split(data, v, files) for v in (train_split, val_split))
        every[name] = read_facts(data, name, layout, *sides)
    facts = next(iter(every.values()))
    if len(every) > 1:
        facts = _combined(every)
    source = find_config(like or DEFAULTS[facts.dimensions])
    cfg = adapted(Config.fromfile(source), facts, files[0], source.stem)
    if len(every) > 1:
        _combine(cfg, every, facts.names or [])
    head = (
        f"# Written by `msg3d new-config {' '.join(files)} {output}`, with the recipe of "
        f"{source.stem}.\n"
    )
    if flat:
        _write(output, head + code(cfg))
        return [output]
    return _write_inheriting(cfg, source, output, head)


def _own_split(
    data: Annotations | SampleSource,
    names: str | Sequence[str] | None,
    files: list[str],
) -> str | None:
    """Return the split of a file among those that the user named."""
    names = [names] if isinstance(names, str) else list(names or ())
    known = (
        data.get("split") if isinstance(data, dict) else getattr(data, "splits", None)
    )
    own = [name for name in names if name in (known or ())]
    if len(files) == 1:  # `read_facts` rejects unknown names
        own += names
    return own[0] if own else None


def _combined(every: dict[str, Facts]) -> Facts:
    """Return the facts about several files as one data set."""
    names = list(every)
    first = every[names[0]]
    classes = list(first.names or ())
    for name, facts in every.items():
        if (facts.dimensions, facts.channels) != (first.dimensions, first.channels):
            raise DataError(
                f"the file has {_channels(facts)}, but {names[0]} has "
                f"{_channels(first)}. Combine files with the same dimensions.",
                kind="shape",
                file=name,
                field="keypoint",
            )
        if facts.names is None:
            raise DataError(
                "the file contains no class names, which combining it with other files "
                "requires. Add meta={'classes': [...]} to the file.",
                kind="label",
                file=name,
                field="meta['classes']",
            )
        classes += [new for new in facts.names if new not in classes]
    rates = [facts.fps for facts in every.values() if facts.fps is not None]
    return first._replace(
        classes=len(classes),
        names=classes,
        persons=max(facts.persons for facts in every.values()),
        packed=False,
        fps=min(rates) if len(rates) == len(every) else None,
    )


def _channels(facts: Facts) -> str:
    scores = "with" if facts.channels > facts.dimensions else "without"
    return f"{facts.dimensions}D keypoints {scores} scores"


def _combine(cfg: Config, every: dict[str, Facts], classes: list[str]) -> None:
    """Replace the file of all data sets by several files."""
    layout = cfg.model.backbone.graph_cfg.layout
    for side in SIDES:
        dataset = _innermost(cfg[f"{side}_dataloader"])
        split = "train" if side == "train" else "val"
        files = []
        for name, facts in every.items():
            file = {
                "ann_file": name,
                "split": getattr(facts, split),
                "layout": facts.layout,
            }
            other = facts.layout != layout
            if other and not all(joint_sources(facts.layout, layout, "zero")):
                file["missing"] = "zero"
            files.append(file)
        del dataset["ann_file"], dataset["split"]
        dataset.update(
            type="CombinedSkeletonDataset", files=files, layout=layout, classes=classes
        )


def adapted(cfg: Config, facts: Facts, ann_file: str, name: str) -> Config:
    """Return a copy of a config, adapted to another data set.

    Args:
        cfg: config of a recipe for classification.
        facts: facts about the annotation file.
        ann_file: path of the annotation file.
        name: name of the config, for error messages.

    Raises:
        ConfigError: the recipe is for other dimensions or for regression (kind `config`).
    """
    cfg = deepcopy(cfg)
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    if "num_classes" not in head:
        raise ConfigError(
            "the recipe is for regression, expected a recipe for classification",
            kind="config",
            file=name,
        )
    if backbone.type == "MSG3D" and backbone.graph_cfg.layout != facts.layout:
        backbone.num_gcn_scales = _scales(backbone.graph_cfg, facts.layout)
    backbone.graph_cfg.layout = facts.layout
    backbone.in_channels = facts.channels * _streams(cfg)
    backbone.num_person = facts.persons
    head.num_classes = facts.classes
    for side, split in zip(SIDES, (facts.train, facts.val, facts.val), strict=True):
        dataset = _innermost(cfg[f"{side}_dataloader"])
        dataset.ann_file, dataset.split = ann_file, split
        if facts.fps is not None:
            dataset.fps = facts.fps
        if facts.packed:
            dataset.type = "PackedSkeletonDataset"
        dataset.pipeline = [
            _adapted_step(step, facts, name)
            for step in dataset.pipeline
            if step["type"] != "MirrorBody" or may_mirror(facts.layout, facts.names)
        ]
    # Base files define variables for parts of pipelines.
    keep = {*DATA_KEYS, "model", "custom_imports", "custom_hooks"}
    for key in list(cfg):
        if key not in keep and _is_pipeline_part(cfg[key]):
            cfg.pop(key)
    cfg.pop("ann_file", None)
    cfg.pop("layout", None)
    return cfg


def may_mirror(layout: str | dict[str, Any], names: Sequence[str] | None) -> bool:
    """Return whether a mirrored sample keeps its label.

    Args:
        layout: layout of the keypoints. Mirroring requires symmetric joints.
        names: names of the classes; None if they are unknown. The classes may then
            depend on the side, so samples are not mirrored.
    """
    if names is None or not skeleton(layout).pairs:
        return False
    words = {word for name in names for word in re.findall("[a-z]+", name.lower())}
    return not words & SIDED


def _streams(cfg: Config) -> int:
    """Return the number of streams in the input channels."""
    steps = _innermost(cfg.train_dataloader).pipeline
    (feats,) = [s.get("feats") for s in steps if s.type == "SkeletonFeatures"] or [None]
    return len(feats or "j")


def _innermost(loader: Any) -> Any:
    """Return the config of a loader's data set, inside wrappers such as RepeatDataset."""
    while "dataset" in loader:
        loader = loader["dataset"]
    return loader


def _scales(graph_cfg: dict[str, Any], layout: str | dict[str, Any]) -> int:
    """Return the number of scales up to the diameter of the graph, at most 13."""
    from ..models.graph import binary_adjacency, useful_scales

    _, adjacency = binary_adjacency({**graph_cfg, "layout": layout})
    return min(useful_scales(adjacency), 13)


def _is_pipeline_part(value: Any) -> bool:
    """Return whether a config value is a pipeline step or a list of pipeline steps."""
    from mmaction.registry import TRANSFORMS

    steps = value if isinstance(value, list) else [value]
    return all(
        isinstance(step, dict) and "type" in step and TRANSFORMS.get(step["type"])
        for step in steps
    )


def _adapted_step(step: dict[str, Any], facts: Facts, name: str) -> dict[str, Any]:
    step, kind = dict(step), step["type"]
    solid = kind.endswith("3D") or kind in ("AlignView", "LabanEffort")
    if (solid and facts.dimensions == 2) or (
        kind.endswith("2D") and facts.dimensions == 3
    ):
        raise ConfigError(
            f"the recipe is for {5 - facts.dimensions}D keypoints, but the data is "
            f"{facts.dimensions}D. Run `msg3d configs {facts.dimensions}d` to list "
            "matching recipes.",
            kind="config",
            file=name,
            field=kind,
        )
    if kind in ("AlignSkeleton3D", "FastPreNormalize3D", "PreNormalize3D"):
        return _centered(step, facts.layout)
    if "layout" in step:
        step["layout"] = facts.layout
    if "num_person" in step:
        step["num_person"] = facts.persons
    if kind == "ResampleFrames":  # shortens longer sequences
        step["clip_len"] = min(step["clip_len"], facts.clip_len)
    elif "clip_len" in step:
        step["clip_len"] = facts.clip_len
    return step


def _centered(step: dict[str, Any], layout: str | dict[str, Any]) -> dict[str, Any]:
    """Return an `AlignSkeleton3D` step for the layout, in place of a normalization step.

    Layouts without spine or shoulders are only centered.
    """
    kept = {key: value for key, value in step.items() if key.startswith("align_")}
    described = skeleton(layout)
    if described.spine and described.shoulders:
        return dict(type="AlignSkeleton3D", layout=layout, **kept)
    kept |= {"align_spine": False, "align_shoulder": False}
    return dict(type="AlignSkeleton3D", center=described.center, **kept)


def _write_inheriting(cfg: Config, source: Path, output: str, head: str) -> list[str]:
    folder = Path(output).parent / "_base_"
    stem = Path(output).stem
    bases = _bases(source)
    loader = CONFIGS / "_base_" / "datasets" / "skeleton.py"
    shared = [base for base in bases if base.parent.name != "datasets"]
    written = [output, str(folder / "datasets" / f"{stem}.py")]
    written += _copy_bases([*shared, loader], folder)
    names = [
        f"_base_/{base.relative_to(CONFIGS / '_base_').as_posix()}" for base in shared
    ]
    names.insert(1, f"_base_/datasets/{stem}.py")

    data = difference(
        Config.fromfile(loader), {key: cfg[key] for key in DATA_KEYS if key in cfg}
    )
    pipelines, variables = {}, {}
    for side in SIDES:
        dataset = _innermost(data[f"{side}_dataloader"])
        pipelines[f"{side}_pipeline"] = dataset["pipeline"]
        dataset["pipeline"] = Name(f"{side}_pipeline")
        if "ann_file" in dataset:
            variables["ann_file"] = dataset["ann_file"]
            dataset["ann_file"] = Name("ann_file")
        else:
            split = "train" if side == "train" else "val"
            variables[f"{split}_files"] = dataset["files"]
            dataset["files"] = Name(f"{split}_files")
            variables["classes"] = dataset["classes"]
            dataset["classes"] = Name("classes")
    _write(
        written[1],
        "# Annotation files, splits, and pipelines of the data set.\n"
        + code(dict(_base_="skeleton.py", **variables, **pipelines, **data)),
    )
    inherited: dict[str, Any] = {}
    for base in shared:
        inherited = Config._merge_a_into_b(Config.fromfile(base), inherited)
    own = {key: value for key, value in cfg.items() if key not in DATA_KEYS}
    _write(output, head + code(dict(_base_=names, **difference(inherited, own))))
    return written


def _bases(config: Path) -> list[Path]:
    """Return the files in `_base_` that a config inherits from, or its parents do."""
    files: list[Path] = []
    for name in named_bases(config):
        base = (config.parent / name).resolve()
        files += [base] if "_base_" in base.parts else _bases(base)
    return list(dict.fromkeys(files))


def _copy_bases(bases: list[Path], folder: Path) -> list[str]:
    """Copy base files and the files that they inherit from to a folder.

    Existing files are kept.

    Returns:
        Paths of the new files.
    """
    copied = []
    for base in bases:
        target = folder / base.relative_to(CONFIGS / "_base_")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(base, target)
            copied.append(str(target))
        inherited = [(base.parent / name).resolve() for name in named_bases(base)]
        copied += _copy_bases(inherited, folder)
    return copied


def _write(path: str, text: str) -> None:
    with whole_file(path, "x") as file:
        file.write(text)
