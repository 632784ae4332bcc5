"""Entry point of the command `msg3d`, which runs a subcommand and prints its errors."""

import argparse
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

from .. import __version__
from ..errors import MSG3DError
from ..io.progress import set_progress
from .options import add_common

# Command -> summary. The module of a command has its name, with underscores.
COMMANDS = {
    "predict": "recognize actions in keypoints or videos",
    "enroll": "add a class that is recognized from a few examples",
    "train": "train a network",
    "test": "test a trained network",
    "prepare": "convert raw recordings or a published data set to an annotation file",
    "convert": "convert a labeled data set to the format of another code base",
    "check": "report every problem in an annotation file",
    "pack": "pack an annotation file into a store that is read sample by sample",
    "chunks": "cut long sequences into chunks",
    "configs": "list or copy the shipped configs",
    "new-config": "write a config for an annotation file",
    "report": "report accuracy, its uncertainty, and calibration; compare two networks",
    "calibrate": "fit the temperature of class probabilities, and store it in a checkpoint",
    "fuse": "fuse the scores of several streams",
    "export": "export a trained network to one file",
    "convert-checkpoint": "convert published weights, or a checkpoint to safetensors",
    "visualize": "play sequences; plot scores, curves, graphs, and saliency",
    "draw": "draw skeleton layouts",
    "score-traits": "score predicted personality traits",
    "info": "print versions, devices, and active compatibility fixes",
    "completion": "print a script for shell completion",
}

# Warnings of dependencies that users cannot fix, as regular expressions.
NOISE = (
    "pkg_resources is deprecated",
    "Fail to import ``MultiScaleDeformableAttention``",
    "`torch.jit",
    ".*invalid escape sequence",  # in MMAction2, without its bytecode
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Args:
        argv: arguments after the program name; None for the arguments of this process.

    Returns:
        0 on success, 1 if the command fails or a check reports errors, 2 without
        arguments, and 130 after Ctrl-C.

    Raises:
        SystemExit: invalid arguments (status 2), or help is printed (status 0).
    """
    # Terminals and pipes may have an encoding without some characters of the output.
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(argv)
    except KeyboardInterrupt:  # while a command is imported
        print("msg3d: interrupted", file=sys.stderr)
        return 130


def _run(argv: Sequence[str] | None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser(_command(argv))
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    if not argv:
        parser.print_help()
        return 2
    args = parser.parse_args(_renamed(argv))
    set_progress("none" if args.quiet else "lines")
    if not args.debug:
        for message in NOISE:
            warnings.filterwarnings("ignore", message)
    program = f"msg3d {args.command}"
    try:
        status: int = args.module.run(args) or 0
        sys.stdout.flush()
        return status
    except argparse.ArgumentError as error:  # conflicting options
        innermost: Parser = args.parser
        innermost.error(str(error))
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `msg3d configs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (MSG3DError, ImportError, OSError, UnpicklingError) as error:
        if args.debug:
            raise
        print(f"{program}: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class Parser(argparse.ArgumentParser):
    """Argument parser that reports errors with the usage of the subcommand.

    It sets `parser` in the namespace to the parser of the innermost subcommand.
    """

    def parse_known_args(  # without the overloads of argparse
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        if not hasattr(namespace, "parser"):
            namespace.parser = self
        return namespace, unknown


def make_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser for all commands, with the arguments of a single command.

    Args:
        command: name of the command whose module is imported and whose arguments are
            added; None for no command.
    """
    parser = Parser(
        prog="msg3d",
        description="Skeleton-based action recognition with MS-G3D on MMAction2.",
        epilog="`msg3d COMMAND --help` explains a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"msg3d {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == command:
            module = _module(name)
            sub.description = module.__doc__
            module.add_arguments(sub)
            add_common(sub)
            sub.set_defaults(module=module)
    return parser


def _module(command: str) -> ModuleType:
    return import_module(f".{command.replace('-', '_')}", __package__)


def _command(words: Sequence[str]) -> str | None:
    return next((word for word in words if word in COMMANDS), None)


def _renamed(argv: list[str]) -> list[str]:
    """Return the arguments with deprecated options replaced, and print warnings."""
    command = _command(argv)
    renamed = getattr(_module(command), "RENAMED", {}) if command else {}
    words = []
    for word in argv:
        option, equals, value = word.partition("=")
        if option not in renamed:
            words.append(word)
            continue
        new = renamed[option]
        print(
            f"msg3d {command}: {option} is deprecated and will be removed in the next "
            f"release. Use {new} instead.",
            file=sys.stderr,
        )
        # "--unit normalized" replaces a flag.
        words += new.split(" ") if not equals else [f"{new}={value}"]
    return words


def _complete() -> None:
    """Print completions of the command line that the shell is completing."""
    import argcomplete

    words = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])].split()
    argcomplete.autocomplete(make_parser(_command(words[1:])))
