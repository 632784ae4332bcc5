"""What can be wrong with an annotation file: one short name a kind.

The names stand in the JSON of `tools/data/check_annotations.py` and stay as they are.
An error means that training fails, or learns or reports something wrong; a warning,
that somebody should look.
"""

import reprlib
from dataclasses import asdict, dataclass

import numpy as np

ERROR, WARNING = "error", "warning"

# In the order of reports: what others follow from comes first.
KINDS = {
    # the file
    "unreadable": ERROR,
    "form": ERROR,
    "no-samples": ERROR,
    "sample-kind": ERROR,
    "id-missing": ERROR,
    "id-twice": ERROR,
    # keypoint, its axes and numbers
    "keypoint-missing": ERROR,
    "keypoint-kind": ERROR,
    "keypoint-axes": ERROR,
    "keypoint-empty": ERROR,
    "keypoint-channels": ERROR,
    "joints-differ": ERROR,
    "channels-differ": ERROR,
    "layout-joints": ERROR,
    "total-frames-missing": ERROR,
    "total-frames": ERROR,
    "keypoint-not-finite": ERROR,
    "keypoint-integer": ERROR,
    "keypoint-huge": ERROR,
    "scale-differs": ERROR,
    "keypoint-zero": ERROR,
    "one-point": ERROR,
    # keypoint_score and img_shape
    "score-missing": ERROR,
    "score-kind": ERROR,
    "score-not-finite": ERROR,
    "img-shape-kind": ERROR,
    "img-shape-missing": ERROR,
    "img-shape-swapped": ERROR,
    # labels and splits
    "label-missing": ERROR,
    "label-kind": ERROR,
    "label-negative": ERROR,
    "label-beyond-classes": ERROR,
    "classes-kind": ERROR,
    "one-class": ERROR,
    "copy-other-label": ERROR,
    "targets-kind": ERROR,
    "targets-not-finite": ERROR,
    "targets-differ": ERROR,
    "split-kind": ERROR,
    "split-empty": ERROR,
    "split-unknown-id": ERROR,
    "split-overlap": ERROR,
    # worth a look
    "leak-identical": WARNING,
    "leak-mostly": WARNING,
    "copy": WARNING,
    "split-twice": WARNING,
    "split-unused": WARNING,
    "label-start": WARNING,
    "label-gap": WARNING,
    "class-untrained": WARNING,
    "classes-twice": WARNING,
    "person-size": WARNING,
    "float16": WARNING,
    "one-frame": WARNING,
    "frozen": WARNING,
    "frame-zero": WARNING,
    "person-gap": WARNING,
    "joint-never": WARNING,
    "mirrored": WARNING,
    "score-range": WARNING,
    "score-zero": WARNING,
    "score-3d": WARNING,
    "not-pixels": WARNING,
    "outside-image": WARNING,
}


class _Short(reprlib.Repr):
    """`repr` of what is not too large: a small file can hold a list whose text is endless,
    by holding the same list many times."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 20
        self.maxfrozenset = self.maxdeque = self.maxarray = 20
        self.maxstring = self.maxother = self.maxlong = 200

    def repr_ndarray(self, value: np.ndarray, level: int) -> str:
        if value.dtype.hasobject:
            return f"an array of {value.size} objects"
        return repr(value)


_SHORT = _Short()


def shown(value) -> str:
    """A value for a sentence: one line, and not a whole array."""
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True)
class Fault:
    """One fault: what, where, what was expected and how to mend it.

    Attributes:
        kind: one of `KINDS`.
        text: the sentence, without the sample.
        sample: its id, or its position in the list where it has none; None for a
            fault of the file.
        field: of the sample, or `split['train']`, `meta['classes']`.
    """

    kind: str
    text: str
    sample: str | int | None = None
    field: str | None = None

    @property
    def severity(self) -> str:
        return KINDS[self.kind]

    def __str__(self) -> str:
        if self.sample is None:
            return self.text
        kind = "annotation" if isinstance(self.sample, int) else "sample"
        return f"{kind} {self.sample!r}: {self.text}"

    def as_dict(self) -> dict:
        """For JSON; `text` is the whole sentence."""
        return {**asdict(self), "severity": self.severity, "text": str(self)}
