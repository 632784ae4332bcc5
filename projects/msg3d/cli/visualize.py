"""Play sequences, and plot scores, training curves, learned graphs, and saliency.

    msg3d visualize play mine.pkl --sample wave01 --output wave.html wave.gif
    msg3d visualize play mine.pkl --model best.pth --size response --scores \\
        --output wave.mp4
    msg3d visualize confusion scores.pkl --ann-file mine.pkl --output matrix.png
    msg3d visualize classes joint.pkl bone.pkl --ann-file mine.pkl --output bars.png
    msg3d visualize curves work_dirs/mine --output curves.png
    msg3d visualize graph best.pth --output graph.png
    msg3d visualize saliency best.pth mine.pkl --output map.png

`msg3d visualize KIND --help` explains the options.
"""

import argparse
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .options import (
    add_common,
    add_shared,
    check_overwrite,
    key_value,
    pop_checkpoint,
    positive,
)

if TYPE_CHECKING:
    import numpy as np

    from ..visualization.explainer import Explainer

RENAMED = {"--out": "--output", "--step": "--stride"}
IMAGE = "image to write: .png, .svg, or .pdf"
CLIPS = (".gif", ".mp4", ".html")
AXES = ("+y", "-y", "+z", "-z", "+x", "-x")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)

    def kind(
        draw: Callable[[argparse.Namespace], bool | None], text: str
    ) -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}."
        part = kinds.add_parser(draw.__name__, help=text, description=description)
        part.set_defaults(draw=draw)
        add_common(part, argparse.SUPPRESS)
        return part

    _add_play(kind(play, "play a sequence as a web page, GIF, or MP4"))
    for draw, text in (
        (confusion, "plot a confusion matrix and the accuracy of each class"),
        (classes, "plot the accuracy of each class for one or several score files"),
    ):
        part = kind(draw, text)
        part.add_argument(
            "scores",
            nargs="+" if draw is classes else 1,
            metavar="SCORES",
            help="score file from `msg3d test --dump`",
        )
        part.add_argument(
            "--ann-file",
            metavar="FILE",
            help="annotation file, for class names, and for labels if SCORES has none",
        )
        add_shared(part, "--split")
        add_shared(part, "--output", required=True, help=IMAGE)
        add_shared(part, "--overwrite")
    part = kind(curves, "plot loss, accuracy, and learning rate over epochs")
    part.add_argument("folders", nargs="+", metavar="WORK_DIR")
    add_shared(part, "--output", required=True, help=IMAGE)
    add_shared(part, "--overwrite")
    part = kind(graph, "plot the learned graph of a layer, scale by scale")
    _add_model(part)
    part.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    part.add_argument(
        "--layer",
        metavar="NAME",
        help="layer to plot (default: the first spatial graph)",
    )
    part.add_argument(
        "--list", action="store_true", help="list the layers instead of plotting"
    )
    add_shared(part, "--output", help=IMAGE)
    add_shared(part, "--overwrite")
    _add_saliency(kind(saliency, "plot how much each joint contributes to a class"))


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="checkpoint, or config")
    add_shared(parser, "--checkpoint", help="weights of the network, for a config")


def _add_play(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="annotation file or packed store")
    add(
        "--sample",
        nargs="+",
        metavar="ID",
        help="id (frame_dir) of the sequence (default: the first). Several sequences are "
        "played one after another",
    )
    add_shared(
        parser,
        "--output",
        nargs="+",
        required=True,
        help="files to write, .html, .gif, or .mp4",
    )
    add_shared(parser, "--layout", "--overwrite", "--device", "--checkpoint")
    add("--fps", type=float, default=30, help="frames per second (default: 30)")
    add("--up", choices=AXES, help="axis that points up in 3D (default: detected)")
    add(
        "--azimuth",
        type=float,
        default=0,
        help="camera azimuth in degrees (default: 0)",
    )
    add(
        "--elevation",
        type=float,
        default=10,
        help="camera elevation in degrees (default: 10)",
    )
    add("--pixels", type=positive, default=480, help="height in pixels (default: 480)")
    add("--model", nargs="+", metavar="MODEL", help="checkpoint, or config")
    add(
        "--size",
        choices=("response", "saliency"),
        help="property shown by the size of a joint: the magnitude of its features in the "
        "last layer (response), or its contribution to the predicted class (saliency)",
    )
    add(
        "--scores", action="store_true", help="show the scores of the classes over time"
    )
    add("--window", type=positive, default=32, help="frames per window (default: 32)")
    add(
        "--stride", type=positive, default=4, help="frames between windows (default: 4)"
    )


def _add_saliency(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_model(parser)
    add("words", nargs="+", metavar="FILE", help="annotation file or packed store")
    add(
        "--sample",
        metavar="ID",
        help="id (frame_dir) of the sequence (default: the first)",
    )
    add("--label", type=int, help="index of the class (default: the predicted class)")
    add("--steps", type=positive, default=16, help="integration steps (default: 16)")
    add(
        "--check",
        action="store_true",
        help="evaluate the saliency by deleting joints, by decreasing saliency and at "
        "random",
    )
    add_shared(parser, "--split", help="split for --check (default: all samples)")
    add(
        "--cfg-options",
        nargs="+",
        default=[],
        type=key_value,
        metavar="KEY=VALUE",
        help="override entries of the config",
    )
    add(
        "--repeats",
        type=positive,
        default=5,
        help="number of random orders for --check (default: 5)",
    )
    add_shared(parser, "--device", "--overwrite")
    add_shared(parser, "--output", required=True, help=IMAGE)


def run(args: argparse.Namespace) -> None:
    from ..visualization.files import FIGURES, check_picture

    outputs = args.output if args.kind == "play" else [args.output]
    for path in filter(None, outputs):
        check_picture(path, CLIPS if args.kind == "play" else FIGURES)
    check_overwrite(args.overwrite, *outputs)
    if args.kind == "graph" and not args.list and args.output is None:
        raise _usage("--output", "is required, except with --list")
    if args.draw(args) is not False:
        for path in outputs:
            print(f"wrote {path}")


def play(args: argparse.Namespace) -> None:
    from ..visualization.files import write_gif, write_mp4
    from ..visualization.frames import render
    from ..visualization.page import page, write_page
    from ..visualization.play import load_scenes

    if args.fps <= 0:
        raise _usage("--fps", f"is {args.fps:g}, expected a positive number")
    if (args.size or args.scores) and not args.model:
        raise _usage("--model", "is required by --size and --scores")
    model, *words = args.model or [None]
    if pop_checkpoint(args, words, after=0):
        raise _usage("--model", "must be a single file, with --checkpoint for a config")
    samples = args.sample or [None]
    if len(samples) > 1 and any(path.endswith(".html") for path in args.output):
        raise _usage("--sample", "must be a single ID for an .html file")
    scenes = load_scenes(
        args.file,
        samples,
        args.layout,
        args.up,
        args.fps,
        model,
        args.checkpoint,
        args.device,
        args.size,
        (args.window, args.stride) if args.scores else None,
    )
    view = (args.azimuth, args.elevation)
    for path in args.output:
        if path.endswith(".html"):
            write_page(path, page(scenes[0], *view))
        else:
            write = write_gif if path.endswith(".gif") else write_mp4
            frames = (render(scene, *view, args.pixels) for scene in scenes)
            write(path, chain.from_iterable(frames), args.fps)


def confusion(args: argparse.Namespace) -> None:
    from ..visualization.confusion import confusion_figure
    from ..visualization.files import save_figure

    (counts,) = _counts(args).values()
    save_figure(confusion_figure(counts, _names(args), args.scores[0]), args.output)


def classes(args: argparse.Namespace) -> None:
    from ..visualization.confusion import class_bars
    from ..visualization.files import save_figure

    save_figure(class_bars(_counts(args), _names(args)), args.output)


def _counts(args: argparse.Namespace) -> dict[str, "np.ndarray"]:
    from ..evaluation import labels_of, read_scores
    from ..evaluation.statistics import counts_of

    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    return {path: counts_of(read_scores(path, known)) for path in args.scores}


def _names(args: argparse.Namespace) -> list[str] | None:
    from ..evaluation.score_files import class_names_of

    return class_names_of(args.ann_file) if args.ann_file else None


def curves(args: argparse.Namespace) -> None:
    from ..visualization.curves import curves_figure
    from ..visualization.files import save_figure

    save_figure(curves_figure(args.folders), args.output)


def graph(args: argparse.Namespace) -> bool:
    if pop_checkpoint(args, args.words, after=0):
        raise _usage("MODEL", "must be a single file, with --checkpoint for a config")

    # Imported after the checks, since these modules import PyTorch.
    from ..apis.trained import load_model, load_network
    from ..skeletons import skeleton
    from ..visualization.files import save_figure
    from ..visualization.graph_maps import graph_figure, learned_graphs

    cfg, checkpoint = load_network(args.model, args.checkpoint)
    model = load_model(cfg, checkpoint, "cpu").model
    layers = learned_graphs(model)
    if args.list:
        for name, layer in layers.items():
            print(name, "x".join(map(str, layer.used.shape)))
        return False
    joints = skeleton(model.backbone.graph.layout).joints
    spatial = [
        name for name, layer in layers.items() if layer.used.shape[1] == len(joints)
    ]
    chosen = args.layer or next(iter(spatial or layers), None)
    if chosen not in layers:
        raise ConfigError(
            (
                f"the network has no layer {chosen!r} with a learned graph, expected one "
                f"of {', '.join(layers)}"
                if layers
                else "the network has no layer with a learned graph. Pass another network."
            ),
            kind="unknown-name",
            file=args.model,
            field="--layer",
        )
    save_figure(
        graph_figure(layers[chosen], joints, f"{checkpoint}, {chosen}"), args.output
    )
    return True


def saliency(args: argparse.Namespace) -> None:
    from ..apis.trained import load_network
    from ..skeletons import skeleton
    from ..visualization.explainer import Explainer
    from ..visualization.files import save_figure
    from ..visualization.saliency import saliency_figure
    from ..visualization.scene import read_sample, sample_name

    files = pop_checkpoint(args, args.words)
    if len(files) != 1:
        raise _usage("FILE", f"must be a single file, got {len(files)}")
    cfg, checkpoint = load_network(args.model, args.checkpoint)
    cfg.merge_from_dict(_cfg_options(args.cfg_options))
    explainer = Explainer(cfg, checkpoint, args.device)
    if args.check:
        return _check(args, explainer, files[0])
    sample, _, _ = read_sample(files[0], args.sample)
    known = len(explainer.classes)
    if args.label is not None and not 0 <= args.label < known:
        raise _option("--label", f"is {args.label}, expected 0 to {known - 1}")
    values, label = explainer.saliency(explainer.clips(sample), args.label, args.steps)
    joints = skeleton(explainer.model.backbone.graph.layout).joints
    title = f"{sample_name(sample)}: contributions to {explainer.classes[label]}"
    save_figure(saliency_figure(values, joints, title), args.output)


def _check(args: argparse.Namespace, explainer: "Explainer", file: str) -> None:
    from ..annotations.check import check_annotations, id_field, samples_of
    from ..stores.packing import load_any
    from ..visualization.deletion import check_saliency, deletion_figure
    from ..visualization.files import save_figure

    data = load_any(file)
    check_annotations(data, args.split, file)
    samples = samples_of(data, file)
    if isinstance(data, dict) and args.split is not None:
        ids, key = set(data["split"][args.split]), id_field(samples)
        samples = [sample for sample in samples if sample[key] in ids]
    deletions = check_saliency(explainer, samples, args.steps, args.repeats)
    for deletion in deletions:
        print(
            f"\n{deletion.samples} samples, top-1 % / mean score % of the predicted "
            f"class\n\n{deletion.table()}"
        )
    save_figure(deletion_figure(deletions), args.output)


def _cfg_options(words: list[str]) -> dict[str, Any]:
    """Return the dictionary of KEY=VALUE arguments, parsed as by MMEngine's tools."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--cfg-options", nargs="*", action=DictAction)
    args = parser.parse_args(["--cfg-options", *words])
    return args.cfg_options or {}


def _usage(option: str, message: str) -> argparse.ArgumentError:
    return argparse.ArgumentError(None, f"{option} {message}")


def _option(field: str, message: str) -> ConfigError:
    return ConfigError(f"{field} {message}", kind="option", field=field)
