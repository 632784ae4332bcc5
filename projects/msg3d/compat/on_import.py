"""Run a function once modules have been imported, in whatever order that happens.

`import msg3d` imports neither torch nor MMEngine. What it has to do to them waits here
until a program imports them. If they are already there, it is done at once.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["start", "when_imported"]


class _Action(NamedTuple):
    """A function that waits for modules."""

    function: Callable[[], None]
    modules: tuple[str, ...]
    before: bool

    def is_due(self) -> bool:
        there = [name in sys.modules and name not in _running for name in self.modules]
        return any(there) if self.before else all(there)


_actions: list[_Action] = []  # that have not run
_running: set[str] = set()  # modules that are being executed


def when_imported(
    *modules: str, before: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Decorate a function without arguments that is to be called once.

    Args:
        modules: full names. The function runs as soon as all of them have been
            executed, before the import of the last one returns.
        before: run it before the first of them is executed instead. An error that it
            raises is raised by the import, and by the next attempt as well.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], None]:
        _actions.append(_Action(function, modules, before))
        return function

    return decorate


def start() -> None:
    """Begin to watch imports, and do what is due already; errors are raised here."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    # Versions are checked before anything is changed.
    for action in sorted(_actions, key=lambda action: not action.before):
        if action.is_due():
            _run(action)


def _run(action: _Action) -> None:
    if action not in _actions:
        return  # an action before this one imported its module
    _actions.remove(action)
    try:
        action.function()
    except BaseException:
        _actions.append(action)
        raise


class _Finder:
    """The first finder of `sys.meta_path`: it prepares what the others find."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not any(name in action.modules for action in _actions):
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    _prepare(spec.loader)
                    return spec
        return None


def _prepare(loader: Any) -> None:
    """Let a loader run the actions; it stays what it is otherwise."""
    execute = getattr(loader, "exec_module", None)
    if execute is None:  # a namespace package: there is nothing to execute
        return

    def exec_module(module: Any) -> None:
        # Some loaders serve several modules.
        loader.__dict__.pop("exec_module", None)
        name = module.__spec__.name
        for action in [each for each in _actions if each.before]:
            if name in action.modules:
                _run(action)
        _running.add(name)
        try:
            execute(module)
        finally:
            _running.discard(name)
        for action in [each for each in _actions if name in each.modules]:
            if action.is_due():
                _run(action)

    loader.exec_module = exec_module
