"""Published implementations, to measure against with `--against`.

    git clone https://github.com/kenziyuliu/MS-G3D published/MS-G3D
    git clone https://github.com/open-mmlab/mmaction2 published/mmaction2
    git clone https://github.com/kennymckormick/pyskl published/pyskl
    git clone https://github.com/KAIST-VICLab/SkateFormer published/SkateFormer
    pip install timm  # for SkateFormer
    python -m benchmarks speed --layouts nturgb+d --against \\
        original=benchmarks/published.py:Original \\
        mmaction2=benchmarks/published.py:MMAction2 \\
        pyskl=benchmarks/published.py:PYSKL \\
        skateformer=benchmarks/published.py:SkateFormer

`$PUBLISHED` names another folder than `published`. Each network is its authors' code,
unchanged, with NTU RGB+D's 25 joints. MMAction2's and PYSKL's networks have no head, and the
others do. SkateFormer samples 64 frames of 24 joints from each clip.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

FOLDER = Path(os.environ.get("PUBLISHED", "published")).resolve()


class Original(nn.Module):
    """MS-G3D by its authors, with the classifier of 60 classes."""

    def __init__(self, graph_cfg: dict, num_person: int = 2) -> None:
        super().__init__()
        _require_ntu(graph_cfg)
        sys.path.insert(0, str(FOLDER / "MS-G3D"))
        model = importlib.import_module("model.msg3d").Model
        graph = "graph.ntu_rgb_d.AdjMatrixGraph"
        self.model = model(60, 25, num_person, 13, 6, graph)

    def forward(self, clips: Tensor) -> Tensor:  # [N, M, T, V, C]
        return self.model(clips.permute(0, 4, 2, 3, 1))


def MMAction2(graph_cfg: dict, num_person: int = 2) -> nn.Module:
    """Return the backbone of MMAction2's `projects/msg3d`."""
    folder = FOLDER / "mmaction2" / "projects" / "msg3d" / "models"
    _package("mmaction2_msg3d", folder)
    ours = MODELS.module_dict.pop("MSG3D")  # MMAction2's class has the same name.
    try:
        module = importlib.import_module("mmaction2_msg3d.msg3d")
    finally:
        MODELS.module_dict["MSG3D"] = ours
    return module.MSG3D(graph_cfg, num_person=num_person)


def PYSKL(graph_cfg: dict, num_person: int = 2) -> nn.Module:
    """Return PYSKL's backbone, without the parts of PYSKL that need mmcv 1."""
    folder = FOLDER / "pyskl" / "pyskl"
    for name in ("", ".utils", ".models", ".models.gcns"):
        _package(f"pyskl{name}", folder.joinpath(*name.split(".")))
    builder = ModuleType("pyskl.models.builder")
    builder.BACKBONES = type(MODELS)("backbone")
    sys.modules[builder.__name__] = builder
    mmcv_utils = importlib.import_module("mmcv.utils")
    mmcv_utils._BatchNorm = nn.modules.batchnorm._BatchNorm
    module = importlib.import_module("pyskl.models.gcns.msg3d")
    return module.MSG3D(graph_cfg, num_person=num_person)


class SkateFormer(nn.Module):
    """SkateFormer with its authors' settings for NTU RGB+D."""

    def __init__(self, graph_cfg: dict, num_person: int = 2) -> None:
        super().__init__()
        _require_ntu(graph_cfg)
        _package("skateformer", FOLDER / "SkateFormer" / "model")
        build = importlib.import_module("skateformer.SkateFormer").SkateFormer_
        windows = {f"type_{n}_size": (8, 8 if n % 2 else 12) for n in range(1, 5)}
        settings = {"attn_drop": 0.5, "drop_path": 0.2, "index_t": True, **windows}
        self.model = build(num_people=num_person, num_points=24, **settings)

    def forward(self, clips: Tensor) -> Tensor:  # [N, M, T, V, C]
        sampled = torch.linspace(0, clips.shape[2] - 1, 64).long()
        clips = clips[:, :, sampled, :24].permute(0, 4, 2, 3, 1)
        times = torch.linspace(-1, 1, 64, device=clips.device)
        return self.model(clips, times.expand(len(clips), -1))


def _package(name: str, folder: Path) -> None:
    """Register a package for a folder, without running its `__init__`."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: clone the repository, see {__file__}")
    package = sys.modules.setdefault(name, ModuleType(name))
    package.__path__ = [str(folder)]


def _require_ntu(graph_cfg: dict) -> None:
    if graph_cfg["layout"] != "nturgb+d":
        raise ValueError(f"layout {graph_cfg['layout']!r}: only nturgb+d is supported")
