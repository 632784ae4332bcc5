"""Heat maps of learned graphs, one per scale.

The graph convolution of MS-G3D multiplies by A + PA, the fixed graph A of each scale plus
a learned residual PA ("A^res" in section 3.2 of the paper). 2s-AGCN also adds a residual,
ST-GCN multiplies the edges by learned weights, and AAGCN learns A itself.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mmaction.models.utils import unit_gcn
from torch import Tensor, nn

from ..errors import DataError

# With more nodes, their names would be illegible.
MAX_NAMED = 33
MAX_COLUMNS = 7


class LearnedGraph(NamedTuple):
    """Graphs of a layer, float [K, V, V], indexed by (scale or subset, source, target).

    Attributes:
        used: graph that the layer multiplies by.
        learned: learned residual, or difference from the fixed graph. None if the layer
            does not store the fixed graph.
    """

    used: np.ndarray
    learned: np.ndarray | None


def learned_graphs(model: nn.Module) -> dict[str, LearnedGraph]:
    """Return the graphs of all layers that have one, keyed by layer name.

    Graphs of layers over windows of w frames have shape [K, wV, wV], with nodes ordered
    (frame, joint). Graphs that depend on the sample (C in 2s-AGCN) are not included.
    """
    graphs = {}
    for name, module in model.named_modules():
        fixed = getattr(module, "A", None)
        if fixed is None or fixed.dim() != 3:
            continue
        if not hasattr(module, "PA"):
            trained = isinstance(fixed, nn.Parameter)
            used, learned = fixed, None if trained else fixed * 0
        elif isinstance(module, unit_gcn) and module.adaptive == "importance":
            used = fixed * module.PA
            learned = used - fixed
        else:
            used, learned = fixed + module.PA, module.PA
        graphs[name] = LearnedGraph(
            _to_array(used), None if learned is None else _to_array(learned)
        )
    return graphs


def _to_array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()


def graph_figure(
    graph: LearnedGraph, joints: tuple[str, ...] = (), title: str = ""
) -> Figure:
    """Plot the graph and its learned part as heat maps, one column per scale.

    Red is positive and blue negative. The graph and the learned part have separate color
    scales. In each map, column j shows the joints that joint j aggregates from.

    Args:
        graph: graph of a layer.
        joints: joint names, shown if their number equals the number of nodes.
        title: title of the figure.

    Raises:
        DataError: the graph contains NaN or infinity (kind `not-finite`).
    """
    kinds = {"graph": graph.used}
    if graph.learned is not None:
        kinds["learned part"] = graph.learned
    if not all(np.isfinite(values).all() for values in kinds.values()):
        raise DataError(
            f"the graph of {title} contains NaN or infinity, expected finite numbers. The "
            "training diverged.",
            kind="not-finite",
        )
    scales, nodes = graph.used.shape[:2]
    names = joints if len(joints) == nodes <= MAX_NAMED else ()
    columns = min(scales, MAX_COLUMNS)
    rows = -(-scales // columns)
    width, margin = 2.2 if nodes <= MAX_NAMED else 3.2, 1.6 if names else 0.4
    figure = Figure(
        figsize=(
            width * columns + margin + 0.8,
            (width + 0.35) * rows * len(kinds) + 0.5,
        ),
        layout="constrained",
    )
    axes = figure.subplots(rows * len(kinds), columns, squeeze=False)
    for kind, (what, values) in enumerate(kinds.items()):
        maps = axes[kind * rows : (kind + 1) * rows]
        limit = max(float(np.abs(values).max()), 1e-12)
        for scale, ax in enumerate(maps.flat):
            if scale >= scales:
                ax.set_axis_off()
                continue
            image = ax.imshow(values[scale], cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set_title(f"{what}, scale {scale}", fontsize=8)
            ax.set_xticks([])
            ax.set_yticks([])
        for ax in maps[:, 0] if names else ():
            ax.set_yticks(range(nodes), names, fontsize=5)
        figure.colorbar(image, ax=maps.ravel().tolist(), fraction=0.02, pad=0.01)
    figure.suptitle(title)
    return figure
