"""Find config files by name, and copy them with the files that they inherit."""

import ast
import difflib
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from ..io.atomic import whole_file

CONFIGS = (Path(__file__).parents[1] / "configs").resolve()
SUFFIXES = (".py", ".json", ".yaml", ".yml")


def shipped_configs() -> dict[str, Path]:
    """Return a dictionary from the names of shipped configs to their paths."""
    return {
        path.stem: path
        for path in sorted(CONFIGS.rglob("*.py"))
        if "_base_" not in path.parts
    }


def find_config(config: str) -> Path:
    """Return the path of a config.

    Args:
        config: path, or name of a config of this package or MMAction2, with or without
            its suffix. An existing path takes precedence.

    Raises:
        ConfigError: the file or name does not exist (`not-found`), or the file is not a
            config (`wrong-file-type`).
    """
    path = Path(config)
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ConfigError(
                "is not a config file, expected .py, .json, or .yaml",
                kind="wrong-file-type",
                file=str(config),
            )
        return path
    shipped, name = shipped_configs(), path.name.removesuffix(".py")
    if name in shipped:
        return shipped[name]
    upstream = _mmaction_config(f"{name}.py")
    if upstream:
        return upstream
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise ConfigError(
        f"no such file or shipped config. {hint}`msg3d configs` lists all names.",
        kind="not-found",
        file=str(config),
    )


def _mmaction_config(name: str) -> Path | None:
    package = find_spec("mmaction")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.joinpath(".mim").rglob(name), None)


def named_bases(config: Path) -> list[str]:
    """Return the files that a config inherits from directly, relative to its folder."""
    for node in ast.parse(config.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_base_":
            bases = ast.literal_eval(node.value)
            bases = [bases] if isinstance(bases, str) else bases
            return [base for base in bases if "::" not in base]
    return []


def copy_config(name: str, folder: str, overwrite: bool = False) -> list[str]:
    """Copy a shipped config and all files that it inherits from.

    Args:
        name: name of the config.
        folder: output folder of `NETWORK/NAME.py` and `_base_/`.
        overwrite: whether to replace existing files.

    Returns:
        Paths of the copies, the config first.

    Raises:
        ConfigError: the config does not exist (`not-found`), or a file exists already
            (`exists`).
    """
    source = find_config(name).resolve()
    if not source.is_relative_to(CONFIGS):
        raise ConfigError(
            "is not a config of msg3d. `msg3d configs` lists all names.",
            kind="not-found",
            file=name,
        )
    files = _with_bases(source)
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


def _with_bases(config: Path) -> list[Path]:
    files = [config]
    for base in named_bases(config):
        files += _with_bases((config.parent / base).resolve())
    return list(dict.fromkeys(files))
