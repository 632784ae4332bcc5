"""Lookup of config files by name, and copies with all inherited files."""

import ast
import difflib
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from ..io.atomic import whole_file

CONFIGS = (Path(__file__).parents[1] / "configs").resolve()
SUFFIXES = (".py", ".json", ".yaml", ".yml")


def shipped_configs() -> dict[str, Path]:
    """Return a dictionary that maps the names of shipped configs to their paths."""
    return {
        path.stem: path
        for path in sorted(CONFIGS.rglob("*.py"))
        if "_base_" not in path.parts
    }


def find_config(config: str) -> Path:
    """Return the path of a config file.

    Args:
        config: path, or name of a config in this package or MMAction2, with or without
            `.py`. An existing path takes precedence.

    Raises:
        ConfigError: the file or name does not exist (kind `not-found`), or the file is
            not a config (kind `wrong-file-type`).
    """
    path = Path(config)
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ConfigError(
                f"the file ends in {path.suffix!r}, expected a config (.py, .json, or "
                ".yaml)",
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
        f"the config does not exist, neither as a file nor as a shipped config. {hint}"
        "Run `msg3d configs` to list all names.",
        kind="not-found",
        file=str(config),
    )


def _mmaction_config(name: str) -> Path | None:
    package = find_spec("mmaction")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.joinpath(".mim").rglob(name), None)


def named_bases(config: Path) -> list[str]:
    """Return the paths in `_base_` of a config, relative to its folder."""
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
        folder: folder to write `NETWORK/NAME.py` and `_base_/` to.
        overwrite: whether to replace existing files.

    Returns:
        Paths of the copies, starting with the config.

    Raises:
        ConfigError: the config does not exist (kind `not-found`), or an output file
            already exists (kind `exists`).
    """
    source = find_config(name).resolve()
    if not source.is_relative_to(CONFIGS):
        raise ConfigError(
            "the config is not in msg3d, expected the name of a shipped config. Run "
            "`msg3d configs` to list all names.",
            kind="not-found",
            file=name,
        )
    files = _with_bases(source)
    targets = {file: Path(folder) / file.relative_to(CONFIGS) for file in files}
    for target in targets.values():
        if target.exists() and not overwrite:
            raise ConfigError(
                "the output already exists. Pass --overwrite to replace it, or "
                "choose another folder.",
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
