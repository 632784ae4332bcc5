"""`targets`, numbers to regress, in the place of a label.

A sample of a regression has `targets`, a vector of K finite numbers, the same K in all
samples, and needs no `label`. `meta['targets']` may name them. Where samples are
sequences of people, `person_id` says of whom, `session` of which recording, and
`chunk` which part of a longer one they are.
"""

from collections.abc import Iterator

import numpy as np

from .faults import Fault, shown

# Targets of the DYAD challenge at ICCV 2021 (track 1, UDIVA v0.5).
CHALLENGE_TRAITS = (
    "OPENMINDEDNESS_Z",
    "CONSCIENTIOUSNESS_Z",
    "EXTRAVERSION_Z",
    "AGREEABLENESS_Z",
    "NEGATIVEEMOTIONALITY_Z",
)


def target_faults(sample: dict, name: str, common) -> Iterator[Fault]:
    """One sample's `targets` against those of other samples.

    Args:
        sample, name: the sample and its id.
        common: the Summary; learns K, and the first sample without targets.
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
            f"targets is {shown(targets)}, expected a vector of numbers, one a target",
            name,
        )
        return
    if not np.isfinite(array).all():
        yield _fault(
            "targets-not-finite",
            f"targets is {shown(array.tolist())}, expected finite numbers: leave the "
            "sample out if one is not known",
            name,
        )
    if common.targets is None:
        common.targets, common.targets_sample = len(array), name
    elif len(array) != common.targets:
        yield _fault(
            "targets-differ",
            f"targets has {len(array)} numbers, but sample {common.targets_sample!r} "
            f"has {common.targets}: all must agree",
            name,
        )


def _fault(kind: str, text: str, name: str) -> Fault:
    return Fault(kind, text, name, "targets")
