"""Heat maps of the learned graphs, per scale.

MS-G3D's graph convolution multiplies by A + PA: the fixed graph of each scale, and the
residual that training adds (the paper's "A^res", section 3.2). 2s-AGCN also adds one,
ST-GCN multiplies the edges by their importance, and AAGCN trains A itself.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mmaction.models.utils import unit_gcn
from torch import Tensor, nn

from ..errors import DataError

# Names of more nodes could not be read.
MOST_NAMED = 33
MOST_COLUMNS = 7


class LearnedGraph(NamedTuple):
    """One layer's graphs, float [K, V, V], indexed (scale or subset, source, target).

    Attributes:
        used: the graph that the layer multiplies by.
        learned: the residual, or the difference to the fixed graph; None if the fixed
            graph is not kept.
    """

    used: np.ndarray
    learned: np.ndarray | None


def learned_graphs(model: nn.Module) -> dict[str, LearnedGraph]:
    """The graphs of all layers that have any, by name of the layer.

    Layers over windows of w frames have [K, wV, wV], nodes ordered (frame, joint). Graphs
    that depend on the sample (2s-AGCN's C) are not included.
    """
    found = {}
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
        found[name] = LearnedGraph(
            _array(used), None if learned is None else _array(learned)
        )
    return found


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()


def graph_figure(
    graph: LearnedGraph, joints: tuple[str, ...] = (), title: str = ""
) -> Figure:
    """One map per scale: the used graph above, the learned part below.

    Red is positive, blue negative, with one color scale for each part. A column is the
    joint that aggregates, a row the joint that it aggregates from.

    Args:
        graph: of a layer.
        joints: names, shown beside the first map if their number is that of the nodes.
        title: of the figure.

    Raises:
        PictureError: a graph that is not finite.
    """
    kinds = {"graph": graph.used}
    if graph.learned is not None:
        kinds["learned"] = graph.learned
    if not all(np.isfinite(values).all() for values in kinds.values()):
        raise DataError(
            f"the graph of {title} is NaN or infinite: training diverged",
            kind="not-finite",
        )
    scales, nodes = graph.used.shape[:2]
    names = joints if len(joints) == nodes <= MOST_NAMED else ()
    columns = min(scales, MOST_COLUMNS)
    lines = -(-scales // columns)
    width, margin = 2.2 if nodes <= MOST_NAMED else 3.2, 1.6 if names else 0.4
    figure = Figure(
        figsize=(
            width * columns + margin + 0.8,
            (width + 0.35) * lines * len(kinds) + 0.5,
        ),
        layout="constrained",
    )
    axes = figure.subplots(lines * len(kinds), columns, squeeze=False)
    for kind, (what, values) in enumerate(kinds.items()):
        maps = axes[kind * lines : (kind + 1) * lines]
        most = max(float(np.abs(values).max()), 1e-12)
        for scale, ax in enumerate(maps.flat):
            if scale >= scales:
                ax.set_axis_off()
                continue
            shown = ax.imshow(values[scale], cmap="RdBu_r", vmin=-most, vmax=most)
            ax.set_title(f"{what} {scale}", fontsize=8)
            ax.set_xticks([])
            ax.set_yticks([])
        for ax in maps[:, 0] if names else ():
            ax.set_yticks(range(nodes), names, fontsize=5)
        figure.colorbar(shown, ax=maps.ravel().tolist(), fraction=0.02, pad=0.01)
    figure.suptitle(title)
    return figure
