"""The check of annotations before training: form, splits and every sample.

MMAction2 checks nothing: a wrong file fails in the middle of training, or trains to
nothing. `annotations.py` says what the form is, `form_faults.py` and
`sample_faults.py` what is looked for; `inspection` finds what takes longer.
"""

from collections.abc import Iterable

from ..errors import DataError
from .faults import Fault
from .form_faults import file_faults, id_faults, id_field, split_faults
from .sample_faults import Summary, is_numeric, sample_faults

__all__ = [
    "DataError",
    "Annotations",
    "Summary",
    "check_annotations",
    "id_field",
    "is_numeric",
    "samples_of",
]

Annotations = dict | list[dict]


def check_annotations(
    data: Annotations,
    split: str | None = None,
    source: str = "annotations",
    keypoints: bool = True,
    multi_class: bool = False,
) -> Summary:
    """Find the first thing that training would stumble over, or learn nothing from.

    Args:
        data: as `load_annotations` returns it.
        split: whose samples to check; None for all samples and all splits.
        source: the file's name, for messages.
        keypoints: False where they lie in files apart (`data_prefix.skeleton`).
        multi_class: whether a label may be a list of labels.

    Returns:
        What the checked samples have in common.

    Raises:
        DataError: the first fault, with its sample and field.
    """
    samples = samples_of(data, source)
    key = id_field(samples)
    _raise_first(id_faults(samples, key), source)
    ids = [sample[key] for sample in samples]
    wanted = set(ids)
    if isinstance(data, dict):
        splits = data["split"]
        if split is not None and split not in splits:
            raise DataError(
                f"{source}: has no split {split!r}: set `split` to one of "
                f"{list(splits)}"
            )
        names = list(splits) if split is None else [split]
        _raise_first(split_faults(splits, names, wanted), source)
        wanted = wanted if split is None else set(splits[split])
    elif split is not None:
        raise DataError(
            f"{source}: is a plain list, which has no split {split!r}: set split=None, "
            "or write dict(split=..., annotations=...)"
        )
    summary = Summary(source, samples=len(wanted))
    for name, sample in zip(ids, samples):
        if name in wanted:
            faults = sample_faults(sample, name, summary, keypoints, multi_class)
            _raise_first(faults, source)
    return summary


def samples_of(data: Annotations, source: str) -> list[dict]:
    """The samples of either form, each known to be a dictionary.

    Raises:
        DataError: the form is another.
    """
    _raise_first(file_faults(data), source)
    return data["annotations"] if isinstance(data, dict) else data


def _raise_first(faults: Iterable[Fault], source: str) -> None:
    for fault in faults:
        raise DataError(f"{source}: {fault}")
