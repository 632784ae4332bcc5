"""Backbones, heads, and recognizers registered in `mmaction.registry.MODELS`."""

from .aagcn import LayoutAAGCN
from .absent_persons import MaskedGCNHead, MaskedRecognizerGCN
from .agcn import AGCN
from .msg3d import MSG3D
from .regression_head import TraitHead
from .res_tcn import ResTCN
from .stgcn import PartitionSTGCN
from .stgcn_two_stream import TwoStreamSTGCN

__all__ = [
    "AGCN",
    "MSG3D",
    "LayoutAAGCN",
    "MaskedGCNHead",
    "MaskedRecognizerGCN",
    "PartitionSTGCN",
    "ResTCN",
    "TraitHead",
    "TwoStreamSTGCN",
]
