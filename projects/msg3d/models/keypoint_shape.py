"""Shape check of keypoints passed to a backbone."""

from mmengine.model import BaseModule
from torch import Tensor

from ..errors import DataError


def check_keypoints(backbone: BaseModule, x: Tensor, persons: int | None) -> None:
    """Check the shape of keypoints against the graph and channels of a backbone.

    Args:
        backbone: a network with the attributes `graph` and `in_channels`.
        x: keypoints, expected to be [N, M, T, V, C].
        persons: M, or None if the network supports any number of persons.

    Raises:
        DataError: the numbers of persons, joints, or channels differ from the model's
            (kind `shape`).
    """
    joints, channels = backbone.graph.num_node, backbone.in_channels
    fits = x.dim() == 5 and (x.shape[3], x.shape[4]) == (joints, channels)
    if not fits or persons not in (None, x.shape[1]):
        expected = "M" if persons is None else f"M={persons}"
        raise DataError(
            f"{type(backbone).__name__} got keypoints of shape {tuple(x.shape)}, "
            f"expected [N, {expected}, T, V={joints}, C={channels}]. Set num_person, "
            "graph_cfg.layout, or in_channels to match the data.",
            kind="shape",
            field="keypoint",
        )
