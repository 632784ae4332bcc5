"""Deferred work of MMEngine and MMAction2, for a faster start of each run.

Behavior is unchanged. Times are those of one EPYC core.
"""

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from .on_import import when_imported
from .replace import replace

POSES = "mmaction.datasets.transforms.pose_transforms"
STATS = "scipy.stats"
# Attributes that `Visualizer.__init__` creates for drawing
FIGURE = ("fig_save_canvas", "fig_save", "ax_save", "dpi")


@when_imported(POSES, before=True)
def defer_statistics() -> None:
    """Import `scipy.stats` when MMAction2 calls its function `mode` (0.9 s).

    Only one branch of one transform of MMAction2 does, but importing its transforms
    imports the function.
    """
    if STATS in sys.modules:
        return

    def mode(*args: Any, **kwargs: Any) -> Any:
        from scipy.stats import mode

        return mode(*args, **kwargs)

    placeholder = types.ModuleType(STATS)
    vars(placeholder).update(mode=mode)
    sys.modules[STATS] = placeholder  # only while MMAction2 imports it


@when_imported(POSES)
def end_deferral() -> None:
    """Remove the placeholder of `defer_statistics`."""
    if getattr(sys.modules.get(STATS), "__spec__", None) is None:
        sys.modules.pop(STATS, None)


@when_imported("mmengine.config.config")
def format_once() -> None:
    """Format each config once per process (0.2 s each time).

    A run formats its config for the log, the work dir, the visualizer, and the message
    hub, and again for each checkpoint.
    """
    from mmengine.config import config

    if hasattr(config, "FormatCode"):
        replace(config, "FormatCode", _remembered)


def _remembered(format_code: Callable) -> Callable:
    @functools.lru_cache(maxsize=4)
    def formatted(text: str, options: tuple) -> Any:
        plain = {k: dict(v) if isinstance(v, tuple) else v for k, v in options}
        return format_code(text, **plain)

    def remembered(text: str, **options: Any) -> Any:
        frozen = {
            name: tuple(value.items()) if isinstance(value, dict) else value
            for name, value in options.items()
        }
        return formatted(text, tuple(frozen.items()))

    return remembered


@when_imported("mmengine.visualization.visualizer")
def draw_when_needed() -> None:
    """Import matplotlib when a visualizer draws, not when it is created (0.8 s).

    Training and testing create a visualizer, but only record numbers.
    """
    from mmengine.visualization.visualizer import Visualizer

    visualizer: Any = Visualizer
    if not hasattr(visualizer, "__getattr__"):
        replace(visualizer, "__init__", _without_figure)
        visualizer.__getattr__ = _figure_part


def _without_figure(original: Callable) -> Callable:
    def __init__(
        self: Any, name: str = "visualizer", *args: Any, **kwargs: Any
    ) -> None:
        if args or kwargs.get("image") is not None:  # to draw on at once
            original(self, name, *args, **kwargs)
            return
        nothing = types.SimpleNamespace(get_dpi=lambda: None)
        self._initialize_fig = lambda options: (None, nothing, None)
        try:
            original(self, name, **kwargs)
        finally:
            del self._initialize_fig
        for part in FIGURE:
            vars(self).pop(part, None)

    return __init__


def _figure_part(self: Any, name: str) -> Any:
    """Create the figure at the first access to one of its parts."""
    if name not in FIGURE or "fig_save_cfg" not in vars(self):
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
    canvas, figure, axes = self._initialize_fig(self.fig_save_cfg)
    values = (canvas, figure, axes, figure.get_dpi())
    vars(self).update(zip(FIGURE, values, strict=True))
    return vars(self)[name]
