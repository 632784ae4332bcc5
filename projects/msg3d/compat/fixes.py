"""Fixes that say which versions they are for, and wait for the modules they change."""

import contextlib
import functools
from collections.abc import Callable
from typing import NamedTuple

from .on_import import when_imported

__all__ = ["FIXES", "fix", "installed", "is_installed"]

# Packages that are distributed under several names, the maintained forks among them.
NAMES = {
    "mmcv": ("mmcv", "mmcv-lite", "onedl-mmcv"),
    "mmengine": ("mmengine", "mmengine-lite", "onedl-mmengine"),
}


class Fix(NamedTuple):
    """A fix, for tests and docs."""

    name: str
    versions: str
    apply: Callable[[], None]


FIXES: list[Fix] = []


def fix(
    *modules: str, versions: str, before: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Decorate a function that fixes something once `modules` are imported.

    The function itself checks whether the thing is broken.

    Args:
        modules: see `when_imported`, as is `before`.
        versions: of the package that is broken, or that breaks it, such as
            "mmaction2==1.2.0". With other versions the fix is left out.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(function)
        def apply() -> None:
            if is_installed(versions):
                function()

        FIXES.append(Fix(function.__name__, versions, apply))
        when_imported(*modules, before=before)(apply)
        return function

    return decorate


def installed(package: str) -> dict[str, str]:
    """Return the version of each installed distribution of a package, by its name."""
    from importlib import metadata

    versions = {}
    for name in NAMES.get(package, (package,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def is_installed(versions: str) -> bool:
    """Return whether a version that `versions` describes is installed."""
    from packaging.requirements import Requirement

    wanted = Requirement(versions)
    # Packages that run from their sources may have no metadata: the fix decides.
    present = installed(wanted.name).values() or [None]
    return any(
        version is None or wanted.specifier.contains(version, prereleases=True)
        for version in present
    )
