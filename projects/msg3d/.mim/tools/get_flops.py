"""Operations and parameters of a config's model, for one clip.

MMAction2's own get_flops takes videos only. Counted is what runs: multiplications of
matrices and convolutions, the graph products among them.
"""

import argparse

import msg3d  # noqa: F401
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--persons", type=int, help="default: num_person of the model")
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model).eval()
    backbone = model.backbone
    persons = args.persons or getattr(backbone, "num_person", 2)
    channels = getattr(backbone, "in_channels", 3)
    clip = torch.rand(1, persons, args.frames, backbone.graph.num_node, channels)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.cls_head(backbone(clip))
    parameters = sum(p.numel() for p in model.parameters())
    print(f"Input shape [N, M, T, V, C]: {tuple(clip.shape)}")
    print(f"FLOPs: {counter.get_total_flops() / 1e9:.3f} G (2 a multiply-add)")
    print(f"Params: {parameters / 1e6:.3f} M")


if __name__ == "__main__":
    main()
