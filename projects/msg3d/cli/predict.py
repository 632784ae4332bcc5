"""Recognize actions in keypoints or videos, or predict regression targets.

MODEL is a checkpoint that contains its training config, an exported network (.onnx or
.pt2), or a config together with --checkpoint. INPUT is a file, or a folder that is
searched for files:

    msg3d predict best.pth recordings --output results
    msg3d predict model.onnx wave.npy --output - | jq .name
    msg3d predict my_config.py clip.mp4 --checkpoint best.pth --pose-model rtmo.onnx

The results are written to OUTPUT/NAME.json for each input, and to
OUTPUT/predictions.csv for all inputs. With --window, the segments of actions in long
recordings are written to OUTPUT/segments.csv instead, and with --fps also to subtitles
OUTPUT/NAME.srt. To resume after an interruption, run the command again.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import INPUT_FORMATS, add_shared, pop_checkpoint, positive

if TYPE_CHECKING:
    from ..annotations import Sample
    from ..apis.recognizer import Recognizer
    from ..apis.tasks import Labels, Segments
    from ..formats.base import ReadOptions

RENAMED = {"--out": "--output", "--normalized": "--unit normalized"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="checkpoint, exported network, or config")
    add("inputs", nargs="+", metavar="INPUT", help="file or folder")
    add_shared(parser, "--checkpoint", help="weights of the network, for a config")
    add_shared(
        parser,
        "--output",
        metavar="DIR",
        default="predictions",
        help="folder to write; - prints one line of JSON per sequence instead (default: "
        "predictions)",
    )
    add_shared(parser, "--overwrite", help="predict all inputs again (default: resume)")
    add_shared(parser, "--classes", "--device")
    add(
        "--top",
        type=positive,
        default=5,
        help="number of classes to write (default: 5)",
    )
    add("--persons", action="store_true", help="also predict each person separately")
    add(
        "--pairs",
        type=positive,
        default=0,
        metavar="K",
        help="also predict the K closest pairs of persons",
    )
    add(
        "--clips",
        type=positive,
        help="number of clips per sequence or window, whose scores are averaged (default: "
        "the number in the test pipeline, or 1 with --window)",
    )
    add("--batch-size", type=positive, default=16, help="batch size (default: 16)")
    reading = parser.add_argument_group("reading the inputs")
    reading.add_argument(
        "--format",
        choices=INPUT_FORMATS,
        help="file format (default: detected for each file)",
    )
    add_shared(reading, "--layout", "--unit", "--img-shape", "--split")
    reading.add_argument(
        "--max-persons",
        type=positive,
        default=5,
        metavar="K",
        help="number of persons to keep from estimated poses, with the longest and most "
        "confident tracks (default: 5)",
    )
    reading.add_argument(
        "--pose-model",
        metavar="ONNX",
        help="pose estimator for videos, RTMO or (with --det-model) RTMPose",
    )
    reading.add_argument(
        "--det-model", metavar="ONNX", help="YOLOX person detector for RTMPose"
    )
    long = parser.add_argument_group("action segmentation in long recordings")
    long.add_argument(
        "--window", type=positive, metavar="FRAMES", help="classify sliding windows"
    )
    long.add_argument(
        "--stride",
        type=positive,
        metavar="FRAMES",
        help="frames between the starts of windows (default: window / 4)",
    )
    long.add_argument(
        "--smooth",
        type=positive,
        default=1,
        metavar="FRAMES",
        help="odd number of frames over which scores are averaged (default: 1)",
    )
    long.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        help="minimum score of the best class in a frame (default: 0)",
    )
    long.add_argument(
        "--min-frames",
        type=positive,
        default=1,
        metavar="FRAMES",
        help="minimum length of a segment (default: 1)",
    )
    long.add_argument(
        "--fps",
        type=float,
        help="frames per second of the input, for times and subtitles, and if the network "
        "was trained at another rate",
    )


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from ..apis.input_files import (
        list_inputs,
        path_in,
        read_sequences,
        source_names,
    )
    from ..apis.predict_files import (
        Report,
        check_output,
        predict_files,
        predict_sources,
    )

    if args.output != "-":
        check_output(args.output)
    args.inputs = pop_checkpoint(args, args.inputs)
    sources, root = list_inputs(args.inputs, exclude=args.output)
    recognizer, config = _network(args)
    options, task = _read_options(args), _task(args, recognizer)

    def read(path: str) -> list["Sample"]:
        return read_sequences(path, recognizer.expected, options)

    if args.output == "-":
        report = Report()
        names = source_names(sources, root)
        for record in predict_sources(task, names, read, report):
            for entry in record["samples"]:
                task.subtitles(entry)  # removes them from the entry
                print(json.dumps(dict(source=record["source"], **entry)), flush=True)
    else:
        files = (
            *(args.model, args.checkpoint, args.layout),
            *(args.pose_model, args.det_model),
        )
        outputs = (recognizer.classes, recognizer.targets)
        report = predict_files(
            task,
            sources,
            root,
            args.output,
            read,
            (
                replace(options, pose=None),
                args.clips,
                files,
                *map(_stamp, files),
                config,
                outputs,
            ),
            args.overwrite,
        )
        print(
            f"predicted {len(report.predicted)}, already done {len(report.reused)}, "
            f"failed {len(report.failed)}\n"
            f"wrote {path_in(args.output, task.table)}"
        )
    for name, reason in report.failed:
        print(f"FAILED {name}: {reason}", file=sys.stderr)
    return 1 if report.failed else 0


def _network(args: argparse.Namespace) -> tuple["Recognizer", dict[str, Any]]:
    """Return the recognizer and its config, which is empty for exported networks."""
    from ..apis.exported import is_exported
    from ..apis.recognizer import Recognizer
    from ..errors import ConfigError

    counts = {
        "batch_size": args.batch_size,
        "clips": args.clips or (1 if args.window else None),
    }
    if is_exported(args.model):
        if args.checkpoint or args.classes or args.device:
            raise ConfigError(
                "an exported network contains weights and classes and runs on the CPU. "
                "Omit --checkpoint, --classes, and --device.",
                kind="option",
                file=args.model,
            )
        return Recognizer(args.model, **counts), {}
    try:
        from ..apis.trained import load_network, read_class_names
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{args.model}: loading a checkpoint requires PyTorch and MMAction2 "
            f"({error}). Install all requirements of msg3d, or export the network with "
            "`msg3d export` on a machine that has them."
        ) from error
    cfg, checkpoint = load_network(args.model, args.checkpoint)
    classes = read_class_names(args.classes) if args.classes else None
    recognizer = Recognizer(cfg, checkpoint, classes, args.device, **counts)
    return recognizer, cfg.to_dict()


def _read_options(args: argparse.Namespace) -> "ReadOptions":
    from ..errors import ConfigError
    from ..formats.base import ReadOptions

    pose = None
    if args.det_model and not args.pose_model:
        raise ConfigError(
            "--det-model requires --pose-model. Pass the pose estimator as well.",
            kind="option",
        )
    if args.pose_model:
        from ..video import rtmlib_pose

        device = "cuda" if str(args.device).startswith("cuda") else "cpu"
        pose = rtmlib_pose(args.pose_model, args.det_model, device)
    return ReadOptions(
        layout=args.layout,
        unit=args.unit,
        img_shape=args.img_shape and tuple(args.img_shape),
        split=args.split,
        max_persons=args.max_persons,
        pose=pose,
        fps=args.fps,
        formats=(args.format,) if args.format else (),
    )


def _task(args: argparse.Namespace, recognizer: "Recognizer") -> "Labels | Segments":
    from ..apis.tasks import Labels, Segments
    from ..errors import ConfigError

    if not args.window:
        return Labels(recognizer, args.top, args.persons, args.pairs)
    message = None
    if recognizer.targets:
        message = (
            "--window requires classes, but the network predicts regression targets. "
            "Omit --window."
        )
    elif args.persons or args.pairs:
        message = "--window labels all persons together. Omit --persons and --pairs."
    elif args.smooth % 2 == 0:
        message = f"--smooth is {args.smooth}, expected an odd number"
    elif args.fps is not None and not args.fps > 0:
        message = f"--fps is {args.fps}, expected a positive number"
    if message:
        raise ConfigError(message, kind="option")
    return Segments(
        recognizer,
        window=args.window,
        stride=args.stride or max(1, args.window // 4),
        width=args.smooth,
        threshold=args.threshold,
        min_frames=args.min_frames,
        fps=args.fps,
    )


def _stamp(file: str | None) -> tuple[int, int] | None:
    """Return size and modification time (ns) of a file, or None for a URL or name."""
    if not file or not Path(file).is_file():
        return None
    stat = Path(file).stat()
    return stat.st_size, stat.st_mtime_ns
