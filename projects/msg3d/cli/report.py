"""Report the accuracy in a score file with its uncertainty, and its calibration.

SCORES is a file from `msg3d test ... --dump`, or of another format of `msg3d fuse`. The
report contains the top-1 accuracy with its 95 % Wilson interval, the expected calibration
error (ECE), and the recall, precision, and F1 of each class. With a second file, McNemar's
test tells whether the accuracies differ by more than chance:

    msg3d report scores.pkl
    msg3d report scores.pkl other.pkl
    msg3d report scores.pkl --pictures pictures    # confusion.png, reliability.png

The intervals and the test cover the choice of the test samples, but not of the seed of
the training.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import add_shared, check_overwrite, positive_number

if TYPE_CHECKING:
    import numpy as np

    from ..evaluation import Scores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("scores", metavar="SCORES", help="score file with labels")
    add(
        "other", nargs="?", metavar="OTHER", help="scores of another network to compare"
    )
    add(
        "--ann-file",
        metavar="FILE",
        help="annotation file, for class names, and for labels if a score file has none",
    )
    add_shared(parser, "--split")
    add(
        "--temperature",
        type=positive_number,
        metavar="T",
        help="apply a temperature from `msg3d calibrate` to SCORES",
    )
    add(
        "--pictures",
        metavar="DIR",
        help="write the confusion matrix and the reliability diagram of SCORES",
    )
    add_shared(parser, "--json", "--overwrite")


def run(args: argparse.Namespace) -> None:
    from dataclasses import replace

    from tabulate import tabulate

    from ..evaluation import aligned, apply_temperature, labels_of, mcnemar
    from ..evaluation.fusion_files import read_streams
    from ..evaluation.score_files import class_names_of
    from ..evaluation.statistics import class_names, class_table, counts_of
    from ..io.atomic import write_json
    from ..stores.out_path import check_file

    pictures = []
    if args.pictures:
        folder = Path(args.pictures)
        pictures = [
            str(folder / f"{name}.png") for name in ("confusion", "reliability")
        ]
    if args.json:
        check_file(args.json)
    check_overwrite(args.overwrite, args.json, *pictures)
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    names = class_names_of(args.ann_file) if args.ann_file else None
    files = [args.scores, args.other] if args.other else [args.scores]
    streams = read_streams(files, known, probabilities=True)
    if args.other:
        streams = aligned(streams)
    first = streams[0]
    if args.temperature:
        values = apply_temperature(first.values, args.temperature)
        streams[0] = first = replace(first, values=values)
    counts = counts_of(first)
    names = class_names(len(counts), names)
    report: dict[str, Any] = {
        "samples": len(first.values),
        "temperature": args.temperature,
        "scores": {stream.source: summary(stream) for stream in streams},
        "classes": class_table(counts),
    }
    print(f"{len(first.values)} samples, {len(names)} classes")
    lines = [
        {"scores": source, **numbers, "interval": f"{low:.2f} - {high:.2f}"}
        for source, numbers in report["scores"].items()
        for low, high in [numbers["interval"]]
    ]
    print(tabulate(lines, headers="keys", floatfmt=".2f"))
    table = [
        dict(line, **{"class": names[line["class"]]}) for line in report["classes"]
    ]
    print(tabulate(table, headers="keys", floatfmt=".2f"))
    if args.other:
        correct = [stream.values.argmax(1) == stream.labels for stream in streams]
        result = mcnemar(*correct)
        report["mcnemar"] = result._asdict()
        print(
            f"correct only in {args.scores}: {result.first_only}, only in {args.other}: "
            f"{result.second_only}; McNemar's exact test: p = {result.p_value:.3g}"
        )
    if args.json:
        write_json(report, args.json)
    if args.pictures:
        _draw(first, counts, names, pictures)


def _draw(
    scores: "Scores", counts: "np.ndarray", names: list[str], pictures: list[str]
) -> None:
    from ..evaluation.statistics import labels_in
    from ..visualization.confusion import confusion_figure
    from ..visualization.files import save_figure
    from ..visualization.reliability import reliability_figure

    title = Path(scores.source).name
    Path(pictures[0]).parent.mkdir(parents=True, exist_ok=True)
    figures = (
        confusion_figure(counts, names, title),
        reliability_figure(scores.values, labels_in(scores), title),
    )
    for figure, path in zip(figures, pictures, strict=True):
        save_figure(figure, path)
        print(f"wrote {path}")


def summary(scores: "Scores") -> dict[str, Any]:
    """Return top-1, its 95 % interval, mean class accuracy, and ECE, in percent."""
    from ..evaluation import calibration_error, wilson_interval
    from ..evaluation.fusion import accuracies
    from ..evaluation.statistics import labels_in

    labels = labels_in(scores)
    correct = int((scores.values.argmax(1) == labels).sum())
    interval = wilson_interval(correct, len(labels))
    accuracy = accuracies(scores.values, labels)
    return {
        "top1": accuracy["top1"],
        "interval": [100 * bound for bound in interval],
        "mean_class": accuracy["mean_class"],
        "ece": 100 * calibration_error(scores.values, labels),
    }
