"""Options and argument types shared by several commands."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from ..errors import ConfigError

# The names of `formats.base.all_formats`, which is slow to import.
INPUT_FORMATS = (
    *("alphapose", "annotation_file", "azure_kinect", "coco", "csv", "ctrgcn"),
    *("keypoint_json", "kinetics_skeleton", "mediapipe", "mmpose", "mmskeleton"),
    *("msr_action3d", "npy", "ntu_skeleton", "nw_ucla", "openpose", "pose_file"),
    *("sample_table", "sbu", "stgcn", "store", "udiva", "video", "yolo", "yolo_text"),
)


def positive(text: str) -> int:
    """Parse a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def key_value(text: str) -> str:
    """Return the text if it has the form KEY=VALUE."""
    key, equals, _ = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} does not have the form KEY=VALUE")
    return text


def positive_number(text: str) -> float:
    """Parse a positive, finite number."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def count(text: str) -> int:
    """Parse a non-negative integer."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 0")
    return int(text)


def fraction(text: str) -> float:
    """Parse a number between 0 and 1, exclusive."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return number


def regex(text: str) -> str:
    """Return the text if it is a valid regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a regular expression ({error})"
        ) from None
    return text


def layout(text: str) -> str:
    """Return the text if it is the name or `.json` file of a skeleton layout."""
    from ..skeletons import skeleton

    try:
        skeleton(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def unit(text: str) -> str:
    """Return the standard name of a unit."""
    from ..skeletons.units import unit_name

    try:
        return unit_name(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def config_names(**_: object) -> list[str]:
    """Return the names of the shipped configs, for completion."""
    from ..apis.config_files import shipped_configs

    return list(shipped_configs())


def weights_names(**_: object) -> list[str]:
    """Return the names of the weights in the package, for completion."""
    from ..checkpoints.shipped import shipped_weights

    return list(shipped_weights())


def layout_names(prefix: str = "", **_: object) -> list[str]:
    """Return the names of layouts and matching `.json` files, for completion."""
    from argcomplete.completers import FilesCompleter

    from ..skeletons import SKELETONS

    return [*SKELETONS, *FilesCompleter(["json"])(prefix)]


def unit_names(**_: object) -> list[str]:
    """Return the names of units, for completion."""
    from ..skeletons.units import UNITS

    return list(UNITS)


def device_names(**_: object) -> list[str]:
    """Return the names of common devices, for completion."""
    return ["cpu", "cuda"]


# Option -> completer of its values.
COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "--device": device_names,
    "--layout": layout_names,
    "--unit": unit_names,
}

SHARED: dict[str, dict[str, Any]] = {
    "--output": {"metavar": "FILE", "help": "file to write"},
    "--device": {"help": "cpu, cuda, cuda:1, ... (default: a GPU if available)"},
    "--layout": {
        "type": layout,
        "metavar": "LAYOUT",
        "help": "skeleton layout of the keypoints: a name (see `msg3d draw --list`) or a "
        ".json file",
    },
    "--fps": {
        "type": positive_number,
        "metavar": "FPS",
        "help": "frames per second, for files that do not specify it",
    },
    "--missing-marker": {
        "metavar": "MARKER",
        "default": "auto",
        "help": "coordinate that marks missing joints; auto: -1 and 65535; score: also all "
        "joints with score 0; none: only joints at zero (default: auto)",
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
        "help": "image height and width in pixels, for 2D keypoints",
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
        "help": "skip invalid inputs instead of failing",
    },
    "--overwrite": {
        "action": "store_true",
        "help": "replace an existing output (default: fail)",
    },
    "--json": {"metavar": "FILE", "help": "also write the result as JSON"},
}


def complete(action: argparse.Action, completer: Callable[..., list[str]]) -> None:
    """Set the completer of an argument for argcomplete."""
    action.completer = completer  # type: ignore[attr-defined]  # read by argcomplete


def add_shared(parser: argparse._ActionsContainer, *names: str, **changes: Any) -> None:
    """Add options of `SHARED` to a parser.

    Args:
        parser: parser or argument group.
        *names: names of the options, such as "--output".
        **changes: arguments of `add_argument` that override those in `SHARED`.
    """
    for name in names:
        action = parser.add_argument(name, **{**SHARED[name], **changes})
        if name in COMPLETERS and action.choices is None:
            complete(action, COMPLETERS[name])


def add_common(parser: argparse.ArgumentParser, default: bool | str = False) -> None:
    """Add the options of all commands, --quiet and --debug.

    Args:
        parser: parser of a command or nested subcommand.
        default: default value of the options. In a nested subcommand,
            `argparse.SUPPRESS` keeps the values of the command.
    """
    parser.add_argument(
        "--quiet",
        action="store_true",
        default=default,
        help="print only results and errors",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default,
        help="print the tracebacks of errors",
    )


def check_overwrite(overwrite: bool, *paths: str | None) -> None:
    """Check that no output exists, unless `overwrite` is set.

    Args:
        overwrite: whether existing outputs may be replaced.
        *paths: paths of the outputs. None is ignored.

    Raises:
        ConfigError: an output already exists (kind `exists`).
    """
    for path in paths:
        if path is not None and not overwrite and os.path.lexists(path):
            raise ConfigError(
                "the output already exists. Pass --overwrite to replace it, or choose "
                "another name.",
                kind="exists",
                file=os.fspath(path),
            )


CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors")


def pop_checkpoint(
    args: argparse.Namespace, words: list[str], after: int = 1
) -> list[str]:
    """Replace the deprecated form `CONFIG CHECKPOINT ...` with --checkpoint, and warn.

    Args:
        args: parsed arguments of the command. `args.checkpoint` is set if the first word
            is a checkpoint.
        words: positional arguments after the model.
        after: minimum number of arguments after the checkpoint.

    Returns:
        The words without the checkpoint.
    """
    if args.checkpoint or len(words) <= after or not words[0].endswith(CHECKPOINTS):
        return words
    args.checkpoint, *words = words
    print(
        f"msg3d {args.command}: CONFIG CHECKPOINT is deprecated and will be removed in "
        f"the next release. Use --checkpoint {args.checkpoint} instead.",
        file=sys.stderr,
    )
    return words
