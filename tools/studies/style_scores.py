"""Numbers to regress from the Bandai-Namco styles.

Nobody rated these recordings: the scores are what the names of the styles say, chosen
for the study, so that regression can be measured on the data of the classification.
"""

import numpy as np

from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.errors import DataError

SCORES = ("energy", "age", "femininity")
OF_STYLE = {
    "active": (1, 0, 0),
    "elderly": (-1, 1, 0),
    "exhausted": (-1, 0, 0),
    "feminine": (0, 0, 1),
    "masculine": (0, 0, -1),
    "normal": (0, 0, 0),
    "youthful": (1, -1, 0),
}


def write_scored(ann_file: str, out: str) -> None:
    """The annotation file once more, with `targets` float32 [3], SCORES, a sample.

    Raises:
        DataError: the classes are not these styles (`label`).
    """
    data = load_annotations(ann_file)
    classes = data.get("meta", {}).get("classes", [])
    if set(classes) != set(OF_STYLE):
        raise DataError(
            f"the classes are {list(classes)}, expected the Bandai-Namco styles "
            f"{list(OF_STYLE)}",
            kind="label",
            file=str(ann_file),
            field="meta['classes']",
        )
    for sample in data["annotations"]:
        scores = OF_STYLE[classes[sample["label"]]]
        sample["targets"] = np.array(scores, dtype=np.float32)
    save_annotations(data, out)


def mean_and_spread(ann_file: str, split: str) -> tuple:
    """Mean and standard deviation of the scores over a split, each [3]."""
    data = load_annotations(ann_file)
    inside = set(data["split"][split])
    targets = [s["targets"] for s in data["annotations"] if s["frame_dir"] in inside]
    return np.mean(targets, axis=0), np.std(targets, axis=0)
