"""Functions that run when modules have been imported, in any order.

`import msg3d` imports neither torch nor MMEngine. Changes to them are deferred until a
program imports them, or are made immediately if they have been imported already.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["start", "when_imported"]


class _Action(NamedTuple):
    """Function to run when modules have been imported."""

    function: Callable[[], None]
    modules: tuple[str, ...]
    before: bool

    def is_due(self) -> bool:
        loaded = [name in sys.modules and name not in _running for name in self.modules]
        return any(loaded) if self.before else all(loaded)


_actions: list[_Action] = []  # pending actions
_running: set[str] = set()  # modules being executed


def when_imported(
    *modules: str, before: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Decorate a function to be called once when modules have been imported.

    Args:
        modules: full names. The function runs when all of them have been executed,
            before the import of the last one returns.
        before: run the function before the first module is executed instead. If the
            function raises an error, the import raises it, and so does the next import.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], None]:
        _actions.append(_Action(function, modules, before))
        return function

    return decorate


def start() -> None:
    """Start watching imports, and run the actions that are already due."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    # Check versions before changing anything.
    for action in sorted(_actions, key=lambda action: not action.before):
        if action.is_due():
            _run(action)


def _run(action: _Action) -> None:
    if action not in _actions:
        return  # an earlier action has imported the module and run this one
    _actions.remove(action)
    try:
        action.function()
    except BaseException:
        _actions.append(action)
        raise


class _Finder:
    """First finder of `sys.meta_path`, which patches the loaders of other finders."""

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
    """Let a loader run the actions when it executes a module."""
    execute = getattr(loader, "exec_module", None)
    if execute is None:  # a namespace package has no code
        return

    def exec_module(module: Any) -> None:
        # Some loaders are shared by several modules.
        loader.__dict__.pop("exec_module", None)
        name = module.__spec__.name
        for action in list(_actions):
            if action.before and name in action.modules:
                _run(action)
        _running.add(name)
        try:
            execute(module)
        finally:
            _running.discard(name)
        for action in list(_actions):
            if name in action.modules and action.is_due():
                _run(action)

    loader.exec_module = exec_module
