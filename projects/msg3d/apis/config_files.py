"""Configs as files: those shipped with the package, by name."""

import difflib
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError

CONFIGS = Path(__file__).parents[1] / "configs"
SUFFIXES = (".py", ".json", ".yaml", ".yml")


def shipped_configs() -> dict[str, Path]:
    """Return the path of each shipped config by its name, without `_base_` files."""
    return {
        path.stem: path
        for path in sorted(CONFIGS.rglob("*.py"))
        if "_base_" not in path.parts
    }


def find_config(config: str) -> Path:
    """Return the file of a config.

    Args:
        config: a path, or the name of a config of this package or MMAction2, with or
            without its suffix. A path that exists takes precedence.

    Raises:
        ConfigError: there is no such file or name (`not-found`), or the file is not a
            config (`wrong-file-type`).
    """
    path = Path(config)
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ConfigError(
                "not a config file, expected .py, .json, or .yaml",
                kind="wrong-file-type",
                file=str(config),
            )
        return path
    shipped, name = shipped_configs(), path.name.removesuffix(".py")
    if name in shipped:
        return shipped[name]
    theirs = _mmaction_config(f"{name}.py")
    if theirs:
        return theirs
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise ConfigError(
        f"no such file, and no shipped config of this name. {hint}"
        "`msg3d configs` lists all names.",
        kind="not-found",
        file=str(config),
    )


def _mmaction_config(name: str) -> Path | None:
    package = find_spec("mmaction")
    if package is None:
        return None
    return next(Path(package.origin).parent.joinpath(".mim").rglob(name), None)
