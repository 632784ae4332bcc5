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
from typing import TYPE_CHECKING

from .options import add_shared, pop_checkpoint, positive
from .recordings import add_reading, load_network, read_options

if TYPE_CHECKING:
    from ..annotations import Sample
    from ..apis.recognizer import Recognizer
    from ..apis.tasks import Labels, Segments

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
        "--enrolled",
        metavar="FILE",
        help="predict the classes in a file of `msg3d enroll`",
    )
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
    add_reading(parser)
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
    recognizer, config = load_network(args)
    options, task = read_options(args), _task(args, recognizer)

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
            *(args.model, args.checkpoint, args.layout, args.enrolled),
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


def _task(args: argparse.Namespace, recognizer: "Recognizer") -> "Labels | Segments":
    from ..apis.tasks import Labels, Segments
    from ..errors import ConfigError

    enrolled = args.enrolled is not None
    if enrolled:
        recognizer.load_enrolled(args.enrolled)
    if not args.window:
        return Labels(recognizer, args.top, args.persons, args.pairs, enrolled)
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
        enrolled=enrolled,
    )


def _stamp(file: str | None) -> tuple[int, int] | None:
    """Return size and modification time (ns) of a file, or None for a URL or name."""
    if not file or not Path(file).is_file():
        return None
    stat = Path(file).stat()
    return stat.st_size, stat.st_mtime_ns
