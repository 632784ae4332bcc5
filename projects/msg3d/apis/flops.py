"""FLOP counter for recognizers on skeletons, run by `mim run msg3d get_flops`.

MMAction2's get_flops expects an image shape, and its counter supports modules but not
the einsums and matrix products of graph convolutions. PyTorch's `FlopCounterMode` counts
operators instead.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from ..errors import ConfigError
from ..models.by_sample import one_at_a_time
from ..models.graph import build_graph

if TYPE_CHECKING:
    from mmaction.models.recognizers.base import BaseRecognizer


@contextmanager
def flop_counter() -> Iterator[FlopCounterMode]:
    """Count FLOPs with PyTorch's counter, including in-place products, excluding padding."""
    aten = torch.ops.aten
    added = (aten.addmm_, aten.baddbmm_, aten.addbmm, aten.addbmm_)
    mapping = dict.fromkeys(added, _product_flops)
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    with one_at_a_time(), counter:
        yield counter


def _product_flops(
    target: Sequence[int],
    left: Sequence[int],
    right: Sequence[int],
    out_shape: Sequence[int] | None = None,
    **options: object,
) -> int:
    """Return the FLOPs of `target += left @ right`.

    The shapes of `left` and `right` are [(B,) P, Q] and [(B,) Q, R].
    """
    return 2 * prod(left) * right[-1]


def count_flops(model: "BaseRecognizer", shape: tuple[int, ...]) -> dict[str, int]:
    """Count the FLOPs of a forward pass through backbone and head in eval mode.

    Matrix products, einsums, and convolutions are counted, with two FLOPs (a multiply and
    an add) per multiply-accumulate. Normalization, activations, sums, and copies are not
    counted.

    Args:
        model: recognizer such as RecognizerGCN.
        shape: input shape (N clips, M persons, T frames, V joints, C channels).

    Returns:
        Dictionary with `flops` for a sample, and `parameters`, their number.
    """
    clips = torch.rand(1, *shape)  # one sample: (1, N, M, T, V, C)
    training = model.training
    with torch.no_grad(), flop_counter() as counter:
        model.eval().extract_feat(clips, stage="head")
    model.train(training)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"flops": counter.get_total_flops(), "parameters": parameters}


def input_shape(cfg: Config) -> tuple[int, ...]:
    """Return the input shape for a sample of a config's test pipeline.

    Returns:
        (N clips, M persons, T frames, V joints, C channels).

    Raises:
        ConfigError: the config does not specify the number of frames or the graph.
    """
    sizes = {}
    for step in cfg.test_dataloader.dataset.pipeline:
        for key in ("num_clips", "num_person", "clip_len", "length"):
            if key in step:
                sizes[key] = step[key]
    # The recipes of the papers use full sequences, padded to `length`.
    frames = sizes.get("clip_len", sizes.get("length"))
    backbone = cfg.model.backbone
    if not frames or "graph_cfg" not in backbone:
        missing = (
            "model.backbone.graph_cfg" if frames else "clip_len of the test pipeline"
        )
        raise ConfigError(
            f"{missing} is missing. Pass the input shape as --shape N M T V C.",
            kind="config",
            file=cfg.filename,
        )
    clips, persons = sizes.get("num_clips", 1), sizes.get("num_person", 2)
    joints = build_graph(**backbone.graph_cfg).num_node
    return (clips, persons, frames, joints, backbone.get("in_channels", 3))


def main() -> None:
    """Print the FLOPs and parameters of the config on the command line."""
    parser = argparse.ArgumentParser(description="FLOPs and parameters of a model")
    parser.add_argument("config")
    parser.add_argument(
        "--shape",
        type=int,
        nargs=5,
        metavar=tuple("NMTVC"),
        help="number of clips, persons, frames, joints, and channels (default: one clip "
        "of the config's test pipeline)",
    )
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.get("default_scope", "mmaction"))
    shape = tuple(args.shape or (1, *input_shape(cfg)[1:]))
    counts = count_flops(MODELS.build(cfg.model), shape)
    letters = ", ".join(
        f"{name}={size}" for name, size in zip("NMTVC", shape, strict=True)
    )
    print(f"Input: {letters}")
    print(f"FLOPs: {counts['flops'] / 1e9:.3f} G ({counts['flops'] / 2e9:.3f} GMAC)")
    print(f"Parameters: {counts['parameters'] / 1e6:.3f} M")
    print(
        "Matrix products, einsums, and convolutions are counted; normalization, "
        "activations, sums, and copies are not."
    )
