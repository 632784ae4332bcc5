"""Fuse the scores of several streams by sample id: accuracy, change per class, file.

Takes dumps of `mim test ... --dump`, of PYSKL, and the original epoch1_test_score.pkl.
Two streams as the authors weighted them: tools/fuse_scores.py joint.pkl bone.pkl; four
as PYSKL does: joint.pkl bone.pkl joint_motion.pkl bone_motion.pkl --weights 2 2 1 1.
With one file, prints its accuracy; --out NAME.npz writes its scores without any pickle.
"""

import argparse
import json
import os
import pickle
import sys

import numpy as np
from tabulate import tabulate

from msg3d.errors import ConfigError, DataError, MSG3DError
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
    parser.add_argument("scores", nargs="+", help="one file per stream")
    parser.add_argument(
        "--weights", nargs="+", type=float, help="0 or more; default: 1 each"
    )
    parser.add_argument(
        "--search",
        nargs="+",
        metavar="SCORES",
        help="search the weights on these files, in the order of the streams: scores of "
        "a split that is used for neither training nor testing",
    )
    parser.add_argument(
        "--ann-file",
        help="annotation file or val_label.pkl: labels, and ids for files without ids",
    )
    parser.add_argument("--split", help="of --ann-file")
    parser.add_argument(
        "--probabilities", action="store_true", help="apply softmax to logits first"
    )
    parser.add_argument(
        "--out",
        help="write the fused scores: NAME.pkl, a dump; or NAME.npz, arrays without any "
        "pickle",
    )
    parser.add_argument("--json", help="write all figures")
    args = parser.parse_args()
    try:
        _run(args)
    except (MSG3DError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    if args.search and args.weights:
        raise ConfigError(
            "--weights and --search exclude each other: give one", kind="option"
        )
    for out in filter(None, (args.json, args.out)):
        check_file(out)
    if args.out and not args.out.endswith((".pkl", ".npz")):
        raise ConfigError(
            "--out needs a name that ends in .pkl or .npz",
            kind="file-name",
            file=args.out,
        )
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    streams = _read(args.scores, known, args.probabilities)
    labels = streams[0].labels
    if labels is None:
        raise DataError(
            "no file has labels: name the data set's --ann-file and --split",
            kind="label",
        )
    weights, report = args.weights or [1.0] * len(streams), {}
    if args.search:
        searched = _read(args.search, None, args.probabilities)
        _check_search(searched, streams)
        weights, reached = search_weights(searched)
        report["search"] = dict(files=args.search, top1=100 * reached)
        print(f"weights {list(weights)}, {100 * reached:.2f} on the files of --search")
    values = fuse(streams, weights)
    rows = [
        (stream.source, weight, stream.values)
        for stream, weight in zip(streams, weights)
    ]
    if len(streams) > 1:
        rows.append(("fused", "", values))
    table = [(name, weight, accuracies(part, labels)) for name, weight, part in rows]
    names = ("top1", "top5", "mean_class")
    print(f"{len(labels)} samples, {values.shape[1]} classes")
    print(
        tabulate(
            [
                [name, weight, *(figures[key] for key in names)]
                for name, weight, figures in table
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
        scores={name: figures for name, _, figures in table},
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
            raise ConfigError(
                f"is given twice{'' if first == path else f', also as {first}'}: name "
                "each stream once, and give it a larger weight if it should count more",
                kind="duplicate",
                file=path,
            )
        files[file] = path
    streams = [read_scores(path, known) for path in paths]
    for stream in streams:
        kind = "probabilities" if stream.probabilities else "logits"
        print(f"{stream.source}: {stream.form}, {len(stream.values)} samples, {kind}")
    if len({stream.probabilities for stream in streams}) > 1:
        print("logits and probabilities: applying softmax to the logits")
    if probabilities:
        streams = [stream.as_probabilities() for stream in streams]
    return aligned(streams)


def _check_search(searched: list[Scores], streams: list[Scores]) -> None:
    if len(searched) != len(streams):
        raise ConfigError(
            f"--search has {len(searched)} files for {len(streams)} streams: give one "
            "each, in their order",
            kind="option",
        )
    both = set(searched[0].ids) & set(streams[0].ids)
    if both:
        raise DataError(
            f"--search shares {len(both)} samples with the test, such as "
            f"{sorted(both)[:3]}: search on a split that is not the test split",
            kind="split",
        )
    if searched[0].labels is None:
        raise DataError(
            "the files of --search have no labels: dump them with mim test",
            kind="label",
        )


def _changes(table, labels) -> list[dict]:
    """One line per class: samples, accuracy in the best stream and fused, and the
    change, worst first; for a single stream its accuracy, lowest first."""
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
