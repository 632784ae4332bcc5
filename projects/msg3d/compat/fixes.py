"""Registration of fixes for specific package versions."""

import contextlib
import functools
from collections.abc import Callable
from typing import NamedTuple

from .on_import import when_imported

__all__ = ["FIXES", "fix", "installed", "is_installed"]

# Packages that are distributed under several names, including maintained forks.
NAMES = {
    "mmcv": ("mmcv", "mmcv-lite", "onedl-mmcv"),
    "mmengine": ("mmengine", "mmengine-lite", "onedl-mmengine"),
}


class Fix(NamedTuple):
    """Description of a fix, for tests and docs."""

    name: str
    versions: str
    apply: Callable[[], None]


FIXES: list[Fix] = []


def fix(
    *modules: str, versions: str, before: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the decorated function as a fix that runs once `modules` are imported.

    The function itself must check whether the problem exists.

    Args:
        modules, before: see `when_imported`.
        versions: version requirement on the package that has or causes the problem, such as
            "mmaction2==1.2.0". With other versions, the fix is skipped.
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
    """Return the versions of the installed distributions of a package by name."""
    from importlib import metadata

    versions = {}
    for name in NAMES.get(package, (package,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def is_installed(versions: str) -> bool:
    """Return whether an installed version satisfies `versions`."""
    from packaging.requirements import Requirement

    requirement = Requirement(versions)
    # Packages on PYTHONPATH may have no metadata. The fix itself checks them.
    candidates = installed(requirement.name).values() or [None]
    return any(
        version is None or requirement.specifier.contains(version, prereleases=True)
        for version in candidates
    )
