"""Published weights as a checkpoint and a config of this package, or back.

MS-G3D, ST-GCN, 2s-AGCN and AAGCN as their authors released them; PYSKL's MS-G3D, ST-GCN,
ST-GCN++ and AAGCN.
Nothing of the file but its numbers is read.
"""

import argparse
import sys

from msg3d.checkpoints import CheckpointError, convert_back, convert_checkpoint


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="the checkpoint, such as ntu60-xsub-joint.pt")
    parser.add_argument(
        "out", help="NAME.pth; the config of the model is written beside it as NAME.py"
    )
    parser.add_argument(
        "--layout",
        help="of the skeletons (default: the authors' layout of as many joints)",
    )
    parser.add_argument(
        "--back", action="store_true", help="from ours to the authors' own form"
    )
    args = parser.parse_args()
    try:
        if args.back:
            name = convert_back(args.source, args.out)
        else:
            name = convert_checkpoint(args.source, args.out, args.layout)
    except (CheckpointError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{args.source}: {name}; wrote {args.out}")
    if not args.back:
        print(f"and {args.out.removesuffix('.pth')}.py, the config of its model")
    return 0


if __name__ == "__main__":
    sys.exit(main())
