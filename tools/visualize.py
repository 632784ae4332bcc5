"""Pictures of skeleton sequences, results and networks.

    python tools/visualize.py play mine.pkl --sample wave01 --out wave.html wave.gif
    python tools/visualize.py play mine.pkl --out wave.mp4 --model CONFIG CHECKPOINT \\
        --size response --scores
    python tools/visualize.py confusion scores.pkl --ann-file mine.pkl --out matrix.png
    python tools/visualize.py classes joint.pkl bone.pkl --ann-file mine.pkl --out a.png
    python tools/visualize.py curves work_dirs/mine --out curves.png
    python tools/visualize.py graph CONFIG CHECKPOINT --out graph.png
    python tools/visualize.py saliency CONFIG CHECKPOINT mine.pkl --out map.png
    python tools/visualize.py saliency CONFIG CHECKPOINT mine.pkl --check \\
        --split xsub_val --out deletion.png
"""

import argparse
import pickle
import sys
from pathlib import Path

from mmengine.config import DictAction

from msg3d import Recognizer
from msg3d.annotations.check import check_annotations, id_field, samples_of
from msg3d.apis.trained import load_config, load_model
from msg3d.cli.options import positive
from msg3d.errors import ConfigError
from msg3d.evaluation import labels_of, read_scores
from msg3d.skeletons import SKELETONS, skeleton
from msg3d.stores.packing import load_any
from msg3d.visualization.confusion import class_bars, confusion_figure, counts_of
from msg3d.visualization.curves import curves_figure
from msg3d.visualization.deletion import check_saliency, deletion_figure
from msg3d.visualization.explainer import Explainer, scores_over_time, sizes_of
from msg3d.visualization.files import (
    check_picture,
    save_figure,
    write_gif,
    write_mp4,
)
from msg3d.visualization.frames import render
from msg3d.visualization.graph_maps import graph_figure, learned_graphs
from msg3d.visualization.page import page, write_page
from msg3d.visualization.saliency import saliency_figure
from msg3d.visualization.scene import UPRIGHT, Scene, read_sample, upright

CLIPS = (".gif", ".mp4", ".html")


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(run, name: str, text: str):
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one.add_argument

    add = command(play, "play", "a sequence as a gif, an mp4 or an html page")
    add("file", help="annotation file or packed store")
    add("--sample", metavar="ID", help="its frame_dir (default: the first)")
    add("--out", nargs="+", required=True, help=f"files that end in {' '.join(CLIPS)}")
    add(
        "--layout", choices=SKELETONS, help="of the joints (default: what the file has)"
    )
    add("--fps", type=float, default=30, help="frames a second (default: 30)")
    add("--up", choices=UPRIGHT, help="axis of 3D that points up (default: found)")
    add("--azimuth", type=float, default=0, help="viewer's place, degrees to the right")
    add("--elevation", type=float, default=10, help="degrees above (default: 10)")
    add("--pixels", type=positive, default=480, help="width (default: 480)")
    add("--model", nargs=2, metavar=("CONFIG", "CHECKPOINT"), help="a trained network")
    add("--device", help="cpu, cuda ... (default: a GPU if there is one)")
    add(
        "--size",
        choices=("response", "saliency"),
        help="what the joints' size shows: the magnitude of the last features, or how "
        "much a joint speaks for what the network says",
    )
    add("--scores", action="store_true", help="the classes' scores over time")
    add("--window", type=positive, default=32, help="frames of a score (default: 32)")
    add("--step", type=positive, default=4, help="frames between them (default: 4)")

    for run, name, text in (
        (confusion, "confusion", "confusion matrix and accuracy a class"),
        (classes, "classes", "accuracy a class, of one score file or several"),
    ):
        add = command(run, name, text)
        add("scores", nargs="+" if run is classes else 1, help="dumps of a test")
        add("--ann-file", help="for names of classes, and labels if a dump has none")
        add("--split", help="of the annotation file, for dumps without ids")
        add("--out", required=True)

    add = command(curves, "curves", "loss, accuracy and learning rate over epochs")
    add("folders", nargs="+", metavar="WORK_DIR")
    add("--out", required=True)

    add = command(graph, "graph", "the learned graph of a layer, scale by scale")
    add("config")
    add("checkpoint")
    add("--layer", help="its name (default: the first of single frames)")
    add("--list", action="store_true", help="name the layers and draw nothing")
    add("--out")

    add = command(saliency, "saliency", "how much each joint speaks for a class")
    add("config")
    add("checkpoint")
    add("file", help="annotation file or packed store")
    add("--sample", metavar="ID", help="its frame_dir (default: the first)")
    add("--label", type=int, help="of the class (default: what the network says)")
    add("--steps", type=positive, default=16, help="of the integral (default: 16)")
    add(
        "--check",
        action="store_true",
        help="delete the most salient first, and at random",
    )
    add("--split", help="whose samples to check (default: all)")
    add("--cfg-options", nargs="+", action=DictAction, help="key=value in the config")
    add("--repeats", type=positive, default=5, help="random orders (default: 5)")
    add("--device", help="cpu, cuda ... (default: a GPU if there is one)")
    add("--out", required=True)
    return whole


def main() -> int:
    args = parser().parse_args()
    try:
        args.run(args)
    # ImportError: a config's own modules. UnpicklingError: what is no checkpoint.
    except (ValueError, OSError, ImportError, pickle.UnpicklingError) as error:
        print(f"visualize.py: {error}", file=sys.stderr)
        return 1
    for path in args.out if isinstance(args.out, list) else [args.out]:
        if path is not None:
            print(f"wrote {path}")
    return 0


def play(args: argparse.Namespace) -> None:
    for path in args.out:
        check_picture(path, CLIPS)
    if args.fps <= 0:
        raise ConfigError(
            f"--fps is {args.fps:g}, expected more than 0", kind="option", field="--fps"
        )
    if (args.size or args.scores) and not args.model:
        raise ConfigError(
            "--size and --scores require --model CONFIG CHECKPOINT",
            kind="option",
            field="--model",
        )
    scene = _scene(args)
    view = (args.azimuth, args.elevation)
    for path in args.out:
        if path.endswith(".html"):
            write_page(path, page(scene, *view))
        else:
            write = write_gif if path.endswith(".gif") else write_mp4
            write(path, render(scene, *view, args.pixels), args.fps)


def _scene(args: argparse.Namespace) -> Scene:
    sample, layout, meta = read_sample(args.file, args.sample, args.layout)
    keypoint, sizes, scores = sample["keypoint"], None, None
    title = _name(sample)
    label, names = sample.get("label"), meta.get("classes")
    if isinstance(label, int) and names and 0 <= label < len(names):
        title += f", {names[label]}"
    if args.size:
        explainer = Explainer(*args.model, args.device)
        clips = explainer.clips(sample)
        keypoint = clips.sequence
        layout = skeleton(explainer.model.backbone.graph.layout)
        if args.size == "response":
            sizes = explainer.response(clips)
        else:
            found, said = explainer.saliency(clips)
            sizes = sizes_of(found)
            title += f"; the network says {explainer.classes[said]}"
    if args.scores:
        recognizer = Recognizer(*args.model, device=args.device)
        scores = scores_over_time(recognizer, sample, args.window, args.step)
        scores = scores.among(sample["keypoint"], keypoint.shape[1])
    points = upright(keypoint, layout, args.up)
    return Scene(title, layout, points, sizes, scores, args.fps)


def _name(sample: dict) -> str:
    return str(sample.get("frame_dir", sample.get("filename")))


def confusion(args: argparse.Namespace) -> None:
    check_picture(args.out)
    (counts,) = _counts(args).values()
    save_figure(confusion_figure(counts, _names(args), args.scores[0]), args.out)


def classes(args: argparse.Namespace) -> None:
    check_picture(args.out)
    save_figure(class_bars(_counts(args), _names(args)), args.out)


def _counts(args: argparse.Namespace) -> dict:
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    return {path: counts_of(read_scores(path, known)) for path in args.scores}


def _names(args: argparse.Namespace) -> list[str] | None:
    data = load_any(args.ann_file) if args.ann_file else None
    meta = data.get("meta") if isinstance(data, dict) else None
    return meta.get("classes") if isinstance(meta, dict) else None


def curves(args: argparse.Namespace) -> None:
    check_picture(args.out)
    save_figure(curves_figure(args.folders), args.out)


def graph(args: argparse.Namespace) -> None:
    if not args.list:
        if args.out is None:
            raise ConfigError("--out is required", kind="option", field="--out")
        check_picture(args.out)
    model, _ = load_model(load_config(args.config), args.checkpoint, "cpu")
    found = learned_graphs(model)
    if args.list:
        args.out = None
        for name, one in found.items():
            print(name, "x".join(map(str, one.used.shape)))
        return
    joints = skeleton(model.backbone.graph.layout).joints
    spatial = [name for name, one in found.items() if one.used.shape[1] == len(joints)]
    layer = args.layer or next(iter(spatial or found), None)
    if layer not in found:
        raise ConfigError(
            f"the network has no layer {layer!r} with a graph, only "
            f"{', '.join(found) or 'none'}",
            kind="unknown-name",
            file=args.config,
            field="--layer",
        )
    title = f"{Path(args.checkpoint).name}, {layer}"
    save_figure(graph_figure(found[layer], joints, title), args.out)


def saliency(args: argparse.Namespace) -> None:
    check_picture(args.out)
    cfg = load_config(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    explainer = Explainer(cfg, args.checkpoint, args.device)
    if args.check:
        return _check(args, explainer)
    sample, _, _ = read_sample(args.file, args.sample)
    known = len(explainer.classes)
    if args.label is not None and not 0 <= args.label < known:
        raise ConfigError(
            f"--label is {args.label}, expected 0 to {known - 1}",
            kind="option",
            field="--label",
        )
    found, label = explainer.saliency(explainer.clips(sample), args.label, args.steps)
    joints = skeleton(explainer.model.backbone.graph.layout).joints
    title = f"{_name(sample)}: what speaks for {explainer.classes[label]}"
    save_figure(saliency_figure(found, joints, title), args.out)


def _check(args: argparse.Namespace, explainer: Explainer) -> None:
    data = load_any(args.file)
    check_annotations(data, args.split, args.file)
    samples = samples_of(data, args.file)
    if args.split is not None:
        wanted, key = set(data["split"][args.split]), id_field(samples)
        samples = [one for one in samples if one[key] in wanted]
    found = check_saliency(
        explainer,
        samples,
        args.steps,
        args.repeats,
        progress=lambda done: print(f"\r{done}/{len(samples)}", end="", flush=True),
    )
    print()
    for one in found:
        print(f"\n{one.samples} samples, top-1 % / score % of what was said\n")
        print(one.table())
    save_figure(deletion_figure(found), args.out)


if __name__ == "__main__":
    sys.exit(main())
