"""Result of the annotation checker: faults, and measurements of all samples."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...skeletons import Skeleton
from ..faults import ERROR, WARNING, Fault
from .labels import Labels, Splits
from .measures import MeasureTable
from .tracks import Event

# Faults of one kind that are listed. Further faults are only counted, so that the faults
# of millions of samples fit into memory.
MOST_LISTED = 10_000


@dataclass
class Inspection:
    """Result of `inspect_annotations`.

    Attributes:
        faults: faults in the order of `faults.KINDS`, at most `MOST_LISTED` of each kind.
        counts: number of all faults of each kind and field.
        samples: number of annotations.
        ids: different ids of the samples.
        splits: positions in `ids` of the samples in each split of valid form. Ids without
            annotation are omitted.
        labels: labels of each id.
        classes: names of the classes; None if the file does not contain them.
        measures: measurements of the samples with a valid `keypoint` array.
        joints, channels: V and C of most samples; None without valid samples.
        scored: whether most samples have scores.
        layouts: the layout that the user specified, or else all matching layouts, best
            first.
        own_layout: the layout that `meta` describes, if no named layout matches.
        unit: guessed unit of the coordinates (see `skeletons.units`), or `unknown`.
        up: guessed axis from feet to head, such as `+y`; None if unclear.
        events: tracking errors, one for each of their faults.
        body: layout for figures, if known.
    """

    faults: list[Fault] = field(default_factory=list)
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    samples: int = 0
    ids: list[str] = field(default_factory=list)
    splits: Splits = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    classes: list[str] | None = None
    measures: MeasureTable = field(default_factory=MeasureTable)
    joints: int | None = None
    channels: int | None = None
    scored: bool = False
    layouts: list[str] = field(default_factory=list)
    own_layout: dict[str, Any] | None = None
    unit: str = "unknown"
    up: str | None = None
    events: list[Event] = field(default_factory=list)
    body: Skeleton | None = None

    def __post_init__(self) -> None:
        self._listed: Counter[str] = Counter()

    @property
    def errors(self) -> list[Fault]:
        """Faults with severity `error`."""
        return [fault for fault in self.faults if fault.severity == ERROR]

    @property
    def warnings(self) -> list[Fault]:
        """Faults with severity `warning`."""
        return [fault for fault in self.faults if fault.severity == WARNING]

    def count(self, kinds: Collection[str], field: str | None = None) -> int:
        """Return the number of faults, including those that are not listed.

        Args:
            kinds: kinds of the faults.
            field: their field; None for all fields.
        """
        return sum(
            count
            for (kind, where), count in self.counts.items()
            if kind in kinds and field in (None, where)
        )

    def add(self, fault: Fault) -> bool:
        """Count a fault, list it if there are few of its kind, and return whether."""
        self.counts[fault.kind, fault.field] += 1
        self._listed[fault.kind] += 1
        if self._listed[fault.kind] > MOST_LISTED:
            return False
        self.faults.append(fault)
        return True

    def add_all(self, faults: Iterable[Fault]) -> None:
        """Count faults, and list some of them."""
        for fault in faults:
            self.add(fault)
