"""Model index: the shipped configs with published results and our results.

The index is read from the metafiles, which mim and MMEngine read as well. The name of a
config describes its recipe, see `parse_name`.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import ConfigError

INDEX = Path(__file__).parents[1] / ".mim" / "model-index.yml"

# Spelling of data sets in MMAction2's metafiles, so that a search covers both packages.
_SPELLING = {
    word.lower(): word
    for word in (
        *("Action3D", "COCO", "MSR", "NTU60", "NTU120", "NW", "OpenPose", "SBU"),
        *("UCLA", "UDIVA", "XContent", "XSet", "XSub", "XView", "v1"),
    )
}
_NAME = re.compile(
    r"(?P<network>[\w-]+)_(?P<gpus>\d+)xb(?P<batch>\d+)"
    r"-(?P<stream>joint-motion|bone-motion|joint|bone|streams|laban)"
    r"-(?P<recipe>\w+-(?P<epochs>\d+)e)"
    r"_(?P<data>[\w-]+)-keypoint-(?P<dimensions>[23]d)"
)


def parse_name(name: str) -> dict[str, str]:
    """Parse the name of a config.

    Args:
        name: name such as `msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d`.

    Returns:
        Dictionary with the text of `network`, `gpus`, `batch` (samples per GPU and step),
        `stream`, `recipe` (such as "u100-80e"), `epochs` (passes over the training
        samples), `data` (such as "NTU60-XSub-3D"), and `dimensions` ("2d" or "3d").

    Raises:
        ConfigError: the name does not have this form (kind `file-name`).
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise ConfigError(
            "the config name is invalid, expected "
            "NETWORK_GPUSxbBATCH-STREAM-SAMPLING-EPOCHSe_DATA-keypoint-2d or -3d",
            kind="file-name",
            file=name,
        )
    parts = match.groupdict()
    words = [*parts["data"].split("-"), parts["dimensions"].upper()]
    data = "-".join(_SPELLING.get(word, word[0].upper() + word[1:]) for word in words)
    return {**parts, "data": data}


def metafiles(index: Path = INDEX) -> list[Path]:
    """Return the paths of the metafiles listed in the model index, in its order."""
    return [(index.parent / path).resolve() for path in _yaml(index)["Import"]]


class Entry(NamedTuple):
    """Shipped config with its results. Accuracies are in percent.

    Attributes:
        name: name of the config.
        data: data set, split, and dimensions, such as "NTU60-XSub-3D".
        stream: "joint", "bone", "joint-motion", "bone-motion", "streams",
            or "laban".
        published: published results of the same recipe, such as "89.4 (authors)".
        own: our results, such as "90.9 ± 1.5".
    """

    name: str
    data: str
    stream: str
    published: str
    own: str


def entries() -> list[Entry]:
    """Return the entries of all shipped configs, in the order of the metafiles."""
    all_entries = []
    for path in metafiles():
        content = _yaml(path)
        collections = {item["Name"]: item for item in content["Collections"]}
        for model in content.get("Models") or []:
            parts = parse_name(model["Name"])
            collection = collections[model["In Collection"]]
            published = [
                f"{_value(result['Metrics'])} ({result['Source']})"
                for result in collection.get("Published", [])
                if result["Training Data"] == parts["data"]
                and result.get("Recipe") == parts["recipe"]
                and result["Streams"] == parts["stream"]
            ]
            own = [
                _value(result["Metrics"])
                for result in model.get("Results", [])
                if result["Dataset"] == parts["data"]
            ]
            all_entries.append(
                Entry(
                    model["Name"],
                    parts["data"],
                    parts["stream"],
                    ", ".join(published),
                    ", ".join(own),
                )
            )
    return all_entries


def _value(metrics: dict[str, Any]) -> str:
    """Format the first metric with its standard deviation, and its name unless top-1."""
    name, value = next(iter(metrics.items()))
    std = metrics.get(f"{name} Std")
    text = f"{value}" if name == "Top 1 Accuracy" else f"{name} {value}"
    return text if std is None else f"{text} ± {std}"


def _yaml(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
    return content
