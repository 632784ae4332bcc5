"""Find faults in the labels, class names, and splits of an annotation file."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..columns import Column
from ..faults import Fault

# Split -> positions of its samples among all ids, in the order of the file.
Splits = dict[str, NDArray[np.int64]]


class Labels:
    """Labels of the samples, in 16 bytes per sample with one label.

    Attributes:
        values: all labels that occur. Labels may be larger than any integer of NumPy.
    """

    def __init__(self) -> None:
        self.values: list[int] = []
        self._code_of: dict[int, int] = {}
        self._counts = Column(np.int32)  # of each sample; -1 without valid label
        self._codes = Column(np.int32)  # of all samples, as positions in `values`
        self._cached_ends = np.empty(0, np.int64)

    def append(self, labels: list[int] | None) -> None:
        """Append a sample with several, one, or no labels; None if they are invalid."""
        self._counts.append(-1 if labels is None else len(labels))
        for label in labels or ():
            code = self._code_of.setdefault(label, len(self.values))
            if code == len(self.values):
                self.values.append(label)
            self._codes.append(code)

    def of(self, sample: int) -> list[int] | None:
        """Return the labels of a sample; None if they are invalid.

        Args:
            sample: number of the sample, in the order of `append`.
        """
        if self._counts.array[sample] < 0:
            return None
        start, stop = (
            self._ends[sample] - self._counts.array[sample],
            self._ends[sample],
        )
        return [self.values[code] for code in self._codes.array[start:stop]]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Mask of the samples with valid labels, bool [samples]."""
        return self._counts.array >= 0

    def count(self, samples: NDArray[np.bool_] | None = None) -> dict[int, int]:
        """Return the number of samples of each label that occurs, sorted by label.

        Args:
            samples: mask of the samples to count, [samples]; None for all.
        """
        codes = self._codes.array
        if samples is not None:
            codes = codes[np.repeat(samples, self._counts.array.clip(0))]
        counts = np.bincount(codes, minlength=len(self.values)).tolist()
        present = {
            label: counts[code]
            for code, label in enumerate(self.values)
            if counts[code]
        }
        return dict(sorted(present.items()))

    def at_least(self, bound: int) -> NDArray[np.int64]:
        """Return the numbers of the samples that have a label of `bound` or more."""
        high = np.array([label >= bound for label in self.values], bool)
        if not high.any():
            return np.empty(0, np.int64)
        owners = np.repeat(np.arange(len(self.valid)), self._counts.array.clip(0))
        return np.unique(owners[high[self._codes.array]])

    @property
    def _ends(self) -> NDArray[np.int64]:
        if len(self._cached_ends) != len(self.valid):
            self._cached_ends = np.cumsum(self._counts.array.clip(0), dtype=np.int64)
        return self._cached_ends


def member(count: int, samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each of `count` samples is one of `samples`, [count]."""
    mask = np.zeros(count, bool)
    mask[samples] = True
    return mask


def first_times(samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each sample occurs for the first time in a list, [samples]."""
    mask = np.zeros(len(samples), bool)
    mask[np.unique(samples, return_index=True)[1]] = True
    return mask


def pairs_of(splits: Collection[str]) -> list[tuple[str, str]]:
    """Return pairs of (training split, validation or test split), matched by name.

    `xview_train` is paired with `xview_val` and `xview_test`, `train_v1` with `val_v1`.
    """
    return [
        (name, other)
        for name in splits
        if "train" in name
        for side in ("val", "valid", "test")
        if (other := name.replace("train", side)) in splits
    ]


def class_names(data: object) -> list[str] | None:
    """Return `meta['classes']`, or None if it is not a list of text."""
    meta = data.get("meta") if isinstance(data, dict) else None
    classes = meta.get("classes") if isinstance(meta, dict) else None
    if isinstance(classes, (list, tuple)) and all(isinstance(c, str) for c in classes):
        return list(classes)
    return None


def class_faults(data: object, ids: Sequence[str], labels: Labels) -> Iterator[Fault]:
    """Check labels against class names, and find classes without samples.

    Args:
        data: annotations, whose `meta` may contain class names.
        ids: ids of the samples.
        labels: labels of each sample.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    classes, field = class_names(data), "meta['classes']"
    if classes is None and meta is not None:
        stored = meta.get("classes") if isinstance(meta, dict) else meta
        if stored is not None:
            place = field if isinstance(meta, dict) else "'meta'"
            yield Fault(
                "classes-kind",
                f"{place} is of type {type(stored).__name__}, expected "
                "meta={'classes': [...]} with a list of class names (text) in the order of "
                "the labels",
                field=field,
            )
    if classes:
        for repeated in sorted({name for name in classes if classes.count(name) > 1}):
            numbers = [str(n) for n, name in enumerate(classes) if name == repeated]
            yield Fault(
                "classes-twice",
                f"{field} contains {repeated!r} {len(numbers)} times (labels "
                f"{', '.join(numbers)}), expected different names. Rename the classes, or "
                "merge the labels.",
                field=field,
            )
        for number in labels.at_least(len(classes)):
            yield Fault(
                "label-beyond-classes",
                f"'label' is {max(labels.of(number) or ())}, but {field} has "
                f"{len(classes)} names (labels 0 to {len(classes) - 1}). Correct the "
                "label, or add a class name.",
                ids[number],
                "label",
            )
    present = set(labels.values)
    if not present:
        return
    count = max(max(present) + 1, len(classes or ()))
    if 0 not in present and present == set(range(1, len(present) + 1)):
        yield Fault(
            "label-start",
            f"labels range from 1 to {max(present)}, but must start at 0. Subtract 1; "
            "otherwise class 0 never occurs.",
            field="label",
        )
    elif len(present) < count:
        unseen: list[str] = []
        for label in range(min(count, len(present) + 5)):
            if label not in present and len(unseen) < 5:
                name = (
                    f" ({classes[label]!r})" if classes and label < len(classes) else ""
                )
                unseen.append(f"{label}{name}")
        more = " and others" if count - len(present) > len(unseen) else ""
        yield Fault(
            "label-gap",
            f"{count - len(present)} of {count} classes have no sample (labels "
            f"{', '.join(unseen)}{more}). Number the labels without gaps, unless this is "
            "intended.",
            field="label",
        )


def split_content_faults(
    splits: Splits, ids: Sequence[str], labels: Labels
) -> Iterator[Fault]:
    """Find splits that overlap, repeat or omit samples, or lack classes.

    Args:
        splits: positions in `ids` of the samples in each split.
        ids: ids of the samples.
        labels: labels of each sample.
    """
    inside = {name: member(len(ids), samples) for name, samples in splits.items()}
    labels_in = {name: set(labels.count(mask)) for name, mask in inside.items()}
    for split, samples in splits.items():
        for number in samples[~first_times(samples)]:
            yield Fault(
                "split-twice",
                f"the sample occurs more than once in split {split!r}, but PoseDataset "
                "reads it once. Remove the duplicates.",
                ids[number],
                f"split[{split!r}]",
            )
        present = labels_in[split]
        if "train" in split and len(present) == 1:
            yield Fault(
                "one-class",
                f"split {split!r} has a single class (label {min(present)}), so training "
                "learns nothing. Check how the split was created.",
                field=f"split[{split!r}]",
            )
    for train, other in pairs_of(splits):
        field, samples = f"split[{other!r}]", splits[other]
        for number in samples[inside[train][samples] & first_times(samples)]:
            yield Fault(
                "split-overlap",
                f"the sample is in the splits {train!r} and {other!r}, so the model would "
                "be tested on training data. Remove it from one of them.",
                ids[number],
                field,
            )
        if unknown := sorted(labels_in[other] - labels_in[train]):
            shown = ", ".join(map(str, unknown[:5])) + (", ..." if unknown[5:] else "")
            yield Fault(
                "class-untrained",
                f"split {other!r} has {len(unknown)} classes without samples in split "
                f"{train!r} (labels {shown}), so the model cannot recognize them. Add "
                "training samples of these classes.",
                field=field,
            )
    if splits:
        used = np.any([*inside.values()], axis=0)
        for number in np.flatnonzero(labels.valid & ~used).tolist():
            yield Fault(
                "split-unused",
                "the sample is not in any split. Add it to a split, or remove it.",
                ids[number],
            )
