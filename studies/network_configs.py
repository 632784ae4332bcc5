"""Configs of the study of networks: data sets x networks x streams.

All networks are trained on the same samples with the same schedule. In the small budget, for
several seeds on CPU cores, networks have 0.13 to 0.30 M parameters. In the full budget, for
a GPU, frames, passes, and channels are those of the recipes and papers.
"""

from dataclasses import dataclass
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config

import msg3d
from benchmarks.ctrgcn import CTRGCN
from benchmarks.networks import emulated

CONFIGS = Path(msg3d.__file__).parent / "configs"
FRAMES, BATCH = 16, 16
STREAMS = {"joint": "j", "bone": "b", "joint-motion": "jm", "bone-motion": "bm"}
# Joint, bone, and joint motion as input channels of one network, in recipe `small`
SEVERAL = "streams"


@dataclass(frozen=True)
class DataSet:
    """A split of a data set.

    Args:
        title: title in tables.
        file: annotation file.
        leaf: suffix of the config names.
        train: training split.
        test: test split.
        passes: number of passes over the training samples in the small budget.
        unseen: split of the test samples that are not in the training set, if there are
            leaks.
        strong: suffix of the config names of recipe `strong`, if it exists.
    """

    title: str
    file: str
    leaf: str
    train: str
    test: str
    passes: int
    unseen: str | None = None
    strong: str | None = None


_NW_UCLA = ("nw_ucla.pkl", "r40-60e_nw-ucla-xview-keypoint-3d")
_MSR = ("msr_action3d.pkl", "r48-60e_msr-action3d-xsub-keypoint-3d")
_SBU = ("sbu.pkl", "r32-60e_sbu-fold1-keypoint-3d")
DATA_SETS: dict[str, DataSet] = {
    "nw-ucla-xview": DataSet(
        "NW-UCLA `xview`",
        *_NW_UCLA,
        "xview_train",
        "xview_val",
        12,
        "xview_clean_val",
        "strong52-325e_nw-ucla-xview-keypoint-3d",
    ),
    "nw-ucla-xview-clean-v1": DataSet(
        "NW-UCLA `xview_clean_v1`",
        *_NW_UCLA,
        "xview_clean_v1_train",
        "xview_clean_v1_val",
        12,
    ),
    "msr-action3d-xsub": DataSet(
        "MSR-Action3D `xsub`",
        *_MSR,
        "xsub_train",
        "xsub_val",
        24,
    ),
    "penn-action": DataSet(
        "Penn Action (2D)",
        "penn_action.pkl",
        "u64-60e_penn-action-keypoint-2d",
        "train",
        "val",
        8,
    ),
}
for _fold in range(1, 6):
    DATA_SETS[f"sbu-fold{_fold}"] = DataSet(
        f"SBU fold {_fold}", *_SBU, f"fold{_fold}_train", f"fold{_fold}_val", 16
    )
# Subsets of eight classes, in recipe `small` only
SUBSETS = {
    f"msr-action3d-as{_set}": DataSet(
        f"MSR-Action3D AS{_set}", *_MSR, f"as{_set}_train", f"as{_set}_val", 24
    )
    for _set in (1, 2, 3)
}


@dataclass(frozen=True)
class Network:
    """A network, defined by changes to a leaf config.

    Args:
        title: title in tables.
        leaf: folder and prefix of the config name.
        channels: channels of the first stage in the small budget. The last stage has four
            times as many.
        backbone: type of the backbone, if it differs from the leaf config.
        mode: mode of the graph.
        small: channels of the first stage with recipe `small`, 0.4 to 0.6 M parameters.
    """

    title: str
    leaf: str
    channels: int = 16
    backbone: str | None = None
    mode: str | None = None
    small: int = 24


NETWORKS: dict[str, Network] = {
    "msg3d": Network("MS-G3D", "msg3d/msg3d", 12),
    "2s-agcn": Network("2s-AGCN", "agcn/2s-agcn"),
    "aagcn": Network("AAGCN", "agcn/2s-agcn", 16, "LayoutAAGCN", "spatial"),
    "stgcn": Network("ST-GCN", "stgcn/stgcn"),
    "res-tcn": Network("Res-TCN", "stgcn/stgcn", 16, "ResTCN"),
}
# In recipe `small` only
OTHERS = {"ctr-gcn": Network("CTR-GCN", "agcn/2s-agcn", 16, "CTRGCN", "spatial", 32)}
MODELS.register_module(module=CTRGCN)


def config(
    data_set: str,
    network: str,
    stream: str,
    data: Path,
    full: bool = False,
    longer: int = 1,
    channels: int | None = None,
    frames: int = FRAMES,
    strong: bool = False,
) -> Config:
    """Return the config of a setting.

    Args:
        data_set: key of DATA_SETS.
        network: key of NETWORKS.
        stream: key of STREAMS.
        data: folder of the annotation files.
        full: use the full budget.
        longer: factor of the passes.
        channels: channels of the first stage. Default: those of the network in the small
            budget, and the published channels in the full budget.
        frames: frames per clip, except in the full budget.
        strong: use the pipelines of recipe `strong` with the same network, labels, and
            schedule.
    """
    source, form = DATA_SETS[data_set], NETWORKS[network]
    cfg = _leaf(form, source.leaf)
    if strong:
        recipe = _leaf(form, source.strong)
        pairs = zip(_data_sets(cfg), _data_sets(recipe), strict=True)
        for data_set_cfg, recipe_cfg in pairs:
            data_set_cfg.pipeline = recipe_cfg.pipeline
    # Use one pass per epoch instead of five.
    repeated = cfg.train_dataloader.dataset
    passes = repeated.times * cfg.train_cfg.max_epochs if full else source.passes
    cfg.train_dataloader.dataset = repeated.dataset
    cfg.train_cfg.max_epochs = cfg.param_scheduler[0].T_max = longer * passes
    for samples in _data_sets(cfg):
        samples.ann_file = str(data / source.file)
        samples.stream = STREAMS[stream]
        samples.split = source.test
        for step in samples.pipeline:
            if "clip_len" in step and not full:
                step.clip_len = frames
    cfg.train_dataloader.dataset.split = source.train
    cfg.train_dataloader.batch_size = BATCH
    cfg.test_dataloader.batch_size = 8  # ten clips each
    steps = cfg.train_dataloader.dataset.pipeline
    (persons,) = (step.num_person for step in steps if "num_person" in step)
    _change_backbone(cfg.model, form, persons)
    channels = channels or (None if full else form.channels)
    if channels:
        cfg.model.backbone.base_channels = channels
        cfg.model.cls_head.in_channels = 4 * channels
    return cfg


def small_config(data_set: str, network: str, stream: str, data: Path) -> Config:
    """Return the config of a setting with recipe `small`.

    Networks other than MS-G3D get the same samples, schedule, and regularization.

    Args:
        data_set: key of DATA_SETS or SUBSETS.
        network: key of NETWORKS or OTHERS.
        stream: key of STREAMS, or SEVERAL.
        data: folder of the annotation files.
    """
    source, form = (DATA_SETS | SUBSETS)[data_set], (NETWORKS | OTHERS)[network]
    suffix = source.leaf.partition("_")[2]
    (leaf,) = (CONFIGS / "msg3d").glob(f"msg3d-24c_1xb16-streams-small*_{suffix}.py")
    cfg = Config.fromfile(leaf)
    repeated = cfg.train_dataloader.dataset
    if network != "msg3d":
        backbone, head = cfg.model.backbone, cfg.model.cls_head
        model = _leaf(form, source.leaf).model
        _change_backbone(model, form, backbone.get("num_person", 2))
        model.backbone.update(
            in_channels=backbone.in_channels, base_channels=form.small
        )
        if form.backbone not in ("ResTCN", "CTRGCN"):
            model.backbone.tcn_dropout = backbone.tcn_dropout
        model.cls_head.update(
            in_channels=4 * form.small,
            dropout=head.dropout,
            label_smooth_eps=head.label_smooth_eps,
        )
        cfg.model = model
    for samples in _data_sets(cfg):
        samples.ann_file = str(data / source.file)
        samples.split = source.test
        for step in samples.pipeline:
            if step.type == "SkeletonFeatures" and stream != SEVERAL:
                streams = len(step.feats)
                step.feats = [STREAMS[stream]]
    repeated.dataset.split = source.train
    if stream != SEVERAL:
        cfg.model.backbone.in_channels //= streams
    cfg.test_dataloader.batch_size = 8  # ten clips each
    if not emulated("bfloat16", "cpu"):
        cfg.optim_wrapper.update(type="AmpOptimWrapper", dtype="bfloat16")
    return cfg


def _leaf(form: Network, suffix: str) -> Config:
    return Config.fromfile(CONFIGS / f"{form.leaf}_1xb16-joint-{suffix}.py")


def _data_sets(cfg: Config) -> list[dict]:
    """Return the configs of the training, validation, and test data sets."""
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    return [loader.dataset.get("dataset", loader.dataset) for loader in loaders]


def _change_backbone(model: dict, form: Network, persons: int) -> None:
    """Replace the backbone if it differs from the leaf config."""
    if form.backbone:
        graph = {"layout": model.backbone.graph_cfg.layout}
        if form.mode:
            graph["mode"] = form.mode
        model.backbone = {
            "type": form.backbone,
            "graph_cfg": graph,
            "num_person": persons,
        }
