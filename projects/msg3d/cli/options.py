"""Options that mean the same in every command that has them."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from ..errors import ConfigError

# Those of `formats.base.all_formats`.
INPUT_FORMATS = (
    *("alphapose", "annotation_file", "coco", "csv", "keypoint_json"),
    *("kinetics_skeleton", "mediapipe", "mmpose", "msr_action3d", "npy"),
    *("ntu_skeleton", "nw_ucla", "openpose", "sbu", "store", "udiva", "video", "yolo"),
)


def positive(text: str) -> int:
    """Parse an integer above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected 1, 2, 3, ...")
    return int(text)


def key_value(text: str) -> str:
    """Check that an entry of a config has a value."""
    key, equals, _ = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    return text


def count(text: str) -> int:
    """Parse an integer of zero or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}, expected 0, 1, 2, ...")
    return int(text)


def fraction(text: str) -> float:
    """Parse a number above 0 and below 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected above 0 and below 1")
    return number


def regex(text: str) -> str:
    """Check a regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a regular expression ({error})"
        ) from None
    return text


def layout(text: str) -> str:
    """Parse a layout: a name, or a .json file that describes one."""
    from ..skeletons import skeleton

    try:
        skeleton(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def unit(text: str) -> str:
    """Parse the name of a unit, or one of its aliases."""
    from ..skeletons.units import unit_name

    try:
        return unit_name(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def config_names(**_: object) -> list[str]:
    """Return the names of the shipped configs, for completion."""
    from ..apis.config_files import shipped_configs

    return list(shipped_configs())


def layout_names(prefix: str = "", **_: object) -> list[str]:
    """Return the names of layouts and the .json files, for completion."""
    from argcomplete.completers import FilesCompleter

    from ..skeletons import SKELETONS

    return [*SKELETONS, *FilesCompleter(["json"])(prefix)]


def unit_names(**_: object) -> list[str]:
    """Return the names of units, for completion."""
    from ..skeletons.units import UNITS

    return list(UNITS)


def device_names(**_: object) -> list[str]:
    """Return common devices, for completion."""
    return ["cpu", "cuda"]


# Option -> completer of its values.
COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "--device": device_names,
    "--layout": layout_names,
    "--unit": unit_names,
}

SHARED: dict[str, dict[str, Any]] = {
    "--output": {"metavar": "FILE", "help": "file to write"},
    "--device": {"help": "cpu, cuda, cuda:1, ... (default: a GPU if there is one)"},
    "--layout": {
        "type": layout,
        "metavar": "LAYOUT",
        "help": "skeleton layout of the keypoints, a name (`msg3d draw --list`) or a .json "
        "file",
    },
    "--unit": {
        "type": unit,
        "metavar": "UNIT",
        "help": "unit of the keypoints: m, cm, mm, px, normalized, or unscaled",
    },
    "--img-shape": {
        "nargs": 2,
        "type": positive,
        "metavar": ("H", "W"),
        "help": "height and width of the image in pixels, for 2D keypoints",
    },
    "--split": {"metavar": "NAME", "help": "split of the annotation file"},
    "--checkpoint": {"metavar": "FILE", "help": "weights of the network"},
    "--classes": {"metavar": "FILE", "help": "names of the classes, one per line"},
    "--num-workers": {
        "type": positive,
        "metavar": "N",
        "help": "number of processes (default: one per core)",
    },
    "--seed": {"type": int, "default": 0, "help": "random seed (default: 0)"},
    "--skip-invalid": {
        "action": "store_true",
        "help": "write the output without the invalid inputs",
    },
    "--overwrite": {
        "action": "store_true",
        "help": "replace an existing output (default: refuse)",
    },
    "--json": {"metavar": "FILE", "help": "also write the result as JSON"},
}


def complete(action: argparse.Action, completer: Callable[..., list[str]]) -> None:
    """Set the function that returns the values of an argument, for argcomplete."""
    action.completer = completer  # type: ignore[attr-defined]  # of argcomplete


def add_shared(parser: argparse._ActionsContainer, *names: str, **changes: Any) -> None:
    """Add options of `SHARED`.

    Args:
        parser: the parser, or a group of it.
        *names: such as "--output".
        **changes: what differs here, such as `default` or `required`; only for one name.
    """
    for name in names:
        action = parser.add_argument(name, **{**SHARED[name], **changes})
        if name in COMPLETERS and action.choices is None:
            complete(action, COMPLETERS[name])


def add_common(parser: argparse.ArgumentParser, default: bool | str = False) -> None:
    """Add the options of every command.

    Args:
        parser: the parser of a command, or of a subcommand of it.
        default: `argparse.SUPPRESS` in a subcommand, which keeps the command's value.
    """
    parser.add_argument(
        "--quiet",
        action="store_true",
        default=default,
        help="print results and errors only",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default,
        help="print the traceback of an error",
    )


def refuse_existing(overwrite: bool, *paths: str | None) -> None:
    """Refuse to replace an output without --overwrite.

    Raises:
        ConfigError: one of the paths exists (`exists`).
    """
    for path in paths:
        if path is not None and not overwrite and os.path.lexists(path):
            raise ConfigError(
                "already exists. Add --overwrite to replace it, or choose another name",
                kind="exists",
                file=os.fspath(path),
            )


CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors")


def take_checkpoint(
    args: argparse.Namespace, words: list[str], after: int = 1
) -> list[str]:
    """Accept `CONFIG CHECKPOINT ...`, which earlier versions expected, with a warning.

    Args:
        args: with `command` and `checkpoint`, which is set if `words` begin with one.
        words: the arguments that follow the model.
        after: the least number of arguments after the checkpoint.

    Returns:
        The words without the checkpoint.
    """
    if args.checkpoint or len(words) <= after or not words[0].endswith(CHECKPOINTS):
        return words
    args.checkpoint, *words = words
    print(
        f"msg3d {args.command}: CONFIG CHECKPOINT is deprecated and will be removed in "
        f"the next release: use --checkpoint {args.checkpoint}",
        file=sys.stderr,
    )
    return words
