"""A warning in the report where a person is not as long as the unit says."""

import numpy as np

from ..annotations.inspection.measures import measure
from ..skeletons.body_size import LONGEST, SHORTEST, fits, is_hand, likely_unit
from ..skeletons.units import PER_METER, described_unit, unit_name

LOOKED_AT = 200  # samples, spread over the file


def unit_remarks(
    samples: list[dict], units: str, file_unit: str, joints: tuple[str, ...] = ()
) -> list[dict]:
    """What is odd about the length of a person in a typical sample, if anything.

    Args:
        samples: annotations.
        units: of their coordinates, as the report says it; looked at if meters.
        file_unit: unit of the raw files.
        joints: names of the joints, where known.

    Returns:
        dict(about="units", text, person_metres, likely_unit), or nothing.
    """
    if described_unit(units) != "m":
        return []
    file_unit = unit_name(file_unit)
    step = max(len(samples) // LOOKED_AT, 1)
    measures = [measure(one, scored=False) for one in _somebody(samples[::step])]
    sizes = [one.size for one in measures if one.size > 0]
    hand = is_hand(joints)
    if not sizes or fits(size := float(np.median(sizes)), "m", hand):
        return []
    likely = likely_unit(size * PER_METER[file_unit], hand)
    why = (
        f"the raw files are most likely in {likely}, not in {file_unit}"
        if likely
        else f"with the raw files in {file_unit} or any other unit that is no person"
    )
    part, least = ("hand", 10) if hand else ("person", 1)
    text = (
        f"a {part} is {size:.4g} m long in a typical sample, expected "
        f"{SHORTEST / least:g} to {LONGEST / least:g}: {why}"
    )
    return [dict(about="units", text=text, person_metres=size, likely_unit=likely)]


def _somebody(samples: list[dict]) -> list[dict]:
    return [one for one in samples if one["keypoint"].any()]
