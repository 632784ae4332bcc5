"""Configs as files: find one by name, and copy one with what it inherits."""

import ast
import difflib
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from ..io.atomic import whole_file

CONFIGS = (Path(__file__).parents[1] / "configs").resolve()
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
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.joinpath(".mim").rglob(name), None)


def named_bases(config: Path) -> list[str]:
    """Return the files that a config inherits directly, relative to its folder."""
    for node in ast.parse(config.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_base_":
            bases = ast.literal_eval(node.value)
            bases = [bases] if isinstance(bases, str) else bases
            return [base for base in bases if "::" not in base]
    return []


def copy_config(name: str, folder: str, overwrite: bool = False) -> list[str]:
    """Copy a shipped config and every file that it inherits, ready to edit.

    Args:
        name: of the config.
        folder: receives `NETWORK/NAME.py` and `_base_/`.
        overwrite: replace files that exist.

    Returns:
        Paths of the copies, the config first.

    Raises:
        ConfigError: there is no such config (`not-found`), or a file exists (`exists`).
    """
    source = find_config(name).resolve()
    if not source.is_relative_to(CONFIGS):
        raise ConfigError(
            "not a config of msg3d, which `msg3d configs` lists",
            kind="not-found",
            file=name,
        )
    files = _family(source)
    targets = {file: Path(folder) / file.relative_to(CONFIGS) for file in files}
    for target in targets.values():
        if target.exists() and not overwrite:
            raise ConfigError(
                "already exists. Add --overwrite to replace it, or choose another folder",
                kind="exists",
                file=str(target),
            )
    for file, target in targets.items():
        with whole_file(str(target), "x") as copy:
            copy.write(file.read_text(encoding="utf-8"))
    return list(map(str, targets.values()))


def _family(config: Path) -> list[Path]:
    files = [config]
    for base in named_bases(config):
        files += _family((config.parent / base).resolve())
    return list(dict.fromkeys(files))
