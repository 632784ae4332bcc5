"""Recognize actions in keypoints or videos with a trained network.

The network is a CONFIG and its CHECKPOINT, or one file, EXPORTED by tools/export.py.
INPUT is a file or a folder of files in the formats below. For each, OUT/NAME.json is
written, and OUT/predictions.csv of all; with --window, segments of long recordings:
OUT/segments.csv, and OUT/NAME.srt with --fps. A restarted command resumes.
"""

import argparse
import os
import sys
from pathlib import Path
from pickle import UnpicklingError

from msg3d import Recognizer
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.predict_files import Report, predict_files
from msg3d.apis.written import Labels, Segments
from msg3d.converters.command import positive
from msg3d.errors import ConfigError, MSG3DError
from msg3d.formats.base import ReadOptions, all_formats, format_help
from msg3d.skeletons import SKELETONS
from msg3d.skeletons.units import UNITS, unit_name
from msg3d.video import rtmlib_pose

EXPORTED = (".onnx", ".pt2")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"formats:\n{format_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [options] (CONFIG CHECKPOINT | EXPORTED) INPUT",
    )
    add = parser.add_argument
    add(
        "network",
        nargs="+",
        help="the recipe that it was trained with, and a checkpoint; or a file .onnx "
        "or .pt2, which says the rest",
    )
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
    add("--layout", choices=SKELETONS, help="of keypoints that do not tell it")
    add(
        "--format",
        choices=all_formats(),
        help="of the files (default: detected for each)",
    )
    add(
        "--unit",
        type=unit_name,
        metavar="UNIT",
        help=f"of keypoints whose file does not tell it: {', '.join(UNITS)} (default: m "
        "in 3D, px in 2D)",
    )
    add(
        "--normalized",
        action="store_const",
        const="normalized",
        dest="unit",
        help="the same as --unit normalized: coordinates are fractions of the image",
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
    long = parser.add_argument_group("long recordings: which action is when")
    add_long = long.add_argument
    add_long("--window", type=positive, metavar="FRAMES", help="label windows of these")
    add_long("--stride", type=positive, metavar="FRAMES", help="(default: window / 4)")
    add_long(
        "--smooth",
        type=positive,
        default=1,
        metavar="FRAMES",
        help="mean of the scores over so many, an odd number (default: 1)",
    )
    add_long("--threshold", type=float, default=0.0, help="least score of a frame")
    add_long("--min-frames", type=positive, default=1, help="of a segment")
    add_long("--fps", type=float, help="frames a second: times, and subtitles")
    add("--pose-model", metavar="ONNX", help="for videos: RTMPose, or RTMO without")
    add("--det-model", metavar="ONNX", help="a YOLOX that finds persons for RTMPose")
    add(
        "--clips",
        type=positive,
        help="clips of a sequence, or window, that are averaged (default: the "
        "config's, with --window 1)",
    )
    add("--batch-size", type=positive, default=16, help="(default: 16)")
    add("--device", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")
    return parser


def main() -> int:
    # The number of files that belong to the network depends on all of them.
    args = parser().parse_intermixed_args()
    try:
        report = run(args)
    except (MSG3DError, ImportError, OSError, UnpicklingError) as error:
        print(f"predict.py: {error}", file=sys.stderr)
        return 1
    print(
        f"predicted {len(report.predicted)}, done before {len(report.found)}, "
        f"failed {len(report.failed)}"
    )
    for name, why in report.failed:
        print(f"FAILED {name}: {why}", file=sys.stderr)
    table = (Segments if args.window else Labels).table
    print(f"wrote {os.path.join(args.out, table)}")
    return 1 if report.failed else 0


def run(args: argparse.Namespace) -> Report:
    sources = list_sources(args.input, leave_out=args.out)
    recognizer, recipe = _network(args)
    pose = None
    if args.det_model and not args.pose_model:
        raise ConfigError("--det-model needs a --pose-model", kind="option")
    if args.pose_model:
        device = "cuda" if str(args.device).startswith("cuda") else "cpu"
        pose = rtmlib_pose(args.pose_model, args.det_model, device)
    options = ReadOptions(
        layout=args.layout,
        unit=args.unit,
        img_shape=args.img_shape and tuple(args.img_shape),
        split=args.split,
        max_persons=args.max_persons,
        pose=pose,
        formats=(args.format,) if args.format else (),
    )
    root = (
        args.input if os.path.isdir(args.input) else os.path.dirname(args.input) or "."
    )
    settings = {
        key: value
        for key, value in vars(args).items()
        if key not in ("input", "out", "batch_size", "device")
    }
    files = [*args.network, args.pose_model, args.det_model]
    return predict_files(
        _written(args, recognizer),
        sources,
        # A folder of frames is one source, which needs a name.
        root=os.path.dirname(os.path.abspath(root)) if sources == [root] else root,
        out=args.out,
        read=lambda path: read_sequences(path, recognizer.expected, options),
        settings=(settings, recipe, recognizer.classes, _stamps(files)),
    )


def _network(args: argparse.Namespace) -> tuple[Recognizer, dict]:
    """Return the recognizer, and the recipe unless a file of `args.network` has it."""
    clips = args.clips or (1 if args.window else None)
    if len(args.network) > 2:
        raise ConfigError(
            f"got {len(args.network) + 1} files, expected CONFIG CHECKPOINT INPUT, or "
            "EXPORTED INPUT. Give a folder to predict several files",
            kind="option",
        )
    file = args.network[0]
    exported = Path(file).suffix in EXPORTED
    if exported and len(args.network) == 2:
        raise ConfigError(
            "is an exported network, which needs no checkpoint. Expected EXPORTED INPUT, "
            "and one INPUT, a folder to predict several files",
            kind="option",
            file=file,
        )
    if len(args.network) == 2:
        # Exported networks run without torch.
        from msg3d.apis.trained import load_config, read_class_names

        cfg = load_config(file)
        recognizer = Recognizer(
            cfg,
            args.network[1],
            classes=read_class_names(args.classes) if args.classes else None,
            device=args.device,
            batch_size=args.batch_size,
            clips=clips,
        )
        return recognizer, cfg.to_dict()
    if not exported:
        raise ConfigError(
            f"is not an exported network ({', '.join(EXPORTED)}). Expected CONFIG "
            "CHECKPOINT INPUT, or EXPORTED INPUT",
            kind="option",
            file=file,
        )
    if args.classes or args.device:
        raise ConfigError(
            "contains its classes and runs on the CPU. Leave out --classes and --device",
            kind="option",
            file=file,
        )
    return Recognizer.from_exported(file, args.batch_size, clips), {}


def _written(args: argparse.Namespace, recognizer: Recognizer) -> Labels | Segments:
    if not args.window:
        return Labels(recognizer, args.top, args.persons, args.pairs)
    if args.persons or args.pairs:
        raise ConfigError(
            "--window labels all persons together. Leave out --persons and --pairs",
            kind="option",
        )
    if args.smooth % 2 == 0:
        raise ConfigError(
            f"--smooth is {args.smooth}, expected an odd number", kind="option"
        )
    if args.fps is not None and not args.fps > 0:
        raise ConfigError(f"--fps is {args.fps}, expected more than 0", kind="option")
    return Segments(
        recognizer,
        window=args.window,
        stride=args.stride or max(1, args.window // 4),
        width=args.smooth,
        threshold=args.threshold,
        min_frames=args.min_frames,
        fps=args.fps,
    )


def _stamps(files: list) -> list[tuple[int, int]]:
    """Size and time of the files that exist; the URL of a checkpoint has none."""
    stats = [os.stat(file) for file in files if file and os.path.exists(file)]
    return [(stat.st_size, stat.st_mtime_ns) for stat in stats]


if __name__ == "__main__":
    sys.exit(main())
