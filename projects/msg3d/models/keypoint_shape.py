"""Check that keypoints fit the backbone that they are given to."""

from mmengine.model import BaseModule
from torch import Tensor

from ..errors import DataError


def check_keypoints(backbone: BaseModule, x: Tensor, persons: int | None) -> None:
    """Compares x with `backbone.graph.num_node` and `backbone.in_channels`.

    Args:
        backbone: with a `graph` and `in_channels`.
        x: to be [N, M, T, V, C].
        persons: M; None for a network that takes any number of them.

    Raises:
        DataError: persons, joints or channels are not those of the model (kind
            "shape").
    """
    joints, channels = backbone.graph.num_node, backbone.in_channels
    fits = x.dim() == 5 and (x.shape[3], x.shape[4]) == (joints, channels)
    if not fits or persons not in (None, x.shape[1]):
        expected = "M" if persons is None else f"M={persons}"
        raise DataError(
            f"{type(backbone).__name__} got keypoints of shape {tuple(x.shape)}, "
            f"expected [N, {expected}, T, V={joints}, C={channels}]: set num_person, "
            "graph_cfg.layout or in_channels to those of the data",
            kind="shape",
            field="keypoint",
        )
