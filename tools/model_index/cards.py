"""Model cards of shipped weights, and their table in docs/models.md."""

from typing import Any

import numpy as np
import yaml

from msg3d.evaluation import Scores
from msg3d.visualization.confusion import confusion_counts

from .data_sets import REPOSITORY, DataSet

BEGIN = "<!-- weights, from tools/model_table.py -->"
CONFUSIONS = 5  # pairs of classes in a card
NEAR = 1e-4  # difference of probabilities that rounding may reverse
_NETWORKS = {
    "MSG3D": "MS-G3D",
    "STGCN": "ST-GCN",
    "PartitionSTGCN": "ST-GCN",
    "AGCN": "2s-AGCN",
    "ResTCN": "Res-TCN",
}
_STREAMS = {
    "joint": "joints",
    "bone": "bones",
    "joint-motion": "motion of the joints",
    "bone-motion": "motion of the bones",
}
_TAGS = ("skeleton-based-action-recognition", "action-recognition", "mmaction2")
_CARD = """\
# {name}

{network} with {channels} channels in the first block recognizes {number} actions in {dimensions}D skeleton sequences of {persons}.

```shell
msg3d test {name}                          # the accuracy below, given the data file
msg3d train my_config.py --weights {name}  # fine-tune on your data
```

## Classes

{classes}

## Input

{input}

## Training data and terms

{title}, {citation}: [source]({source}). {protocol}.

{terms} The code of msg3d is licensed under Apache-2.0.

## Accuracy

| test split | samples | correct | top-1 | mean over classes |
|---|---|---|---|---|
| `{split}` | {samples} | {correct} | {top1:.2f} | {mean_class:.2f} |

The epoch is the last one, not the best on the test data. Scores are the mean of {clips} per sample. {margin}

`msg3d test {name}` reads `{ann_file}`, or the file of `--ann-file`. To make it:

```shell
{prepare}
```

## Largest confusions

{confusions}

## Training

| | |
|---|---|
| config | [`{config}`]({repository}/blob/main/{config_path}) |
| command | `{command}` |
| seed | {seed} |
| commit | `{commit}` |
| machine | {machine} |
| duration | {hours:.2f} hours |
| epochs | {epochs} |
| parameters | {parameters:,} |
| log | [`{log}`]({repository}/blob/main/{log}) |

## File

`{name}.pth`: {size:,} bytes, float32, SHA-256 `{sha256}`. It contains the weights, the config, and the names of the classes. It is loaded without executing code.
"""


def card(about: dict[str, Any], data_set: DataSet, scores: Scores) -> str:
    """Return the text of a model card.

    Args:
        about: properties of the weights, the training, and the input, from
            `tools/ship_weights.py`.
        data_set: data set of the training.
        scores: scores of the test samples.
    """
    counts = confusion_counts(scores.labels, scores.values)
    tested = counts.sum(1) > 0
    recall = counts.diagonal()[tested] / counts.sum(1)[tested]
    samples, correct = len(scores.labels), int(counts.trace())
    protocol = data_set.protocol[about["split"]]
    facts = {
        **vars(data_set),
        **about,
        "number": len(about["classes"]),
        "classes": ", ".join(about["classes"]) + ".",
        "network": network(about),
        "samples": samples,
        "correct": correct,
        "top1": 100 * correct / samples,
        "mean_class": 100 * recall.mean(),
        "protocol": protocol[0].upper() + protocol[1:],
        "terms": data_set.text_of_terms(),
        "confusions": _confusions(counts, about["classes"]),
        "margin": _margin(scores.values),
        "repository": REPOSITORY,
        "prepare": f"msg3d prepare {data_set.prepare} {about['ann_file']}",
        "persons": _plural(about["persons"], "person"),
        "input": _input(about),
        "clips": _plural(about["clips"], "clip"),
    }
    header = yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True)
    return f"---\n{header}---\n\n{_CARD.format(**facts)}"


def table(cards: dict[str, dict[str, Any]]) -> str:
    """Return a Markdown table of shipped weights.

    Args:
        cards: name -> metadata, as `msg3d.checkpoints.shipped.card_of` returns it.
    """
    lines = [
        "| name | network | stream | test data | top-1 | MB | terms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, metadata in cards.items():
        about = metadata["msg3d"]
        link = f"[`{name}`](../projects/msg3d/weights/{name}.md)"
        terms = metadata.get("license_name", metadata["license"])
        lines.append(
            f"| {link} | {about['network']}, {about['channels']} channels "
            f"| {about['stream']} | {about['data_set']}, `{about['split']}` "
            f"| {100 * about['correct'] / about['samples']:.2f} "
            f"| {about['size'] / 1e6:.1f} | {terms} |"
        )
    return "\n".join(["", *lines, ""])


def network(about: dict[str, Any]) -> str:
    """Return the name of the network of weights in text."""
    return _NETWORKS.get(about["backbone"], about["backbone"])


def _header(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a card: keys of the Hub, and our own in `msg3d`."""
    license_keys = {"license": facts["license"]}
    if facts["license"] == "other":
        license_keys |= {
            "license_name": f"terms-of-{facts['key']}",
            "license_link": facts["source"],
        }
    accuracy = {
        "type": "accuracy",
        "name": "Top-1 accuracy",
        "value": round(facts["top1"], 2),
    }
    result = {
        "task": {"type": "action-recognition", "name": "Action recognition"},
        "dataset": {
            "type": facts["key"],
            "name": facts["title"],
            "split": facts["split"],
        },
        "metrics": [accuracy],
    }
    own = ("network", "channels", "stream", "config", "seed", "commit", "machine")
    own += ("ann_file", "split", "prepare", "samples", "correct", "log")
    own += ("parameters", "size", "sha256")
    return {
        **license_keys,
        "library_name": "msg3d",
        "tags": list(_TAGS),
        "datasets": [facts["key"]],
        "metrics": ["accuracy"],
        "model-index": [{"name": facts["name"], "results": [result]}],
        "msg3d": {"data_set": facts["title"], **{key: facts[key] for key in own}},
    }


def _confusions(counts: np.ndarray, classes: list[str]) -> str:
    """Return a table of the pairs (label, prediction) with the most errors."""
    errors = counts - np.diag(counts.diagonal())
    order = np.argsort(-errors, axis=None, kind="stable")[:CONFUSIONS]
    pairs = [divmod(int(place), len(classes)) for place in order]
    rows = [
        f"| {classes[label]} | {classes[predicted]} | {errors[label, predicted]} of "
        f"{counts[label].sum()} |"
        for label, predicted in pairs
        if errors[label, predicted]
    ]
    if not rows:
        return "All test samples are correct."
    return "\n".join(["| class | predicted as | samples |", "|---|---|---|", *rows])


def _margin(values: np.ndarray) -> str:
    """Describe how far the closest decision is from a tie."""
    second, first = np.sort(values, axis=1)[:, -2:].T
    margins = first - second
    if margins.min() > NEAR:
        return (
            "The two highest probabilities of a sample differ by at least "
            f"{margins.min():.1g}, so rounding on another processor should not change the "
            "result."
        )
    return (
        f"The two highest probabilities of {(margins <= NEAR).sum()} samples differ by at "
        f"most {NEAR:g}, so rounding on another processor can change the result."
    )


def _input(about: dict[str, Any]) -> str:
    stream = _STREAMS.get(about["stream"], about["stream"])
    return (
        f"{about['dimensions']}D coordinates of the {about['joints']} joints of layout "
        f"`{about['layout']}`, at most {_plural(about['persons'], 'person')}. The network "
        f"receives the {stream} in clips of {about['frames']} frames. `msg3d predict` and "
        "`Recognizer` apply the preprocessing of the config."
    )


def _plural(number: int, noun: str) -> str:
    words = {1: "one", 2: "two", 10: "ten"}
    return f"{words.get(number, number)} {noun}{'s' * (number > 1)}"
