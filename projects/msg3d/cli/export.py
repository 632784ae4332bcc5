"""Export a trained network to one file, for ONNX Runtime or torch.export.

MODEL is a checkpoint that contains its training config, or a config together with
--checkpoint:

    msg3d export best.pth model.onnx
    msg3d export my_config.py model.pt2 --checkpoint best.pth

OUTPUT contains the names of the classes or targets, the layout, and the preprocessing, so
`msg3d predict model.onnx INPUT` requires no other files. Before OUTPUT is written, the
outputs of the exported network are compared with those of the original.
"""

import argparse
from pathlib import Path

from .options import add_shared, check_overwrite, pop_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="checkpoint, or config")
    add("output", metavar="OUTPUT", help="file to write, .onnx or .pt2")
    # The deprecated form CONFIG CHECKPOINT OUTPUT has a third argument.
    add("old_output", nargs="?", help=argparse.SUPPRESS)
    add_shared(parser, "--checkpoint", help="weights of the network, for a config")
    add_shared(parser, "--classes", "--overwrite")
    add(
        "--benchmark",
        action="store_true",
        help="compare size and speed with those of the original network, with one thread "
        "and one clip (.onnx only)",
    )


def run(args: argparse.Namespace) -> None:
    from ..apis.exported import SUFFIXES
    from ..errors import ConfigError

    words = [word for word in (args.output, args.old_output) if word is not None]
    output, *more = pop_checkpoint(args, words)
    if more:
        raise ConfigError(
            f"unexpected argument {more[0]!r}, expected MODEL OUTPUT", kind="option"
        )
    if args.benchmark and not output.endswith(".onnx"):
        raise ConfigError(
            "the output file must end in .onnx for --benchmark. Change the file name, or "
            "omit --benchmark.",
            kind="option",
            file=output,
        )
    if not output.endswith(SUFFIXES):
        raise ConfigError(
            f"the output file must end in {' or '.join(SUFFIXES)}",
            kind="file-name",
            file=output,
        )
    check_overwrite(args.overwrite, output)

    # Imported after the checks, since these modules import PyTorch.
    from ..apis.trained import read_class_names
    from ..export import export
    from ..export.speed import compare_speed

    names = read_class_names(args.classes) if args.classes else None
    try:
        difference = export(args.model, args.checkpoint, output, names)
    except RuntimeError as error:  # raised by PyTorch's exporter
        raise ConfigError(
            f"PyTorch cannot export this network ({error})",
            kind="config",
            file=args.model,
        ) from error
    print(
        f"wrote {output}, {Path(output).stat().st_size / 1e6:.1f} MB; its outputs differ "
        f"from the original by at most {difference:.1e}"
    )
    if args.benchmark:
        for line in compare_speed(args.model, args.checkpoint, output):
            print(line)
