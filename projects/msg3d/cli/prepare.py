"""Convert raw recordings or a published data set to an annotation file.

    msg3d prepare ntu nturgb+d_skeletons.zip ntu60_3d.pkl --benchmark ntu60
    msg3d prepare folder recordings/ mine.pkl --layout coco --val-fraction 0.2
    msg3d prepare FORMAT --help

Download each data set from its authors, under their license.
"""

import argparse
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .options import (
    INPUT_FORMATS,
    SHARED,
    add_common,
    add_shared,
    check_overwrite,
    count,
    fraction,
    positive,
    regex,
    unit,
)

RENAMED = {
    "--allow-bad": "--skip-invalid",
    "--jobs": "--num-workers",
    "--normalized": "--unit normalized",
    "--split": "--list",
    "--units": "--unit",
}
EPILOG = """\
RAW is a folder, a .zip, or a .tar. OUTPUT ends in .pkl (annotation file) or .packed
(packed store, written without loading all data into memory). The report is printed and
written to OUTPUT.report.json and OUTPUT.report.txt. If a file is invalid, OUTPUT is not
written and the exit status is 1, unless --skip-invalid is passed. To resume after an
interruption, run the command again. Finished parts are stored in OUTPUT.parts until
OUTPUT is written.
"""


def sbu_unit(text: str) -> str:
    return "unscaled" if text == "raw" else unit(text)


def subjects(text: str) -> int:
    if not text.isdecimal() or int(text) < 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 4")
    return int(text)


def max_persons(default: int, per: str) -> dict[str, Any]:
    help = f"maximum number of persons per {per} (default: {default})"
    return {"metavar": "K", "type": positive, "default": default, "help": help}


LIST = {
    "metavar": "LIST.csv",
    "dest": "list_file",
    "help": "table with the columns file,label,split[,height,width] (default: split and "
    "label from folders train/CLASS and val/CLASS)",
}
MOST_SCORED = "video, selected by the sum of their scores"


class Format(NamedTuple):
    """Converter for a format of raw data, with the help and options of its command.

    Attributes:
        summary: data set or kind of recordings, for the help.
        raw: help text of the argument RAW.
        converter: name of the function in `msg3d.converters`.
        options: option -> arguments of `add_argument`, which override those in
            `options.SHARED`. `dest` is the parameter of the converter.
    """

    summary: str
    raw: str
    converter: str
    options: Mapping[str, dict[str, Any]] = MappingProxyType({})


FORMATS = {
    "ntu": Format(
        "NTU RGB+D 60 or 120 (.skeleton files)",
        "folder of .skeleton files or of the released zips, or a single zip",
        "convert_ntu",
        {
            "--benchmark": {
                "choices": ("ntu60", "ntu120"),
                "required": True,
                "help": "data set; files of the other data set are skipped",
            },
            "--missing": {
                "action": "append",
                "metavar": "LIST",
                "help": "skip the samples in the authors' list of missing skeletons; can "
                "be repeated (default: the published file name in or next to RAW)",
            },
            "--denoise": {
                "action": "store_true",
                "help": "remove bodies that have at most 11 frames or are too wide for "
                "their height, and sort the rest by motion, as in CTR-GCN and PYSKL",
            },
            "--max-persons": {
                "metavar": "K",
                "type": count,
                "default": 2,
                "help": "maximum number of bodies per sample, selected by spatial extent; 0 "
                "for all (default: 2)",
            },
        },
    ),
    "kinetics": Format(
        "Kinetics-skeleton, the release of ST-GCN",
        "folder of the release: kinetics_train, kinetics_val, and the label lists",
        "convert_kinetics",
        {
            "--persons": {
                "choices": ("rank", "track"),
                "default": "rank",
                "help": "rank: select the best scores in each frame, as the authors do; "
                "track: keep the same persons in all frames (default: rank)",
            },
            "--max-persons": max_persons(2, "clip"),
            "--lists": {
                "metavar": "FOLDER",
                "help": "folder of the label lists (default: RAW)",
            },
        },
    ),
    "nw-ucla": Format(
        "Northwestern-UCLA Multiview Action3D",
        "folder or archive of the JSON files",
        "convert_nw_ucla",
    ),
    "msr-action3d": Format(
        "MSR-Action3D",
        "folder or archive of the files aAA_sSS_eEE_skeleton3D.txt",
        "convert_msr_action3d",
    ),
    "sbu": Format(
        "SBU Kinect Interaction",
        "folder or archive of the release: PAIR/ACTION/RUN/skeleton_pos.txt",
        "convert_sbu",
        {
            "--unit": {
                "dest": "units",
                "type": sbu_unit,
                "choices": ("unscaled", "m"),
                "default": "unscaled",
                "help": "unscaled: as released, with x and y as fractions of the image, y "
                "down, and z scaled; m: meters, with y up (default: unscaled)",
            }
        },
    ),
    "penn-action": Format(
        "Penn Action (.mat files)",
        "folder or archive of the release, or its folder `labels`; videos are not used",
        "convert_penn_action",
    ),
    "bandai": Format(
        "Bandai-Namco Research Motiondataset-2 (.bvh files)",
        "folder or archive of the files dataset-2_CONTENT_STYLE_NNN.bvh",
        "convert_bandai",
    ),
    "udiva": Format(
        "UDIVA v0.5: chunks of body landmarks, and five personality traits",
        "folder of the release with unpacked archives: animals_annotations_train, ..., "
        "metadata_train, and the same for val and test",
        "convert_udiva",
        {
            "--chunk": {
                "type": positive,
                "required": True,
                "metavar": "FRAMES",
                "help": "frames per chunk; published work uses 250 and 2000",
            },
            "--remainder": {
                "choices": ("keep", "pad", "drop"),
                "default": "keep",
                "help": "frames after the last complete chunk: keep them as a shorter "
                "chunk, pad them by repeating the last frame, or drop them, as published "
                "(default: keep)",
            },
            "--missing": {
                "choices": ("remove", "zero"),
                "default": "remove",
                "help": "frames without body landmarks: remove them, as published, or set "
                "the person to zero (default: remove)",
            },
        },
    ),
    "folder": Format(
        "your own recordings, in any supported format",
        "folder or zip of class folders: RAW/CLASS/.../NAME, optionally with train/ and "
        "val/ above the classes. A file contains a sequence, or one frame of the sequence "
        "in its folder",
        "convert_folder",
        {
            "--format": {
                "dest": "file_format",
                "metavar": "NAME",
                "choices": INPUT_FORMATS,
                "help": "file format (default: detected for each file): %(choices)s",
            },
            "--layout": {},
            "--unit": {"dest": "units"},
            "--img-shape": {},
            "--missing-marker": {"default": "auto"},
            "--fps": {},
            "--list": {
                "dest": "split",
                "metavar": "LIST.csv",
                "help": "table with the columns name,split; without class folders, with "
                "the columns file,label,split[,height,width]",
            },
            "--val-fraction": {
                "type": fraction,
                "metavar": "F",
                "help": "fraction of each class to hold out for validation, instead of a "
                "list",
            },
            "--seed": {},
            "--group": {
                "type": regex,
                "metavar": "REGEX",
                "help": "regular expression that matches the person in a path. All "
                "samples of a person are put into the same split",
            },
            "--max-persons": max_persons(5, MOST_SCORED),
            "--pose-model": {
                "metavar": "ONNX",
                "help": "pose estimator for videos, RTMO or (with --det-model) RTMPose",
            },
            "--det-model": {
                "metavar": "ONNX",
                "help": "YOLOX person detector for RTMPose",
            },
        },
    ),
    "poses": Format(
        "2D poses as JSON of MMPose, AlphaPose, YOLO, or COCO",
        "folder or zip of JSON files, train/CLASS/VIDEO.json and val/CLASS/VIDEO.json",
        "convert_coco_json",
        {
            "--format": {
                "dest": "form",
                "choices": ("alphapose", "coco", "mmpose", "yolo"),
                "help": "file format (default: detected for each file)",
            },
            "--list": LIST,
            "--img-shape": {},
            "--missing-marker": {"default": "auto"},
            "--fps": {},
            "--max-persons": max_persons(5, MOST_SCORED),
            "--unit": {
                "choices": ("px", "normalized"),
                "default": "px",
                "help": "px: pixels; normalized: fractions of the image (default: px)",
            },
        },
    ),
    "mediapipe": Format(
        "MediaPipe Pose landmarks as JSON or CSV, 2D or 3D",
        "folder or zip of .json or .csv files, train/CLASS/VIDEO and val/CLASS/VIDEO",
        "convert_mediapipe",
        {
            "--coordinates": {
                "choices": ("image", "world"),
                "default": "image",
                "help": "image: 2D with scores; world: 3D in meters (default: image)",
            },
            "--list": LIST,
            "--img-shape": {},
            "--missing-marker": {"default": "auto"},
            "--fps": {},
            "--max-persons": max_persons(5, MOST_SCORED),
        },
    ),
}
SYNTHETIC = "synthetic human actions, for first experiments without data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    formats = parser.add_subparsers(
        dest="source", metavar="FORMAT", required=True, title="formats"
    )

    def add_format(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        return formats.add_parser(
            name,
            help=summary,
            description=f"Convert {summary}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    for name, data_format in FORMATS.items():
        sub = add_format(name, data_format.summary, EPILOG)
        sub.add_argument("raw", metavar="RAW", help=data_format.raw)
        sub.add_argument("out", metavar="OUTPUT", help="file to write")
        for option, arguments in data_format.options.items():
            _add(sub, option, arguments)
        add_shared(sub, "--skip-invalid", dest="allow_bad")
        add_shared(sub, "--num-workers", dest="jobs")
        add_shared(sub, "--overwrite")
        add_common(sub, default=argparse.SUPPRESS)
    sub = add_format("synthetic", SYNTHETIC, "The data depend only on the arguments.")
    sub.description = f"Generate {SYNTHETIC}."
    add = sub.add_argument
    add("out", metavar="OUTPUT", help="annotation file (.pkl), or folder with --as-csv")
    add(
        "--subjects",
        type=subjects,
        default=16,
        metavar="N",
        help="number of persons, at least 4 (default: 16)",
    )
    add(
        "--repeats",
        type=positive,
        metavar="N",
        help="samples per action and person (default: 5, or 2 with --as-csv)",
    )
    add(
        "--as-csv",
        action="store_true",
        help="write example recordings OUTPUT/ACTION/sSSS_eEEE.csv instead, with joints "
        "of Kinect v1 in mm, one row per frame, and empty cells for missing joints",
    )
    add_shared(sub, "--seed", "--overwrite")
    add_common(sub, default=argparse.SUPPRESS)


def _add(
    parser: argparse.ArgumentParser, option: str, arguments: dict[str, Any]
) -> None:
    if option in SHARED and option != "--split":
        add_shared(parser, option, **arguments)
    else:
        parser.add_argument(option, **arguments)


def run(args: argparse.Namespace) -> int:
    try:
        return _synthetic(args) if args.source == "synthetic" else _convert(args)
    except KeyboardInterrupt:
        resume = (
            "" if args.source == "synthetic" else ". Run the command again to resume"
        )
        print(f"msg3d prepare: interrupted{resume}", file=sys.stderr)
        return 130


def _convert(args: argparse.Namespace) -> int:
    from inspect import signature

    from .. import converters
    from ..converters.report import report_text
    from ..skeletons import skeleton
    from ..stores.out_path import check_out

    check_overwrite(args.overwrite, check_out(args.out))
    options = vars(args)
    if args.source == "poses":
        options["normalized"] = args.unit == "normalized"
    if args.source == "folder":
        if args.layout is not None:
            options["layout"] = skeleton(args.layout)
        if args.pose_model:
            from ..video import rtmlib_pose

            options["pose"] = rtmlib_pose(args.pose_model, args.det_model)
    convert = getattr(converters, FORMATS[args.source].converter)
    accepted = signature(convert).parameters
    report = convert(**{key: options[key] for key in options if key in accepted})
    lines = report_text(report).split("\n")
    if args.quiet:
        rejected = [line for line in lines[:-1] if line.startswith("rejected")]
        lines = [*rejected, lines[-1]]
    print("\n".join(lines))
    return 0 if report["written"] else 1


def _synthetic(args: argparse.Namespace) -> int:
    import numpy as np

    from ..annotations.files import save_annotations
    from ..stores.out_path import check_out
    from ..synthetic.actions import make_synthetic_actions
    from ..synthetic.csv_folder import write_csv_folder

    out = args.out if args.as_csv else check_out(args.out, (".pkl",))
    check_overwrite(args.overwrite, out)
    repeats = (2 if args.as_csv else 5) if args.repeats is None else args.repeats
    data = make_synthetic_actions(args.subjects, repeats, args.seed)
    (write_csv_folder if args.as_csv else save_annotations)(data, out)
    frames = [sample["total_frames"] for sample in data["annotations"]]
    splits = ", ".join(f"{name} {len(ids)}" for name, ids in data["split"].items())
    if not args.quiet:
        print(
            f"classes: {', '.join(data['meta']['classes'])}\n"
            + (f"splits: {splits}\n" if not args.as_csv else "")
            + f"frames: min {min(frames)}, median {np.median(frames):g}, "
            f"max {max(frames)}"
        )
    print(f"wrote {args.out}: {len(frames)} sequences")
    return 0
