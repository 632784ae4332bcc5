"""Recognise actions in keypoints or videos with a trained network.

INPUT is a file or a folder of files: an annotation file (.pkl), arrays (.npy), JSON
of keypoints, of Kinetics-skeleton, OpenPose, MMPose, AlphaPose, YOLO, COCO or
MediaPipe, or videos. For each, OUT/NAME.json is written, and OUT/predictions.csv of
all. Started again, the command goes on where it was.
"""

import argparse
import os
import sys

from msg3d import Recognizer
from msg3d.apis import ConfigError, KeypointError
from msg3d.apis.keypoint_input import UNITS
from msg3d.apis.pose_video import rtmlib_pose
from msg3d.apis.predict_files import TABLE, predict_files
from msg3d.apis.read_sequences import read_sequences
from msg3d.apis.sources import Reading, list_sources
from msg3d.apis.trained import load_config
from msg3d.datasets.converters.command import positive
from msg3d.skeletons import SKELETONS


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="the recipe that the network was trained with")
    add("checkpoint")
    add("input", metavar="INPUT")
    add("--out", default="predictions", help="folder (default: predictions)")
    add("--classes", metavar="FILE", help="names of the classes, a line each")
    add("--top", type=positive, default=5, help="classes to write (default: 5)")
    add("--persons", action="store_true", help="each person's label as well")
    add(
        "--pairs",
        type=positive,
        default=0,
        metavar="K",
        help="the label of each pair of persons as well, the K closest",
    )
    add("--layout", choices=SKELETONS, help="of keypoints that do not say it")
    add("--unit", choices=UNITS, help="of keypoints (default: m in 3D, px in 2D)")
    add(
        "--normalized",
        action="store_const",
        const="normalized",
        dest="unit",
        help="the same as --unit normalized: coordinates are parts of the image",
    )
    add(
        "--img-shape",
        nargs=2,
        type=positive,
        metavar=("H", "W"),
        help="height and width in pixels of images that 2D keypoints are of",
    )
    add("--split", help="of annotation files (default: all samples)")
    add(
        "--max-persons",
        type=positive,
        default=5,
        metavar="K",
        help="of estimated poses, those seen longest and surest (default: 5)",
    )
    add("--pose-model", metavar="ONNX", help="for videos: RTMPose, or RTMO without")
    add("--det-model", metavar="ONNX", help="a YOLOX that finds persons for RTMPose")
    add("--batch-size", type=positive, default=16, help="(default: 16)")
    add("--device", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")
    return parser


def main() -> int:
    args = parser().parse_args()
    try:
        report = run(args)
    except (ConfigError, KeypointError, ImportError, OSError) as error:
        print(f"predict.py: {error}", file=sys.stderr)
        return 1
    print(
        f"predicted {len(report.predicted)}, done before {len(report.found)}, "
        f"failed {len(report.failed)}"
    )
    for name, why in report.failed:
        print(f"FAILED {name}: {why}", file=sys.stderr)
    print(f"wrote {os.path.join(args.out, TABLE)}")
    return 1 if report.failed else 0


def run(args: argparse.Namespace):
    sources = list_sources(args.input, leave_out=args.out)
    cfg = load_config(args.config)
    pose = None
    if args.det_model and not args.pose_model:
        raise KeypointError("--det-model needs the --pose-model that it is for")
    if args.pose_model:
        device = "cuda" if str(args.device).startswith("cuda") else "cpu"
        pose = rtmlib_pose(args.pose_model, args.det_model, device)
    recognizer = Recognizer(
        cfg,
        args.checkpoint,
        classes=_lines(args.classes) if args.classes else None,
        device=args.device,
        batch_size=args.batch_size,
    )
    reading = Reading(
        layout=args.layout,
        unit=args.unit,
        img_shape=args.img_shape and tuple(args.img_shape),
        split=args.split,
        max_persons=args.max_persons,
        pose=pose,
    )
    root = (
        args.input if os.path.isdir(args.input) else os.path.dirname(args.input) or "."
    )
    said = {
        key: value
        for key, value in vars(args).items()
        if key not in ("input", "out", "batch_size", "device")
    }
    files = [args.checkpoint, args.pose_model, args.det_model]
    return predict_files(
        recognizer,
        sources,
        # A folder of frames is one source, which needs a name.
        root=os.path.dirname(os.path.abspath(root)) if sources == [root] else root,
        out=args.out,
        read=lambda path: read_sequences(path, recognizer.expected, reading),
        settings=(said, cfg.to_dict(), recognizer.classes, _changes(files)),
        top=args.top,
        persons=args.persons,
        pairs=args.pairs,
    )


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def _changes(files: list) -> list[tuple[int, int]]:
    """Size and time of the files that there are: none of a checkpoint's URL."""
    stats = [os.stat(one) for one in files if one and os.path.exists(one)]
    return [(one.st_size, one.st_mtime_ns) for one in stats]


if __name__ == "__main__":
    sys.exit(main())
