"""Kinds of faults in annotation files.

The kinds appear in the JSON report of `msg3d check`, so do not rename them. A fault with
severity `error` makes training fail or produces wrong results. A fault with severity
`warning` needs a manual check.
"""

import reprlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

ERROR, WARNING = "error", "warning"

# Kind -> severity, in the order of reports: causes precede their consequences.
KINDS = {
    # the file
    "unreadable": ERROR,
    "form": ERROR,
    "no-samples": ERROR,
    "sample-kind": ERROR,
    "id-missing": ERROR,
    "id-twice": ERROR,
    # keypoint: axes and values
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
    "rate-invalid": ERROR,
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
    # warnings
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
    "missing-marker": WARNING,
    "frozen": WARNING,
    "frozen-track": WARNING,
    "persons-swapped": WARNING,
    "left-right-flip": WARNING,
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
    """`repr` of limited length.

    Nested references to the same list can make the built-in `repr` huge.
    """

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


def shown(value: object) -> str:
    """Return the `repr` of a value as one line of at most 80 characters."""
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True)
class Fault:
    """Fault of an annotation file, with its location.

    Attributes:
        kind: a key of `KINDS`.
        text: the message without the id of the sample: fact, expected value, and fix.
        sample: id of the sample, or its position in the file if it has no id; None if
            the fault concerns the entire file.
        field: field of the sample, or a part of the file such as `split['train']` or
            `meta['classes']`.
    """

    kind: str
    text: str
    sample: str | int | None = None
    field: str | None = None

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return KINDS[self.kind]

    def __str__(self) -> str:
        if self.sample is None:
            return self.text
        kind = "annotation" if isinstance(self.sample, int) else "sample"
        return f"{kind} {self.sample!r}: {self.text}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as a dictionary for JSON. Its `text` names the sample."""
        return {**asdict(self), "severity": self.severity, "text": str(self)}
