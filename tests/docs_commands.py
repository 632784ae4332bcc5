"""Code blocks of the pages, and parsers for the commands in them."""

import argparse
import importlib.util
import os
import re
import runpy
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import setuptools  # noqa: F401  Before mim's pip, which imports distutils.
from mmengine.config import Config

from conftest import REPOSITORY

# With an empty PATH, the shell calls this function for each command. It records the
# arguments, and implements `cat`.
RECORDER = r"""
command_not_found_handle() {
    if [ "$1" != cat ]; then printf '%s\0' $# "$@" >>"$RECORD"
    elif [ -r "$2" ]; then printf '%s' "$(<"$2")"; fi
}
"""


class Block(NamedTuple):
    """Fenced block of a page."""

    document: str  # path in the repository
    line: int  # of the opening fence
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


class DocumentError(AssertionError):
    """Invalid command or code block in a page."""


class _Parsed(BaseException):
    """Raised instead of running a program after its arguments were parsed."""


def documents() -> list[str]:
    """Return the paths of all Markdown files for users."""
    files = [
        REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")
    ]
    files += sorted((REPOSITORY / "docs").glob("*.md"))
    files += sorted((REPOSITORY / "configs").rglob("*.md"))
    return [file.relative_to(REPOSITORY).as_posix() for file in files]


def blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    fences = re.finditer(r"^```(\S*)\n(.*?)^```$", text, re.M | re.S)
    return [
        Block(document, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2])
        for fence in fences
    ]


def shell_commands(
    block: Block, folder: Path, variables: dict[str, str]
) -> list[list[str]]:
    """Return the arguments of each program that a shell in `folder` would start."""
    record = folder / "record"
    record.write_bytes(b"")
    done = subprocess.run(
        ["/bin/bash", "-u", "-c", RECORDER + block.text],
        cwd=folder,
        env=dict(variables, PATH="/nowhere", RECORD=str(record)),
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
    )
    if done.returncode or done.stderr:
        raise DocumentError(f"{block.place}: {done.stderr}")
    words, commands = record.read_bytes().decode().split("\0")[:-1], []
    record.unlink()
    while words:
        count = int(words[0])
        commands.append(words[1 : 1 + count])
        words = words[1 + count :]
    return commands


def parse(words: list[str]) -> argparse.Namespace | None:
    """Parse a command with the program's own parser, without running it.

    Raises:
        DocumentError: the program does not exist, or an argument is invalid.
    """
    program, *arguments = words
    if program not in PROGRAMS:
        raise DocumentError(f"{program}: no parser for this program")
    try:
        _check_paths(arguments)
        return PROGRAMS[program](arguments)
    except SystemExit as error:
        if error.code or "--help" not in words:
            raise DocumentError(f"{' '.join(words)}: {error!r}") from error
        return None
    except (OSError, ImportError) as error:
        raise DocumentError(f"{' '.join(words)}: {error!r}") from error


def run(words: list[str]) -> None:
    """Run `msg3d ...`, `python TOOL ...`, or `python -m MODULE ...` in this process."""
    if words[0] == "msg3d":
        words = ["python", "-m", *words]
    with _called(words[1:]) as start:
        try:
            start()
        except SystemExit as error:
            if error.code not in (None, 0):
                raise DocumentError(f"{' '.join(words)}: {error.code}") from error


@contextmanager
def _called(arguments: list[str]):
    """Yield a function that runs a script or module with these arguments."""
    argv, path = sys.argv, sys.path[:]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        start, name = runpy.run_module, arguments[1]
    else:
        name = REPOSITORY / arguments[0]
        if not name.is_file():
            raise FileNotFoundError(name)
        sys.argv, start = list(map(str, arguments)), runpy.run_path
        sys.path.insert(0, str(name.parent))
    try:
        yield lambda: start(str(name), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = argv, path


def _python(arguments: list[str]) -> argparse.Namespace | None:
    if arguments[0] == "-c":
        compile(arguments[1], "python -c", "exec")
        return None
    names = ("parse_args", "parse_intermixed_args")
    methods = {name: getattr(argparse.ArgumentParser, name) for name in names}

    def stop_after(name):
        def parse_and_stop(*args, **kwargs):
            raise _Parsed(methods[name](*args, **kwargs))

        return parse_and_stop

    try:
        for name in names:
            setattr(argparse.ArgumentParser, name, stop_after(name))
        with _called(arguments) as start:
            start()
    except _Parsed as parsed:
        return parsed.args[0]
    finally:
        for name in names:
            setattr(argparse.ArgumentParser, name, methods[name])
    raise DocumentError(f"{' '.join(arguments)}: the program has no parser")


def _msg3d(arguments: list[str]) -> argparse.Namespace | None:
    return _python(["-m", "msg3d", *arguments])


def _mim(arguments: list[str]) -> argparse.Namespace | None:
    from click import ClickException

    name, *rest = arguments
    command = importlib.import_module(f"mim.commands.{name}").cli
    try:
        params = command.make_context(name, rest).params
    except ClickException as error:
        raise DocumentError(f"mim {name}: {error.format_message()}") from error
    if name == "search":
        return None
    package, rest = params["package"], list(params["other_args"])
    if name == "test" and params["checkpoint"]:
        rest.insert(0, params["checkpoint"])
    script = params.get("command", name)
    if name != "run":
        rest.insert(0, params["config"])
    tools = Path(importlib.util.find_spec(package).origin).parent / ".mim" / "tools"
    scripts = list(tools.rglob(f"{script}.py"))
    if len(scripts) != 1:
        raise DocumentError(f"mim {name} {package}: {len(scripts)} tools {script}.py")
    args = _python([str(scripts[0]), *rest])
    config = REPOSITORY / str(params.get("config"))
    if config.is_file():
        _check_keys(Config.fromfile(config), args.cfg_options or {})
    return args


def _check_keys(config: Config, options: dict) -> None:
    """Raise an error for misspelled keys, which MMEngine accepts silently."""
    for key in options:
        # MMEngine's Runner accepts these without an entry in the config.
        if not key.startswith("randomness.") and config.get(key, ...) is ...:
            value = config
            for part in key.split("."):
                value = value[int(part)] if part.isdecimal() else value.get(part, ...)
                if value is ...:
                    raise DocumentError(f"{key}: the config has no {part!r}")


def _make(arguments: list[str]) -> None:
    make = ["make", "--dry-run", "--directory", str(REPOSITORY), *arguments]
    done = subprocess.run(make, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise DocumentError(f"make {' '.join(arguments)}: {done.stderr}")


def _pip(arguments: list[str]) -> None:
    from pip._internal.commands import create_command

    _, names = create_command(arguments[0]).parse_args(arguments[1:])
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"\.\[(.*)\]", " ".join(names)):
        if f"\n{extra} = [" not in project:
            raise DocumentError(f"pip: pyproject.toml has no extra {extra!r}")


def _torchrun(arguments: list[str]) -> argparse.Namespace:
    from torch.distributed.run import get_args_parser

    args = get_args_parser().parse_args(arguments)
    mmaction = Path(importlib.util.find_spec("mmaction").origin).parent
    script = f"{mmaction}/{args.training_script.lstrip('/')}"
    return _python([script, *args.training_script_args])


def _check_paths(arguments: list[str]) -> None:
    for path in arguments:
        ours = re.match(r"(configs|tools|docs|projects)/", path)
        if ours and "..." not in path and not (REPOSITORY / path).exists():
            raise DocumentError(f"{path}: no such file")


PROGRAMS = {
    "python": _python,
    "msg3d": _msg3d,
    "mim": _mim,
    "make": _make,
    "pip": _pip,
    "torchrun": _torchrun,
}
