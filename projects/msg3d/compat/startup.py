"""Deferred work of MMEngine and MMAction2, for a faster start of each run.

Behavior is unchanged. Times are those of one EPYC core.
"""

import functools
import sys
import threading
import types
from collections.abc import Callable
from importlib import import_module
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

    def load(name: str) -> Any:
        """Replace the placeholder if the import of MMAction2 failed."""
        if name.startswith("__"):
            raise AttributeError(name)
        end_deferral()
        return getattr(import_module(STATS), name)

    placeholder = types.ModuleType(STATS)
    vars(placeholder).update(mode=mode, __getattr__=load)
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

    if not hasattr(Visualizer, "fig_save"):
        replace(Visualizer, "__init__", _without_figure)
        for name in FIGURE:
            setattr(Visualizer, name, _FigurePart(name))


def _without_figure(original: Callable) -> Callable:
    from mmengine.visualization.visualizer import Visualizer

    def __init__(
        self: Any, name: str = "visualizer", *args: Any, **kwargs: Any
    ) -> None:
        draws = bool(args) or kwargs.get("image") is not None
        if draws or type(self)._initialize_fig is not Visualizer._initialize_fig:
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


class _FigurePart:
    """Attribute of a visualizer that creates the figure at the first access."""

    _lock = threading.RLock()

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, visualizer: Any, owner: type) -> Any:
        if visualizer is None:
            return self
        values = vars(visualizer)
        with self._lock:
            if self.name not in values:
                canvas, figure, axes = visualizer._initialize_fig(
                    visualizer.fig_save_cfg
                )
                parts = (canvas, figure, axes, figure.get_dpi())
                for name, value in zip(FIGURE, parts, strict=True):
                    values.setdefault(name, value)
        return values[self.name]
