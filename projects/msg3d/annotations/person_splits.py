"""Persons who stand on both sides of a split."""

from collections.abc import Iterator

from .check import Annotations, id_field


def shared_persons(data: Annotations) -> Iterator[tuple[str, str, list[str]]]:
    """Persons on both sides of a pair of splits: what is known of them leaks.

    Args:
        data: annotations with splits, whose samples have `person_id`.

    Yields:
        Two splits and the persons of both.
    """
    if not isinstance(data, dict):
        return
    samples = data["annotations"]
    key = id_field(samples)
    person = {one[key]: one["person_id"] for one in samples if "person_id" in one}
    persons = {
        split: {str(person[name]) for name in ids if name in person}
        for split, ids in data["split"].items()
    }
    names = list(persons)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            if both := sorted(persons[first] & persons[second]):
                yield first, second, both
