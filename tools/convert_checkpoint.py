"""Convert published weights to a checkpoint and a config of this package, or back.

Supported are MS-G3D, ST-GCN, 2s-AGCN, and AAGCN as their authors released them, and
PYSKL's MS-G3D, ST-GCN, ST-GCN++, and AAGCN.
Also rewrites a checkpoint of ours as NAME.safetensors, which cannot execute anything, and
back: work_dirs/x/epoch_60.pth x.safetensors. Only the numbers in the file are read.
"""

import argparse
import os
import sys

from msg3d.checkpoints import (
    convert_back,
    convert_checkpoint,
    is_published,
    rewrite,
)
from msg3d.checkpoints.safe_tensors import SUFFIX
from msg3d.errors import CheckpointError


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="the checkpoint, such as ntu60-xsub-joint.pt")
    parser.add_argument(
        "out",
        help="NAME.pth or NAME.safetensors; the config of the model is written next to it "
        "as NAME.py if the weights are published ones",
    )
    parser.add_argument(
        "--layout",
        help="of the skeletons (default: the authors' layout with as many joints)",
    )
    parser.add_argument(
        "--back", action="store_true", help="convert from ours to the authors' form"
    )
    args = parser.parse_args()
    try:
        if args.back:
            name = convert_back(args.source, args.out)
        elif _one_is_safetensors(args) and not is_published(args.source):
            lost = rewrite(args.source, args.out)
            print(f"{args.source}: ours; wrote {args.out}")
            if lost:
                print(f"without {', '.join(lost)}")
            return 0
        else:
            name = convert_checkpoint(args.source, args.out, args.layout)
    except (CheckpointError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{args.source}: {name}; wrote {args.out}")
    if not args.back:
        print(f"and {os.path.splitext(args.out)[0]}.py, the config of its model")
    return 0


def _one_is_safetensors(args: argparse.Namespace) -> bool:
    return args.source.endswith(SUFFIX) != args.out.endswith(SUFFIX)


if __name__ == "__main__":
    sys.exit(main())
