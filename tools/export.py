"""Export a trained network to ONNX or torch.export.

OUT.onnx runs in onnxruntime, OUT.pt2 in torch without this package. Both contain classes,
layout, and preprocessing, and are loaded by `Recognizer.from_exported`. The scores are
compared with those of the network before the file is written.
"""

import argparse
import os
import sys
from pathlib import Path
from pickle import UnpicklingError

from msg3d.apis.trained import read_class_names
from msg3d.errors import ConfigError
from msg3d.export import export
from msg3d.export.speed import compare_speed


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="the config that the network was trained with")
    add("checkpoint")
    add("out", metavar="OUT", help=".onnx or .pt2")
    add("--classes", metavar="FILE", help="names of the classes, one per line")
    add(
        "--benchmark",
        action="store_true",
        help="compare size and speed with the network, and with int8 weights "
        "(.onnx only): one thread, one clip",
    )
    return parser


def main() -> int:
    args = parser().parse_args()
    try:
        if args.benchmark and Path(args.out).suffix != ".onnx":
            raise ConfigError(
                "--benchmark requires an ONNX file, .onnx",
                kind="option",
                file=args.out,
                field="--benchmark",
            )
        names = read_class_names(args.classes) if args.classes else None
        difference = export(args.config, args.checkpoint, args.out, names)
    except (ImportError, OSError, RuntimeError, UnpicklingError, ValueError) as error:
        print(f"export.py: {error}", file=sys.stderr)
        return 1
    size = os.path.getsize(args.out) / 1e6
    print(
        f"wrote {args.out}, {size:.1f} MB; its scores differ from the original by at "
        f"most {difference:.1e}"
    )
    if args.benchmark:
        for line in compare_speed(args.config, args.checkpoint, args.out):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
