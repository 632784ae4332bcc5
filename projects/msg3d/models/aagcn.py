"""MMAction2's AAGCN with all layouts of `msg3d.skeletons`."""

from typing import Any

# Registers 'ConvBranch', which AAGCN.init_weights uses but does not import.
import mmaction.engine.model  # noqa: F401
from mmaction.models import AAGCN
from mmaction.registry import MODELS
from torch import Tensor

from ..skeletons import graph_layout
from .keypoint_shape import check_keypoints


@MODELS.register_module()
class LayoutAAGCN(AAGCN):
    """MMAction2's AAGCN with any skeleton layout.

    The parameters and their names are those of MMAction2. By default, with attention,
    this is the network of Shi et al., "Skeleton-Based Action Recognition With
    Multi-Stream Adaptive Graph Convolutional Networks",
    https://arxiv.org/abs/1912.06971. With `gcn_attention=False`, it is the network that
    MMAction2's configs call 2s-AGCN; `AGCN` is the original 2s-AGCN.

    Args:
        graph_cfg: `dict(layout=..., mode=...)`. The layout is a name from
            `msg3d.skeletons` or a dictionary. The mode is one of MMAction2's `Graph`.
            The authors use 'spatial'.
        data_bn_type: 'MVC' (one BatchNorm per person), 'VC' (shared by all persons), or
            None.
        num_person: number of persons, M, used only by 'MVC'.
        **kwargs: other arguments of AAGCN.

    Example:
        >>> model = LayoutAAGCN(dict(layout='kinect20', mode='spatial'))
        >>> model(torch.rand(8, 2, 100, 20, 3)).shape
        torch.Size([8, 2, 256, 25, 20])
    """

    def __init__(
        self,
        graph_cfg: dict,
        data_bn_type: str | None = "MVC",
        num_person: int = 2,
        **kwargs: Any,
    ) -> None:
        layout = graph_cfg.get("layout", "coco")
        super().__init__(
            dict(graph_cfg, layout=graph_layout(layout)),
            data_bn_type=data_bn_type,
            num_person=num_person,
            **kwargs,
        )
        self.graph.layout = layout  # as configured, for messages

    def forward(self, x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, M, 4 * base_channels, T', V].

        T' is ceil(T / 4).

        Raises:
            DataError: the numbers of persons, joints, or channels differ from the
                model's (kind `shape`).
        """
        persons = self.num_person if self.data_bn_type == "MVC" else None
        check_keypoints(self, x, persons)
        return super().forward(x)
