"""Recognize actions in keypoint files with an exported network.

    python -m msg3d_onnx model.onnx wave.npy [more.npy ...]

Each file contains an array [M persons, T frames, V joints, C coordinates], or [T, V, C]
for one person. A joint that is NaN or exactly zero is absent. For each array, a line of
JSON is printed.
"""

import argparse
import json
import sys

from msg3d.apis import Recognizer
from msg3d.apis.input_files import read_sequences
from msg3d.errors import MSG3DError
from msg3d.formats.base import ReadOptions


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m msg3d_onnx",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", help="exported network (.onnx or .pt2)")
    parser.add_argument("arrays", nargs="+", metavar="FILE.npy")
    add = parser.add_argument
    add("--top", type=int, default=5, help="number of classes to print (default: 5)")
    add("--layout", help="skeleton layout of the keypoints (default: the network's)")
    add("--unit", help="unit of the keypoints: m, cm, or mm; px or normalized in 2D")
    add("--img-shape", nargs=2, type=int, metavar=("H", "W"), help="image size for 2D")
    args = parser.parse_args()
    shape = args.img_shape and tuple(args.img_shape)
    options = ReadOptions(layout=args.layout, unit=args.unit, img_shape=shape)
    try:
        recognizer = Recognizer.from_exported(args.model)
        for path in args.arrays:
            sequences = read_sequences(path, recognizer.expected, options)
            for prediction in recognizer.predict_each(sequences):
                print(json.dumps(dict(file=path, **prediction.as_dict(args.top))))
    except (MSG3DError, ImportError, OSError) as error:
        print(f"msg3d_onnx: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
