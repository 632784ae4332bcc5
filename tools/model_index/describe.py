"""What a config says of its model: the Metadata of OpenMMLab's model index."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import msg3d  # noqa: F401
from msg3d.apis.flops import count_flops, input_shape
from msg3d.errors import ConfigError

# As MMAction2's metafiles name them, so that one search finds both packages' models.
DATA_SETS = {
    "bandai_styles": "Bandai-Styles",
    "kinetics_coco": "Kinetics-COCO",
    "kinetics_openpose": "Kinetics-OpenPose",
    "msr_action3d": "MSR-Action3D",
    "ntu120": "NTU120",
    "ntu60": "NTU60",
    "nw_ucla": "NW-UCLA",
    "penn_action": "Penn-Action",
    "sbu": "SBU",
    "synthetic": "Synthetic",
    "udiva_250": "UDIVA",
}
SPLITS = {
    "fold1": "Fold1",
    "xcontent": "XContent",
    "xset": "XSet",
    "xsub": "XSub",
    "xview": "XView",
    "xview_clean_v1": "XView-Clean-v1",
}
STREAMS = {"j": "joint", "b": "bone", "jm": "joint-motion", "bm": "bone-motion"}

_NAME = re.compile(
    r"(?P<network>[\w-]+)_(?P<gpus>\d+)xb(?P<batch>\d+)"
    r"-(?P<stream>joint-motion|bone-motion|joint|bone|laban)"
    r"-(?P<recipe>\w+-(?P<epochs>\d+)e)"
    r"_(?P<data>[\w-]+)-keypoint-(?P<dimensions>[23]d)"
)


def parse_name(name: str) -> dict[str, str]:
    """The parts of a config's name.

    Args:
        name: such as `msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d`.

    Returns:
        network, gpus, batch, stream, recipe (`u100-80e`), epochs, data (`ntu60-xsub`)
        and dimensions (`3d`).

    Raises:
        ConfigError: the name has another form (`file-name`).
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise ConfigError(
            "rename the config to "
            "NETWORK_GPUSxbBATCH-STREAM-SAMPLING-EPOCHSe_DATA-keypoint-2d or -3d",
            kind="file-name",
            file=name,
        )
    return found.groupdict()


@contextmanager
def bases_looked_up_once() -> Iterator[None]:
    """Within it, configs load in half the time.

    MMEngine reads all metafiles of MMAction2 to find `mmaction::`, for each config
    anew.
    """
    looked_up = staticmethod(cache(Config._get_cfg_path))
    with mock.patch.object(Config, "_get_cfg_path", looked_up):
        yield


def metadata(cfg: Config) -> dict:
    """Everything of a model's Metadata but what needs the model built.

    Args:
        cfg: a leaf config.

    Returns:
        Architecture, data, recipe and input, by the keys of the model index. Epochs
        are passes over the training samples; Batch Size is the samples of an
        optimiser's step on one GPU, Base Batch Size those, of all GPUs, that the
        learning rate is meant for; Frames, Clips and Persons are those of a test
        sample.

    Raises:
        ConfigError: the config's name has another form, see `parse_name`.
    """
    name = parse_name(Path(cfg.filename).stem)
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    times = train.get("times", 1)
    train = train.get("dataset", train)
    # MMEngine counts the samples of one forward pass, not those of a step.
    gathered = cfg.optim_wrapper.get("accumulative_counts", 1)
    clips, persons, frames, joints, channels = input_shape(cfg)
    found = {
        "Architecture": cfg.model.backbone.type,
        "Training Data": _data(train, name["dimensions"]),
        "Training Split": train.split,
        "Test Split": test.split,
        "Stream": _stream(train),
        "Recipe": name["recipe"],
        "Epochs": cfg.train_cfg.max_epochs * times,
        "Batch Size": cfg.train_dataloader.batch_size * gathered,
        "GPUs": int(name["gpus"]),
        "Base Batch Size": cfg.auto_scale_lr.base_batch_size * gathered,
        "Frames": frames,
        "Clips": clips,
        "Persons": persons,
        "Joints": joints,
        "Channels": channels,
    }
    layout = cfg.model.backbone.graph_cfg.layout
    if isinstance(layout, str):  # not one that the config spells out
        found["Layout"] = layout
    return found


def _data(dataset, dimensions: str) -> str:
    """Data and split, as in `NTU60-XSub-3D`."""
    stem = Path(dataset.ann_file).stem.removesuffix(f"_{dimensions}")
    split = re.sub("_?train$", "", dataset.split)
    parts = (DATA_SETS.get(stem, stem), SPLITS.get(split, split), dimensions.upper())
    return "-".join(filter(None, parts))


def _stream(dataset) -> str:
    if any(step.type == "LabanEffort" for step in dataset.pipeline):
        return "laban"
    return STREAMS[dataset.get("stream", "j")]


class Costs:
    """Parameters and FLOPs of models; each is built and counted once."""

    def __init__(self) -> None:
        self._found = {}

    def of(self, cfg: Config) -> dict[str, int]:
        """`{'Parameters': ..., 'FLOPs': ...}`, FLOPs of one clip, see `count_flops`."""
        shape = (1, *input_shape(cfg)[1:])
        key = json.dumps([cfg.model.to_dict(), shape])
        if key not in self._found:
            init_default_scope("mmaction")
            counted = count_flops(MODELS.build(cfg.model), shape)
            self._found[key] = {
                "Parameters": counted["parameters"],
                "FLOPs": counted["flops"],
            }
        return self._found[key]
