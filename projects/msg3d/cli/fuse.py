"""Fuse the scores of several streams by sample id, and compare their accuracy.

SCORES are files from `msg3d test ... --dump`, from PYSKL, or from the original code
(epoch1_test_score.pkl). The following commands fuse two streams with the weights of the
MS-G3D authors, and four streams with the weights of PYSKL:

    msg3d fuse joint.pkl bone.pkl
    msg3d fuse joint.pkl bone.pkl joint_motion.pkl bone_motion.pkl \\
        --fusion-weights 2 2 1 1

For a single file, its accuracy is printed. `msg3d report` prints more about it.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .options import add_shared, check_overwrite

if TYPE_CHECKING:
    from ..evaluation import Scores

RENAMED = {"--weights": "--fusion-weights", "--out": "--output"}


def weight(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("scores", nargs="+", metavar="SCORES", help="one file per stream")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--fusion-weights",
        nargs="+",
        type=weight,
        metavar="WEIGHT",
        help="weight of each stream, at least 0 (default: 1)",
    )
    weights.add_argument(
        "--search",
        nargs="+",
        metavar="SCORES",
        help="search for the weights with the best accuracy on these files, one per "
        "stream, from a split that is used for neither training nor testing",
    )
    add(
        "--ann-file",
        metavar="FILE",
        help="annotation file or val_label.pkl, for score files without labels or ids",
    )
    add_shared(parser, "--split")
    add("--probabilities", action="store_true", help="apply softmax to logits first")
    add_shared(parser, "--output", help="write the fused scores, .pkl or .npz")
    add_shared(parser, "--json", "--overwrite")


def run(args: argparse.Namespace) -> None:
    if args.fusion_weights and len(args.fusion_weights) != len(args.scores):
        raise argparse.ArgumentError(
            None,
            f"--fusion-weights: got {len(args.fusion_weights)} weights for "
            f"{len(args.scores)} files, expected one weight per file",
        )
    if args.fusion_weights and not any(args.fusion_weights):
        raise argparse.ArgumentError(
            None, "--fusion-weights: all weights are 0, expected a positive weight"
        )
    from tabulate import tabulate

    from ..errors import ConfigError, DataError
    from ..evaluation import aligned, fuse, labels_of, search_weights
    from ..evaluation.fusion import accuracies
    from ..evaluation.fusion_files import (
        check_search,
        class_changes,
        read_streams,
        write_scores,
    )
    from ..io.atomic import write_json
    from ..stores.out_path import check_file

    for path in filter(None, (args.json, args.output)):
        check_file(path)
    if args.output and not args.output.endswith((".pkl", ".npz")):
        raise ConfigError(
            "the output file must end in .pkl or .npz",
            kind="file-name",
            file=args.output,
        )
    check_overwrite(args.overwrite, args.output, args.json)
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    streams = read_streams(args.scores, known, args.probabilities)
    if not args.quiet:
        _describe(streams)
    streams = aligned(streams)
    labels = streams[0].labels
    if labels is None:
        raise DataError(
            "the score files have no labels. Pass the annotation file as --ann-file, and "
            "its split as --split.",
            kind="label",
        )
    weights: Sequence[float] = args.fusion_weights or [1.0] * len(streams)
    report: dict[str, Any] = {}
    if args.search:
        searched = aligned(read_streams(args.search, None, args.probabilities))
        check_search(searched, streams)
        weights, accuracy = search_weights(searched)
        report["search"] = {"files": args.search, "top1": 100 * accuracy}
        print(f"weights {list(weights)}, {100 * accuracy:.2f} on the files of --search")
    values = fuse(streams, weights)
    scores = {stream.source: accuracies(stream.values, labels) for stream in streams}
    fused = accuracies(values, labels)
    changes = class_changes(list(scores.values()), fused, labels)
    rows: list[tuple[str, float | str]] = list(zip(scores, weights, strict=True))
    if len(streams) > 1:
        rows.append(("fused", ""))
        scores["fused"] = fused
    names = ("top1", "top5", "mean_class")
    print(f"{len(labels)} samples, {values.shape[1]} classes")
    print(
        tabulate(
            [[*row, *(scores[row[0]][key] for key in names)] for row in rows],
            headers=["scores", "weight", *names],
            floatfmt=".2f",
        )
    )
    print(tabulate(changes, headers="keys", floatfmt=".2f"))
    report.update(
        samples=len(labels), weights=list(weights), scores=scores, classes=changes
    )
    if args.json:
        write_json(report, args.json)
    if args.output:
        write_scores(args.output, streams[0].sample_ids, values / sum(weights), labels)
        print(f"wrote {args.output}")


def _describe(streams: Sequence["Scores"]) -> None:
    for stream in streams:
        kind = "probabilities" if stream.probabilities else "logits"
        print(f"{stream.source}: {stream.form}, {len(stream.values)} samples, {kind}")
    if len({stream.probabilities for stream in streams}) > 1:
        print(
            "Applying softmax to the logits, since other files contain probabilities."
        )
