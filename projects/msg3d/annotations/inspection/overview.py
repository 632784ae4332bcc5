"""The numbers of a file that a config, a README and a JSON report need."""

from collections import Counter

import numpy as np

from .inspect import Inspection
from .labels import pairs_of


def overview(seen: Inspection) -> dict:
    """Splits, classes, lengths, persons and coordinates, as JSON can hold them."""
    measures = list(seen.measures.values())
    labels = sorted({label for ones in seen.labels.values() for label in ones})
    shown = Counter(int(one.seen.sum()) for one in measures)
    result = dict(
        samples=seen.samples,
        splits={name: len(set(ids)) for name, ids in seen.splits.items()},
        pairs=[list(pair) for pair in pairs_of(seen.splits)],
        classes=dict(
            labels=labels,
            names=seen.classes,
            samples=_per_class(seen, seen.labels),
            per_split={
                name: _per_class(seen, set(ids)) for name, ids in seen.splits.items()
            },
        ),
    )
    if not measures:
        return result
    frames = np.array([one.frames for one in measures])
    there = sum(one.person_frames for one in measures)
    missing = sum(one.missing for one in measures)
    share = missing / there if there else np.ones(len(missing))
    scores = [one.scores for one in measures if one.scores]
    return dict(
        **result,
        frames=dict(
            min=int(frames.min()),
            median=float(np.median(frames)),
            three_quarters=float(np.percentile(frames, 75)),
            max=int(frames.max()),
            single=int((frames == 1).sum()),
        ),
        persons={str(count): shown[count] for count in sorted(shown)},
        persons_stored=max(one.persons for one in measures),
        joints=seen.joints,
        channels=seen.channels,
        dtypes=dict(Counter(one.dtype for one in measures)),
        coordinates=dict(
            low=_finite(np.array([one.low for one in measures]), np.min),
            high=_finite(np.array([one.high for one in measures]), np.max),
            person=_finite(np.array([[one.size] for one in measures]), np.median)[0],
            unit=seen.unit,
            up=seen.up,
        ),
        layouts=seen.layouts,
        own_layout=seen.own_layout,
        missing_joints=dict(
            share=float(share.mean()),
            per_joint=[float(one) for one in share],
            worst=int(share.argmax()),
        ),
        scores=dict(
            min=min(low for low, _ in scores), max=max(top for _, top in scores)
        )
        if scores
        else None,
    )


def _per_class(seen: Inspection, ids) -> dict[str, int]:
    """Label, as text for JSON -> samples."""
    counts = Counter(label for one in ids for label in seen.labels.get(one, ()))
    return {str(label): counts[label] for label in sorted(counts)}


def _finite(rows: np.ndarray, reduce) -> list[float | None]:
    """Over samples with a person; None without any."""
    rows = rows[~np.isnan(rows).any(axis=1)]
    return [float(reduce(column)) if len(rows) else None for column in rows.T]
