"""List the shipped configs, or copy a config with the files that it inherits from.

    msg3d configs
    msg3d configs nw-ucla
    msg3d configs copy msg3d_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d my_configs

The column "published" contains published top-1 accuracies (%) of the same recipe. The
column "own" contains our accuracies.
"""

import argparse
import shlex
from typing import TYPE_CHECKING

from .options import add_shared, complete, config_names

if TYPE_CHECKING:
    from ..apis.model_index import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "msg3d configs [-h] [PATTERN ...]\n"
        "       msg3d configs copy [--overwrite] NAME DIR"
    )
    words = parser.add_argument(
        "words",
        nargs="*",
        metavar="PATTERN",
        help="text or pattern with * to search for in names, data sets, and streams",
    )
    complete(words, lambda **_: ["copy", *config_names()])
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    if args.words[:1] == ["copy"]:
        if len(args.words) != 3:
            raise argparse.ArgumentError(None, "copy: expected NAME and DIR")
        _, name, folder = args.words
        _copy(name, folder, args.overwrite)
    else:
        _list(args.words)


def _copy(name: str, folder: str, overwrite: bool) -> None:
    from ..apis.config_files import copy_config

    config, *others = copy_config(name, folder, overwrite)
    print(f"wrote {config}")
    print(f"copied {len(others)} files that it inherits from")
    print(f"next: msg3d train {shlex.quote(str(config))}")


def _list(patterns: list[str]) -> None:
    from fnmatch import fnmatch

    from tabulate import tabulate

    from ..apis.model_index import entries
    from ..errors import ConfigError

    def matches(entry: "Entry") -> bool:
        text = " ".join(entry[:3]).lower()
        return all(fnmatch(text, f"*{pattern.lower()}*") for pattern in patterns)

    rows = [entry for entry in entries() if matches(entry)]
    if not rows:
        raise ConfigError(
            f"no config matches {' '.join(patterns)}. Run `msg3d configs` to list all "
            "configs.",
            kind="not-found",
        )
    print(tabulate(rows, headers=("name", "data set", "stream", "published", "own")))
