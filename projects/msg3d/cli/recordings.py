"""Networks and inputs of commands that read recordings."""

import argparse
from typing import TYPE_CHECKING, Any

from .options import INPUT_FORMATS, add_shared, positive

if TYPE_CHECKING:
    from ..apis.recognizer import Recognizer
    from ..formats.base import ReadOptions


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the group of options for reading the inputs."""
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


def load_network(args: argparse.Namespace) -> tuple["Recognizer", dict[str, Any]]:
    """Load the network that the arguments describe.

    Args:
        args: arguments of a command with `model`, `checkpoint`, `classes`, `device`,
            `batch_size`, `clips`, and `window`.

    Returns:
        The recognizer and its config, which is empty for exported networks.

    Raises:
        ConfigError, CheckpointError: see `Recognizer`.
        ImportError: PyTorch or MMAction2 is required, but not installed.
    """
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
        from ..apis import trained
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{args.model}: loading a checkpoint requires PyTorch and MMAction2 "
            f"({error}). Install all requirements of msg3d, or export the network with "
            "`msg3d export` on a machine that has them."
        ) from error
    cfg, checkpoint = trained.load_network(args.model, args.checkpoint)
    classes = trained.read_class_names(args.classes) if args.classes else None
    recognizer = Recognizer(cfg, checkpoint, classes, args.device, **counts)
    return recognizer, cfg.to_dict()


def read_options(args: argparse.Namespace) -> "ReadOptions":
    """Return the options of `add_reading` and `args.fps` for `apis.input_files`.

    Raises:
        ConfigError: --det-model without --pose-model (kind `option`).
    """
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
