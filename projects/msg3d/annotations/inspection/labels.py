"""Find faults in the labels, class names, and splits of an annotation file."""

from collections.abc import Collection, Iterable, Iterator

from ..faults import Fault

# Sample id -> labels. A list of several labels is allowed for multi-class data.
Labels = dict[str, list[int]]
Splits = dict[str, list[str]]


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


def class_faults(data: object, labels: Labels) -> Iterator[Fault]:
    """Check labels against class names, and find classes without samples."""
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
        for name, values in labels.items():
            if values and max(values) >= len(classes):
                yield Fault(
                    "label-beyond-classes",
                    f"'label' is {max(values)}, but {field} has {len(classes)} names "
                    f"(labels 0 to {len(classes) - 1}). Correct the label, or add a class "
                    "name.",
                    name,
                    "label",
                )
    present = {label for values in labels.values() for label in values}
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


def split_content_faults(splits: Splits, labels: Labels) -> Iterator[Fault]:
    """Find splits that overlap, repeat or omit samples, or lack classes.

    Args:
        splits: ids of each split. All ids must have an annotation.
        labels: labels of each sample id.
    """
    for split, ids in splits.items():
        seen = set()
        for name in ids:
            if name in seen:
                yield Fault(
                    "split-twice",
                    f"the sample occurs more than once in split {split!r}, but PoseDataset "
                    "reads it once. Remove the duplicates.",
                    name,
                    f"split[{split!r}]",
                )
            seen.add(name)
        present = _labels_of(seen, labels)
        if "train" in split and len(present) == 1:
            yield Fault(
                "one-class",
                f"split {split!r} has a single class (label {present.pop()}), so training "
                "learns nothing. Check how the split was created.",
                field=f"split[{split!r}]",
            )
    for train, other in pairs_of(splits):
        train_ids, field = set(splits[train]), f"split[{other!r}]"
        for name in dict.fromkeys(splits[other]):
            if name in train_ids:
                yield Fault(
                    "split-overlap",
                    f"the sample is in the splits {train!r} and {other!r}, so the model "
                    "would be tested on training data. Remove it from one of them.",
                    name,
                    field,
                )
        test_labels = _labels_of(splits[other], labels)
        if unknown := sorted(test_labels - _labels_of(train_ids, labels)):
            shown = ", ".join(map(str, unknown[:5])) + (", ..." if unknown[5:] else "")
            yield Fault(
                "class-untrained",
                f"split {other!r} has {len(unknown)} classes without samples in split "
                f"{train!r} (labels {shown}), so the model cannot recognize them. Add "
                "training samples of these classes.",
                field=field,
            )
    if splits:
        used = {name for ids in splits.values() for name in ids}
        for name in labels:
            if name not in used:
                yield Fault(
                    "split-unused",
                    "the sample is not in any split. Add it to a split, or remove it.",
                    name,
                )


def _labels_of(ids: Iterable[str], labels: Labels) -> set[int]:
    return {label for name in ids for label in labels.get(name, ())}
