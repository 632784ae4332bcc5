"""Recognise actions in arrays with an exported network, without torch.

    python -m msg3d_onnx model.onnx wave.npy [more.npy ...]

Prints a line of JSON for each array [M, T, V, C] or [T, V, C]; a joint that is NaN or
exactly zero is absent.
"""

import argparse
import json
import sys

import numpy as np

from . import ExportedFileError, KeypointError, Recognizer


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m msg3d_onnx",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", help="that tools/export.py wrote")
    parser.add_argument("arrays", nargs="+", metavar="FILE.npy")
    parser.add_argument("--top", type=int, default=5, help="classes (default: 5)")
    parser.add_argument("--layout", help="of the keypoints, if not the network's")
    parser.add_argument("--unit", help="m, cm, mm; px or normalized in 2D")
    parser.add_argument("--img-shape", nargs=2, type=int, metavar=("H", "W"))
    args = parser.parse_args()
    options = dict(layout=args.layout, unit=args.unit, img_shape=args.img_shape)
    try:
        recognizer = Recognizer.from_exported(args.model)
        for name, found in zip(
            args.arrays, recognizer.predict_each(map(_read, args.arrays), **options)
        ):
            print(json.dumps(dict(file=name, **found.as_dict(args.top))))
    except (ExportedFileError, KeypointError, ImportError, OSError) as error:
        print(f"msg3d_onnx: {error}", file=sys.stderr)
        return 1
    return 0


def _read(path: str) -> dict:
    try:
        keypoint = np.load(path)
    except ValueError as error:
        raise KeypointError(
            f"is not an array of numbers ({error})", kind="wrong-file-type", file=path
        ) from error
    keypoint = keypoint[None] if keypoint.ndim == 3 else keypoint
    if keypoint.dtype.kind == "f":
        absent = np.isnan(keypoint).any(-1, keepdims=True)
        keypoint = np.where(absent, keypoint.dtype.type(0), keypoint)
    return dict(keypoint=keypoint, frame_dir=path)


if __name__ == "__main__":
    sys.exit(main())
