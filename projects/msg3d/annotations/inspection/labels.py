"""Faults of labels, class names and splits, seen over the whole file."""

from collections.abc import Iterator

from ..faults import Fault

# id -> its labels; one, unless samples have many
Labels = dict[str, list[int]]
Splits = dict[str, list[str]]


def pairs_of(splits: Splits) -> list[tuple[str, str]]:
    """(training split, split that is tested after it), matched by name.

    `xview_train` goes with `xview_val` and `xview_test`, `train_v1` with `val_v1`.
    """
    return [
        (name, other)
        for name in splits
        if "train" in name
        for side in ("val", "valid", "test")
        if (other := name.replace("train", side)) in splits
    ]


def class_names(data) -> list[str] | None:
    """`meta['classes']` where it is a list of text."""
    meta = data.get("meta") if isinstance(data, dict) else None
    classes = meta.get("classes") if isinstance(meta, dict) else None
    if isinstance(classes, (list, tuple)) and all(isinstance(c, str) for c in classes):
        return list(classes)
    return None


def class_faults(data, labels: Labels) -> Iterator[Fault]:
    """Labels against class names, and classes that nobody has."""
    meta = data.get("meta") if isinstance(data, dict) else None
    classes, place = class_names(data), "meta['classes']"
    if classes is None and meta is not None:
        stored = meta.get("classes") if isinstance(meta, dict) else meta
        if stored is not None:
            yield Fault(
                "classes-kind",
                f"{place if isinstance(meta, dict) else 'meta'} is a "
                f"{type(stored).__name__}, expected meta=dict(classes=[names]), texts "
                "in the order of the labels",
                field=place,
            )
    if classes:
        for twice in sorted({name for name in classes if classes.count(name) > 1}):
            yield Fault(
                "classes-twice",
                f"{place} has {twice!r} {classes.count(twice)} times, as labels "
                f"{[n for n, name in enumerate(classes) if name == twice]}: name each "
                "class once, or make them one label",
                field=place,
            )
        for name, ones in labels.items():
            if ones and max(ones) >= len(classes):
                yield Fault(
                    "label-beyond-classes",
                    f"label is {max(ones)}, but {place} has {len(classes)} names "
                    f"(labels 0 to {len(classes) - 1}): mend the label or name its "
                    "class",
                    name,
                    "label",
                )
    present = {label for ones in labels.values() for label in ones}
    if not present:
        return
    count = max(max(present) + 1, len(classes or ()))
    if 0 not in present and present == set(range(1, len(present) + 1)):
        yield Fault(
            "label-start",
            f"label goes from 1 to {max(present)}, expected from 0: subtract 1, or the "
            "head has a class that never occurs",
            field="label",
        )
    elif len(present) < count:
        unseen = []
        for label in range(min(count, len(present) + 5)):
            if label not in present and len(unseen) < 5:
                name = (
                    f" ({classes[label]!r})" if classes and label < len(classes) else ""
                )
                unseen.append(f"{label}{name}")
        more = " and others" if count - len(present) > len(unseen) else ""
        yield Fault(
            "label-gap",
            f"label is never {', '.join(unseen)}{more}, so {count - len(present)} of "
            f"{count} classes have no sample: number the labels without gaps, or "
            "expect nothing of these",
            field="label",
        )


def split_content_faults(splits: Splits, labels: Labels) -> Iterator[Fault]:
    """Splits that overlap, repeat, leave out samples, or train a single class.

    Args:
        splits: those of good form, with known ids only.
        labels: of all samples.
    """
    for name, ids in splits.items():
        seen = set()
        for one in ids:
            if one in seen:
                yield Fault(
                    "split-twice",
                    f"is more than once in split {name!r}, which PoseDataset reads "
                    "once: take the others out",
                    one,
                    f"split[{name!r}]",
                )
            seen.add(one)
        present = {label for one in seen for label in labels.get(one, ())}
        if "train" in name and len(present) == 1:
            yield Fault(
                "one-class",
                f"split {name!r} has a single class, label {present.pop()}: training "
                "learns nothing; see how the split was made",
                field=f"split[{name!r}]",
            )
    for train, other in pairs_of(splits):
        trained, place = set(splits[train]), f"split[{other!r}]"
        for one in dict.fromkeys(splits[other]):
            if one in trained:
                yield Fault(
                    "split-overlap",
                    f"is in split {train!r} and in split {other!r}: take it out of "
                    "one, or the test is of what was learnt",
                    one,
                    place,
                )
        known = {label for one in trained for label in labels.get(one, ())}
        asked = {label for one in splits[other] for label in labels.get(one, ())}
        if unknown := sorted(asked - known):
            shown = ", ".join(map(str, unknown[:5])) + (", ..." if unknown[5:] else "")
            yield Fault(
                "class-untrained",
                f"split {other!r} has label {shown} ({len(unknown)} classes), of which "
                f"split {train!r} has no sample: they cannot be recognised",
                field=place,
            )
    if splits:
        used = {one for ids in splits.values() for one in ids}
        for one in labels:
            if one not in used:
                yield Fault(
                    "split-unused", "is in no split: add it to one or leave it out", one
                )
