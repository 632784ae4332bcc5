"""Validation of regression targets.

A sample for regression has `targets`, a vector of K finite numbers, and needs no `label`.
K is the same in all samples. `meta['targets']` may list the names of the targets. Samples
of persons may also have `person_id`, `session` (the recording), and `chunk` (the number of
the chunk within a longer recording).
"""

from collections.abc import Iterator

import numpy as np

from .faults import Fault, shown
from .samples import Sample, Summary

# Names of the targets in the DYAD challenge at ICCV 2021 (track 1, UDIVA v0.5).
CHALLENGE_TRAITS = (
    "OPENMINDEDNESS_Z",
    "CONSCIENTIOUSNESS_Z",
    "EXTRAVERSION_Z",
    "AGREEABLENESS_Z",
    "NEGATIVEEMOTIONALITY_Z",
)


def target_faults(sample: Sample, name: str, common: Summary) -> Iterator[Fault]:
    """Check the `targets` of a sample, and their consistency with other samples.

    Args:
        sample, name: the sample and its id.
        common: properties that all samples must share. Updated with K, and with the id
            of the first sample without targets.
    """
    if "targets" not in sample:
        common.without_targets = common.without_targets or name
        return
    targets = sample["targets"]
    try:
        array = np.asarray(targets)
    except ValueError:  # lists of different lengths
        array = np.empty(0, dtype=object)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "fiu":
        yield _fault(
            "targets-kind",
            f"'targets' is {shown(targets)}, expected a vector of numbers",
            name,
        )
        return
    if not np.isfinite(array).all():
        yield _fault(
            "targets-not-finite",
            f"'targets' is {shown(array.tolist())}, expected finite numbers. If a target "
            "is unknown, remove the sample.",
            name,
        )
    if common.targets is None:
        common.targets, common.targets_sample = len(array), name
    elif len(array) != common.targets:
        yield _fault(
            "targets-differ",
            f"'targets' has {len(array)} numbers, expected {common.targets} as in sample "
            f"{common.targets_sample!r}",
            name,
        )


def _fault(kind: str, text: str, name: str) -> Fault:
    return Fault(kind, text, name, "targets")
