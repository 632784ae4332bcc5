"""Convert published weights to a checkpoint and config of this package, or back.

Supported published weights are the authors' weights for MS-G3D, ST-GCN, 2s-AGCN, and
AAGCN, and PYSKL's weights for MS-G3D, ST-GCN, ST-GCN++, and AAGCN:

    msg3d convert-checkpoint ntu60-xsub-joint.pt ntu60.pth    # and ntu60.py

Checkpoints of this package can be converted to NAME.safetensors, which cannot contain
code, and back:

    msg3d convert-checkpoint work_dirs/mine/epoch_60.pth mine.safetensors
"""

import argparse
from pathlib import Path

from .options import add_shared, check_overwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="file to convert")
    parser.add_argument(
        "output",
        metavar="OUTPUT",
        help="NAME.pth or NAME.safetensors. For published weights, the config NAME.py is "
        "written next to it",
    )
    add_shared(
        parser,
        "--layout",
        help="skeleton layout (default: the authors' layout with this number of joints)",
    )
    parser.add_argument(
        "--back", action="store_true", help="convert to the authors' format instead"
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..checkpoints import convert_back, convert_checkpoint, is_published, rewrite
    from ..checkpoints.safe_tensors import SUFFIX

    source, output = args.checkpoint, args.output
    if not args.back and not output.endswith((".pth", SUFFIX)):
        raise argparse.ArgumentError(
            None, f"OUTPUT is {output}, expected NAME.pth or NAME{SUFFIX}"
        )
    config = f"{output.removesuffix(Path(output).suffix)}.py"
    check_overwrite(args.overwrite, output)
    if args.back:
        name = convert_back(source, output)
    elif source.endswith(SUFFIX) != output.endswith(SUFFIX) and not is_published(
        source
    ):
        lost = rewrite(source, output)
        without = f", without {', '.join(lost)}" if lost else ""
        print(f"wrote {output}{without}")
        return
    else:
        check_overwrite(args.overwrite, config)
        name = convert_checkpoint(source, output, args.layout)
    if args.back:
        print(f"wrote {output}: {name}")
    else:
        print(f"{source}: {name}")
        print(f"wrote {output} and {config}, its config")
