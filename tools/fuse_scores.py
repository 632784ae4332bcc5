"""Fuse the scores of several streams by sample id: accuracy, change per class, file.

Takes dumps of `mim test ... --dump`, of PYSKL, and the original epoch1_test_score.pkl.
Two streams as the authors weighted them: tools/fuse_scores.py joint.pkl bone.pkl; four
as PYSKL does: joint.pkl bone.pkl joint_motion.pkl bone_motion.pkl --weights 2 2 1 1.
Of one file alone, its accuracy; with --out NAME.npz, the same scores without any pickle.
"""

import argparse
import json
import os
import pickle
import sys

import numpy as np
from tabulate import tabulate

from msg3d.errors import DataError
from msg3d.evaluation import (
    Scores,
    aligned,
    fuse,
    labels_of,
    read_scores,
    search_weights,
)
from msg3d.evaluation.fusion import accuracies
from msg3d.evaluation.score_npz import write_score_npz
from msg3d.io.atomic import whole_file
from msg3d.stores.out_path import check_file


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scores", nargs="+", help="a file a stream")
    parser.add_argument(
        "--weights", nargs="+", type=float, help="0 or more; default: 1 each"
    )
    parser.add_argument(
        "--search",
        nargs="+",
        metavar="SCORES",
        help="find the weights on these files, in the order of the streams: scores of "
        "a split that is neither trained nor tested on",
    )
    parser.add_argument(
        "--ann-file",
        help="annotation file or val_label.pkl: labels, and ids for files without any",
    )
    parser.add_argument("--split", help="of --ann-file")
    parser.add_argument(
        "--probabilities", action="store_true", help="put logits through softmax first"
    )
    parser.add_argument(
        "--out",
        help="the fused scores: NAME.pkl, a dump; or NAME.npz, arrays without any pickle",
    )
    parser.add_argument("--json", help="all figures")
    args = parser.parse_args()
    try:
        _run(args)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    if args.search and args.weights:
        raise DataError("--weights and --search exclude each other: give one")
    for out in filter(None, (args.json, args.out)):
        check_file(out)
    if args.out and not args.out.endswith((".pkl", ".npz")):
        raise DataError(f"--out {args.out}: expected a name that ends in .pkl or .npz")
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    streams = _read(args.scores, known, args.probabilities)
    labels = streams[0].labels
    if labels is None:
        raise DataError(
            "no file has labels: name the data set's --ann-file and --split"
        )
    weights, report = args.weights or [1.0] * len(streams), {}
    if args.search:
        searched = _read(args.search, None, args.probabilities)
        _check_search(searched, streams)
        weights, reached = search_weights(searched)
        report["search"] = dict(files=args.search, top1=100 * reached)
        print(f"weights {list(weights)}, {100 * reached:.2f} where they were searched")
    values = fuse(streams, weights)
    rows = [(one.source, weight, one.values) for one, weight in zip(streams, weights)]
    if len(streams) > 1:
        rows.append(("fused", "", values))
    table = [(name, weight, accuracies(one, labels)) for name, weight, one in rows]
    names = ("top1", "top5", "mean_class")
    print(f"{len(labels)} samples, {values.shape[1]} classes")
    print(
        tabulate(
            [
                [name, weight, *(one[key] for key in names)]
                for name, weight, one in table
            ],
            headers=["scores", "weight", *names],
            floatfmt=".2f",
        )
    )
    changes = _changes(table, labels)
    print(tabulate(changes, headers="keys", floatfmt=".2f"))
    report.update(
        samples=len(labels),
        weights=list(weights),
        scores={name: one for name, _, one in table},
        classes=changes,
    )
    if args.json:
        with whole_file(args.json, "x") as file:
            json.dump(report, file, indent=1)
    if args.out:
        _dump(args.out, streams[0].ids, values / sum(weights), labels)


def _read(paths, known, probabilities) -> list[Scores]:
    files: dict[str, str] = {}
    for path in paths:
        file = os.path.realpath(path)
        first = files.get(file)
        if first is not None:
            raise DataError(
                f"{path} is there twice{'' if first == path else f', as {first} too'}: "
                "name each stream once, and give it a larger weight if it is to count "
                "for more"
            )
        files[file] = path
    streams = [read_scores(path, known) for path in paths]
    for one in streams:
        kind = "probabilities" if one.probabilities else "logits"
        print(f"{one.source}: {one.form}, {len(one.values)} samples, {kind}")
    if len({one.probabilities for one in streams}) > 1:
        print("logits and probabilities: the logits go through softmax")
    if probabilities:
        streams = [one.as_probabilities() for one in streams]
    return aligned(streams)


def _check_search(searched: list[Scores], streams: list[Scores]) -> None:
    if len(searched) != len(streams):
        raise DataError(
            f"--search has {len(searched)} files for {len(streams)} streams: give one "
            "each, in their order"
        )
    both = set(searched[0].ids) & set(streams[0].ids)
    if both:
        raise DataError(
            f"--search shares {len(both)} samples with the test, such as "
            f"{sorted(both)[:3]}: search on a split that is not the test split"
        )
    if searched[0].labels is None:
        raise DataError("the files of --search have no labels: dump them with mim test")


def _changes(table, labels) -> list[dict]:
    """A line a class: its samples, its accuracy in the best stream, fused, and the
    change, worst first; of a single stream its accuracy, lowest first."""
    *streams, (_, _, fused) = table
    counts = dict(zip(*np.unique(labels, return_counts=True)))
    if not streams:
        lines = [
            {"class": label, "samples": int(counts[label]), "accuracy": accuracy}
            for label, accuracy in fused["classes"].items()
        ]
        return sorted(lines, key=lambda line: line["accuracy"])
    best = max(streams, key=lambda row: row[2]["top1"])[2]
    lines = [
        {
            "class": label,
            "samples": int(counts[label]),
            "best stream": best["classes"][label],
            "fused": accuracy,
            "change": accuracy - best["classes"][label],
        }
        for label, accuracy in fused["classes"].items()
    ]
    return sorted(lines, key=lambda line: line["change"])


def _dump(path, ids, values, labels) -> None:
    if path.endswith(".npz"):
        write_score_npz(path, ids, values, labels)
        print(f"wrote {path}")
        return
    samples = [
        dict(frame_dir=name, pred_score=row, gt_label=np.array([label]))
        for name, row, label in zip(ids, values, labels)
    ]
    with whole_file(path) as file:
        pickle.dump(samples, file, protocol=4)
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
