"""Write a config for one or several annotation files or packed stores.

Classes, splits, layout, dimensions, number of persons, and clip length are derived from
the files. The config inherits from `_base_` files, which are copied next to it:

    msg3d new-config data/mine.pkl my_config.py
    msg3d train my_config.py

Several files are used as one data set with all of their classes.
"""

import argparse
import shlex

from .options import add_shared, check_overwrite, complete, config_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "files",
        nargs="+",
        metavar="FILE",
        help="annotation file (.pkl) or packed store (.packed)",
    )
    add("output", metavar="OUTPUT", help="config to write (.py)")
    like = add(
        "--like",
        metavar="NAME",
        help="shipped config that provides the network and the recipe (default: MS-G3D "
        "with a recipe for small data sets)",
    )
    complete(like, config_names)
    add_shared(parser, "--layout")
    for side, purpose in (("train", "training"), ("val", "validation and testing")):
        add(
            f"--{side}-split",
            action="append",
            metavar="NAME",
            help=f"split for {purpose}; repeat the option for splits of several files",
        )
    add("--flat", action="store_true", help="write a single file without `_base_`")
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..apis.new_config import write_config

    if not args.output.endswith(".py"):  # perhaps an annotation file
        raise argparse.ArgumentError(None, "OUTPUT must be the last argument, NAME.py")
    check_overwrite(args.overwrite, args.output)
    written = write_config(
        args.files,
        args.output,
        args.like,
        args.layout,
        args.train_split,
        args.val_split,
        args.flat,
    )
    for path in written[:2] if not args.quiet else written[:1]:
        print(f"wrote {path}")
    if written[2:] and not args.quiet:
        print(f"copied {len(written) - 2} files that it inherits from")
    print(f"next: msg3d train {shlex.quote(args.output)}")
