"""Study of new classes from a few examples: `Recognizer.enroll` on classes not trained on.

Settings are named FEATURES/FOLD. `nw-ucla` trains MS-G3D on five classes of NW-UCLA, and
`both` also on 17 classes of MSR-Action3D, which has the same joints. The other five classes
of NW-UCLA are new. `coordinates` is the baseline without training: the input of the
network. Three classes of MSR-Action3D that contain actions of NW-UCLA are not used, and
neither are sequences that share a frame with another sequence.

An episode draws examples and queries of each new class at random. In protocol `subject`,
they are of different subjects; in protocol `view`, examples are of views 2 and 3, and
queries of view 1. Methods were compared on episodes of MSR-Action3D with the networks of
`nw-ucla`, which were not trained on it.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
from mmengine.config import Config
from tabulate import tabulate

from msg3d.annotations import Sample
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.annotations.leaks import FrameHashes
from msg3d.apis.keypoint_input import to_sample
from msg3d.apis.recognizer import Recognizer
from msg3d.apis.trained import TestPipeline

from . import recipe
from .few_shot_methods import METHODS, OURS, Array, Indices
from .train import folder, spread, train

NW_UCLA, MSR_ACTION3D = "nw_ucla.pkl", "msr_action3d.pkl"
FEATURES = ("coordinates", "nw-ucla", "both")
# The new classes of each fold; each class is new in two folds
FOLDS = {
    "fold1": (0, 1, 2, 3, 4),
    "fold2": (5, 6, 7, 8, 9),
    "fold3": (0, 2, 4, 6, 8),
    "fold4": (1, 3, 5, 7, 9),
}
# High throw, bend, and pickup and throw, which contain actions of NW-UCLA
SIMILAR = (5, 12, 19)
CHANNELS, FRAMES, PASSES = 24, 16, 16
WAYS, EXAMPLES, QUERIES, EPISODES = 5, (1, 5, 10), 15, 200
SHOWN = 5  # examples, in tables of details


def settings() -> list[str]:
    """Return all settings."""
    return [f"{features}/{fold}" for features in FEATURES for fold in FOLDS]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, and classify the queries of episodes of the new classes.

    Returns:
        The setting and seed; `new`, the accuracies in percent by method, protocol, and
        number of examples; `msr`, the same for classes of MSR-Action3D, unless the network
        was trained on them; and `confusion`, the counts of (class, prediction) of the new
        `classes` with five examples and method `enroll`.
    """
    start = time.time()
    features, fold = name.split("/")
    samples = {file: distinct(data / file) for file in (NW_UCLA, MSR_ACTION3D)}
    new = FOLDS[fold]
    base = [s for s in samples[NW_UCLA] if s["label"] not in new]
    other = [s for s in samples[MSR_ACTION3D] if s["label"] not in SIMILAR]
    queried = [s for s in samples[NW_UCLA] if s["label"] in new]
    work_dir.mkdir(parents=True, exist_ok=True)
    ann_file = work_dir / f"{name}.pkl".replace("/", "_")
    trained_on = joined(base, other) if features == "both" else joined(base)
    save_annotations(as_splits(trained_on), ann_file)
    cfg = config(ann_file, len({s["label"] for s in trained_on}))
    if features == "coordinates":
        compute = coordinates(cfg)
    else:
        train(cfg, name, seed, work_dir)
        [checkpoint] = folder(work_dir, name, seed).glob("epoch_*.pth")
        compute = Recognizer(cfg, str(checkpoint), clips=1).features
    protocols = ("any", "subject", "view")
    accuracy, confusion = evaluate(compute(queried), queried, seed, protocols)
    result = {"setting": name, "seed": seed, "new": accuracy, "confusion": confusion}
    names = load_annotations(data / NW_UCLA)["meta"]["classes"]
    result["classes"] = [names[label] for label in new]
    if features != "both":
        result["msr"], _ = evaluate(compute(other), other, seed, protocols[:1])
    return {**result, "seconds": round(time.time() - start)}


def distinct(file: Path) -> list[Sample]:
    """Return the samples that share no frame with a sample before them."""
    samples = sorted(
        load_annotations(file)["annotations"], key=lambda s: s["frame_dir"]
    )
    hashes = FrameHashes({s["frame_dir"]: s["keypoint"] for s in samples})
    seen: set[int] = set()
    kept = []
    for sample in samples:
        frames = set(hashes.of(sample["frame_dir"]).tolist()) - {0}
        if not frames & seen:
            kept.append(sample)
        seen |= frames
    return kept


def joined(*groups: list[Sample]) -> list[Sample]:
    """Return the samples of several data sets, with new names and consecutive labels."""
    keys = [(number, s["label"]) for number, group in enumerate(groups) for s in group]
    labels = {key: label for label, key in enumerate(dict.fromkeys(keys))}
    samples = [sample for group in groups for sample in group]
    return [
        dict(sample, frame_dir=str(number), label=labels[key])
        for number, (sample, key) in enumerate(zip(samples, keys, strict=True))
    ]


def as_splits(samples: list[Sample]) -> dict:
    """Return the content of an annotation file. Its validation split is not used."""
    names = [sample["frame_dir"] for sample in samples]
    split = {recipe.TRAIN: names, recipe.VALIDATION: names[:1]}
    return {"split": split, "annotations": samples}


def config(ann_file: Path, classes: int) -> Config:
    """Return the config of recipe `strong` without label smoothing, which harms transfer."""
    cfg = recipe.config("nw-ucla/no-smoothing", ann_file)
    recipe.set_channels(cfg, CHANNELS)
    cfg.model.cls_head.num_classes = classes
    for step in recipe.steps(cfg, "ResampleFrames"):
        step.clip_len = FRAMES
    recipe.set_passes(cfg, PASSES)
    return cfg


def coordinates(cfg: Config) -> Callable[[list[Sample]], Array]:
    """Return a function that maps samples to the input of the network, [samples, D]."""
    pipeline = TestPipeline(cfg, clips=1)

    def compute(samples: list[Sample]) -> Array:
        prepared = (to_sample(sample, pipeline.expected) for sample in samples)
        return np.stack([pipeline(sample).ravel() for sample in prepared])

    return compute


def evaluate(
    features: Array, samples: list[Sample], seed: int, protocols: Sequence[str]
) -> tuple[dict, list[list[int]]]:
    """Classify the queries of episodes with each method.

    Args:
        features: float [samples, D].
        samples: samples of the new classes.
        seed: seed of the episodes.
        protocols: see `episodes`.

    Returns:
        `new` and `confusion` of `run`.
    """
    labels = np.array([sample["label"] for sample in samples])
    classes = np.unique(labels)
    confusion = np.zeros((len(classes), len(classes)), int)
    correct: dict[tuple, list[float]] = {}
    for protocol, count in itertools.product(protocols, EXAMPLES):
        for examples, queries in episodes(samples, protocol, count, seed):
            truth = labels[queries]
            for name, method in METHODS.items():
                predicted = method(
                    features[examples], labels[examples], features[queries]
                )
                share = 100 * float((predicted == truth).mean())
                correct.setdefault((name, protocol, count), []).append(share)
            if (protocol, count) == ("any", SHOWN):  # of the last method, OURS
                rows, columns = (
                    np.searchsorted(classes, v) for v in (truth, predicted)
                )
                np.add.at(confusion, (rows, columns), 1)
    accuracy: dict = {}
    for (name, protocol, count), shares in correct.items():
        accuracy.setdefault(name, {}).setdefault(protocol, {})[str(count)] = mean(
            shares
        )
    return accuracy, confusion.tolist()


def episodes(
    samples: list[Sample], protocol: str, count: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield the indices of the examples and of the queries of each episode.

    Args:
        samples: samples of at least WAYS classes, of which an episode draws WAYS.
        protocol: `any`, `subject`, or `view`.
        count: number of examples per class.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    labels = np.array([sample["label"] for sample in samples])
    names = [sample["frame_dir"] for sample in samples]  # such as a01_s01_e00_v01
    subjects = np.array([name[4:7] for name in names])
    views = np.array([name[-3:] for name in names])
    everyone = np.unique(subjects)
    for _ in range(EPISODES):
        order = rng.permutation(len(samples))
        allowed = np.ones(len(samples), bool)  # as examples
        if protocol == "subject":
            half = rng.permutation(everyone)[: len(everyone) // 2]
            allowed = np.isin(subjects, half)
        elif protocol == "view":
            allowed = views != "v01"
        examples: list[int] = []
        queries: list[int] = []
        for way in rng.choice(np.unique(labels), WAYS, replace=False):
            own = order[labels[order] == way]
            chosen = own[allowed[own]][:count]
            others = (
                np.setdiff1d(own, chosen) if protocol == "any" else own[~allowed[own]]
            )
            examples.extend(chosen)
            queries.extend(rng.permutation(others)[:QUERIES])
        yield np.array(examples), np.array(queries)


SHOWN_METHODS = (
    ("coordinates", "nearest mean"),
    ("coordinates", "nearest example"),
    *((features, OURS) for features in FEATURES),
)


def report(results: list[dict]) -> str:
    """Return Markdown tables of the new classes, the methods, and the single classes."""
    return "\n\n".join((table(results), method_table(results), class_table(results)))


def table(results: list[dict]) -> str:
    """Return means and standard deviations over seeds and folds."""
    columns = [("any", str(count)) for count in EXAMPLES]
    columns += [("subject", str(SHOWN)), ("view", str(SHOWN))]
    rows: list[tuple] = [("chance", "", "", *[f"{100 / WAYS:.1f}"] * len(columns), "")]
    for features, method in SHOWN_METHODS:
        for fold in (*FOLDS, "fold"):
            runs = [r for r in results if r["setting"].startswith(f"{features}/{fold}")]
            shares = [
                [r["new"][method][p][count] for r in runs] for p, count in columns
            ]
            title = "all" if fold == "fold" else fold
            if runs and (title == "all" or method == OURS):
                cells = map(spread, shares)
                rows.append((features, method, title, *cells, len(runs)))
    headers = (
        *("features", "method", "fold", "1 example", "5 examples", "10 examples"),
        *(f"{SHOWN}, other subjects", f"{SHOWN}, other view", "runs"),
    )
    return tabulate(rows, headers, "github", disable_numparse=True)


def method_table(results: list[dict]) -> str:
    """Return the accuracy of the methods with the networks trained on NW-UCLA."""
    runs = [r for r in results if r["setting"].startswith("nw-ucla/")]
    rows = []
    for name in METHODS if runs else ():
        shares = [
            spread([run[classes][name]["any"][str(count)] for run in runs])
            for classes in ("msr", "new")
            for count in EXAMPLES
        ]
        rows.append((name, *shares))
    headers = [
        f"{title}, {n}" for title in ("MSR-Action3D", "NW-UCLA") for n in EXAMPLES
    ]
    return tabulate(rows, ("method", *headers), "github", disable_numparse=True)


def class_table(results: list[dict]) -> str:
    """Return the recall of each class with features `both`, and its most frequent error."""
    counts: dict[str, dict[str, int]] = {}
    for run in results:
        if run["setting"].startswith("both/"):
            for name, row in zip(run["classes"], run["confusion"], strict=True):
                own = counts.setdefault(name, {})
                for other, number in zip(run["classes"], row, strict=True):
                    own[other] = own.get(other, 0) + number
    rows = []
    for name, own in counts.items():
        total = sum(own.values())
        errors = {other: number for other, number in own.items() if other != name}
        worst = max(errors, key=lambda other: errors[other])
        recall, share = (f"{100 * n / total:.0f}" for n in (own[name], errors[worst]))
        rows.append((name, recall, f"{worst}: {share}"))
    headers = ("class", "recall", "most frequent error")
    return tabulate(rows, headers, "github", disable_numparse=True)
