"""Report of the annotation checker as text or JSON.

It contains statistics, lines for a config, and faults.
"""

import math
from collections import Counter
from collections.abc import Callable
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..faults import ERROR, KINDS, Fault
from .labels import Labels, member, pairs_of
from .result import Inspection

ERRORS = [kind for kind, severity in KINDS.items() if severity == ERROR]
WARNINGS = [kind for kind in KINDS if kind not in ERRORS]
# Longest clip that the report suggests for a config, in frames.
LONGEST_CLIP = 100
# The report, or a part of it, for JSON.
Report = dict[str, Any]


def as_json(seen: Inspection, path: str) -> Report:
    """Return the complete report of an inspection, as a dictionary for JSON.

    Args:
        seen: result of `inspect_annotations`.
        path: path of the annotation file.
    """
    numbers = overview(seen)
    report = dict(
        file=path,
        errors=seen.count(ERRORS),
        warnings=seen.count(WARNINGS),
        **numbers,
        config=config_lines(numbers, path),
        faults=[fault.as_dict() for fault in seen.faults],
    )
    listed = Counter(fault.kind for fault in seen.faults)
    unlisted = {kind: seen.count([kind]) - count for kind, count in listed.items()}
    if any(unlisted.values()):
        report["unlisted"] = {kind: count for kind, count in unlisted.items() if count}
    return report


def as_text(report: Report, seen: Inspection, show: int) -> str:
    """Return the report of an inspection as text.

    Args:
        report: result of `as_json`.
        seen: result of `inspect_annotations` for the same file.
        show: maximum number of faults to list per kind.
    """
    lines = [f"{report['file']}: {report['samples']} samples", *_splits(report, seen)]
    lines += _classes(report)
    if "frames" in report:
        lines += _measured(report)
    if report["config"]:
        lines += ["", "for a config:", *(f"    {line}" for line in report["config"])]
    for title, kinds in (("errors", ERRORS), ("warnings", WARNINGS)):
        if count := seen.count(kinds):
            lines += ["", f"{title} ({count}):", *_faults(seen, kinds, show)]
    if not seen.faults:
        lines += ["", "no faults"]
    return "\n".join(lines)


def _splits(report: Report, seen: Inspection) -> list[str]:
    lines = []
    for name, count in report["splits"].items():
        field = f"split[{name!r}]"
        identical = seen.count(["leak-identical"], field)
        mostly = seen.count(["leak-mostly"], field)
        note = f"; {identical} are identical to training samples" if identical else ""
        note += f"; {mostly} share most frames with training" if mostly else ""
        classes = report["classes"]["per_split"][name]
        sizes = classes.values()
        balance = f" of {min(sizes)} to {max(sizes)}" if classes else ""
        lines.append(
            f"    split {name}: {count} samples, {len(classes)} classes{balance}{note}"
        )
    return lines or ["    no splits"]


def _classes(report: Report) -> list[str]:
    classes = report["classes"]
    counts = classes["samples"]
    if not counts:
        return []
    least, most = min(counts, key=counts.get), max(counts, key=counts.get)
    names = classes["names"] or []

    def title(label: str) -> str:
        has_name = int(label) < len(names)
        return f"{label} ({names[int(label)]})" if has_name else label

    return [
        f"classes      {len(counts)}, labels {min(classes['labels'])} to "
        f"{max(classes['labels'])}; fewest samples {counts[least]} of {title(least)}, "
        f"most {counts[most]} of {title(most)}"
    ]


def _measured(report: Report) -> list[str]:
    frames, coordinates = report["frames"], report["coordinates"]
    missing, scores = report["missing_joints"], report["scores"]
    persons = ", ".join(
        f"{count}: {samples} samples" for count, samples in report["persons"].items()
    )
    ranges = ", ".join(
        f"{axis} {low:.4g} to {high:.4g}"
        for axis, low, high in zip(
            "xyz", coordinates["low"], coordinates["high"], strict=False
        )
        if low is not None
    )
    fitting = f" ({' or '.join(report['layouts'])})" if report["layouts"] else ""
    worst = missing["worst"]
    lines = [
        f"frames       {frames['min']} / {frames['median']:g} / {frames['max']} "
        "(min / median / max)",
        f"persons      {persons}",
        f"joints       {report['joints']}{fitting}, {report['channels']} coordinates, "
        f"{', '.join(report['dtypes'])}",
        f"coordinates  {ranges}; unit: {coordinates['unit']}"
        + (f"; up: {coordinates['up']}" if coordinates["up"] else ""),
        "missing      "
        + (
            f"{100 * missing['share']:.2g}% of joints; most often joint {worst}, in "
            f"{100 * missing['per_joint'][worst]:.2g}% of person frames"
            if missing["share"]
            else "none"
        ),
    ]
    if report["empty_frames"]:
        lines.append(f"empty frames {report['empty_frames']}")
    if scores:
        hidden = scores["hidden"]
        lines.append(
            f"scores       {scores['min']:.4g} to {scores['max']:.4g}"
            + (f"; {hidden} joints have score 0 and a position" if hidden else "")
        )
    return lines


def _faults(seen: Inspection, kinds: list[str], show: int) -> list[str]:
    """Return lines with the first faults of each kind, and the number of the others."""
    lines = []
    for kind, group in groupby(seen.faults, key=lambda fault: fault.kind):
        if kind in kinds:
            count = seen.count([kind])
            shown = list(islice(group, show))
            lines.append(f"  {kind} ({count})")
            lines += [f"    {fault}" for fault in shown]
            if count > len(shown):
                lines.append(f"    ... and {count - len(shown)} more")
    return lines


def unreadable(error: Exception, path: str) -> Report:
    """Return the JSON report of an annotation file that cannot be read."""
    fault = Fault("unreadable", str(error))
    return {"file": path, "errors": 1, "warnings": 0, "faults": [fault.as_dict()]}


def overview(inspection: Inspection) -> Report:
    """Return the statistics of the report: splits, classes, lengths, and coordinates."""
    measures, labels = inspection.measures, inspection.labels
    count = len(inspection.ids)
    inside = {
        name: member(count, samples) for name, samples in inspection.splits.items()
    }
    result = {
        "samples": inspection.samples,
        "splits": {name: int(mask.sum()) for name, mask in inside.items()},
        "pairs": [list(pair) for pair in pairs_of(inspection.splits)],
        "classes": {
            "labels": sorted(labels.values),
            "names": inspection.classes,
            "samples": _per_class(labels),
            "per_split": {
                name: _per_class(labels, mask) for name, mask in inside.items()
            },
        },
    }
    if not len(measures):
        return result
    frames = measures.frames.array
    total = int(measures.person_frames.array.sum())
    missing = np.asarray(measures.missing)
    share = missing / total if total else np.ones(len(missing))
    counts, persons = np.unique(measures.present.array, return_counts=True)
    return dict(
        **result,
        frames={
            "min": int(frames.min()),
            "median": float(np.median(frames)),
            "three_quarters": float(np.percentile(frames, 75)),
            "max": int(frames.max()),
            "single": int((frames == 1).sum()),
        },
        persons=dict(zip(map(str, counts.tolist()), persons.tolist(), strict=True)),
        persons_stored=int(measures.persons.array.max()),
        joints=inspection.joints,
        channels=inspection.channels,
        dtypes=dict(measures.dtypes),
        coordinates={
            "low": _finite(measures.low.array, np.min),
            "high": _finite(measures.high.array, np.max),
            "person": _finite(measures.size.array[:, None], np.median)[0],
            "unit": inspection.unit,
            "up": inspection.up,
        },
        layouts=inspection.layouts,
        own_layout=inspection.own_layout,
        empty_frames=int(measures.empty_frames.array.sum()),
        missing_joints={
            "share": float(share.mean()),
            "per_joint": share.tolist(),
            "worst": int(share.argmax()),
        },
        scores={
            "min": measures.scores[0],
            "max": measures.scores[1],
            "hidden": int(measures.hidden.array.sum()),
        }
        if measures.scores
        else None,
    )


def _per_class(
    labels: Labels, samples: NDArray[np.bool_] | None = None
) -> dict[str, int]:
    """Return the number of samples of each label. Labels are text, as in JSON keys."""
    return {str(label): count for label, count in labels.count(samples).items()}


def _finite(
    rows: np.ndarray, reduce: Callable[[np.ndarray], np.floating]
) -> list[float | None]:
    """Reduce each column over the rows without NaN. Return None without such rows."""
    rows = rows[~np.isnan(rows).any(axis=1)]
    return [float(reduce(column)) if len(rows) else None for column in rows.T]


def config_lines(numbers: Report, ann_file: str) -> list[str]:
    """Return the lines that a config for this file needs.

    Args:
        numbers: result of `overview`.
        ann_file: path of the annotation file.

    Returns:
        Lines of Python code; an empty list without valid samples.
    """
    labels = numbers["classes"]["labels"]
    if not labels or "frames" not in numbers:
        return []
    classes = max(labels[-1] + 1, len(numbers["classes"]["names"] or ()))
    scored = numbers["scores"] is not None
    channels = numbers["channels"] + scored
    layouts, own = numbers["layouts"], numbers["own_layout"] or {}
    own = ", ".join(
        f"{key}={own.get(key, '...')}" for key in ("num_node", "inward", "center")
    )
    layout = repr(layouts[0]) if layouts else f"dict(_delete_=True, {own})"
    others = f"  # or {', '.join(map(repr, layouts[1:]))}" if layouts[1:] else ""
    train, test = (numbers["pairs"] or [[None, None]])[0]
    names = [*"xyz"[: numbers["channels"]], *["score"] * scored]
    return [
        f"ann_file = {ann_file!r}",
        "model = dict(",
        "    backbone=dict(",
        f"        in_channels={channels},  # {', '.join(names)}",
        f"        graph_cfg=dict(layout={layout})),{others}",
        f"    cls_head=dict(num_classes={classes}))",
        "# In the pipelines:",
        f"#     clip_len={clip_len(numbers)}, FormatGCNInput(num_person="
        f"{num_person(numbers)})",
    ] + [f"# In the data sets: {line}" for line in _data_set(ann_file, train, test)]


def _data_set(ann_file: str, train: str | None, test: str | None) -> list[str]:
    """Return the arguments of the data sets other than `ann_file`."""
    packed = ann_file.rstrip("/").endswith(".packed")
    lines = ["type='PackedSkeletonDataset'"] if packed else []
    return lines + ([f"split={train!r}, split={test!r}"] if train else [])


def clip_len(numbers: Report) -> int:
    """Return a clip length in frames that covers three quarters of the sequences.

    The length is a multiple of 8, since two blocks of the network have a temporal stride.
    """
    longest: float = numbers["frames"]["three_quarters"]
    return min(max(8 * math.ceil(longest / 8), 16), LONGEST_CLIP)


def num_person(numbers: Report) -> int:
    """Return a number of persons that is sufficient for 95 % of the samples."""
    persons = {int(count): samples for count, samples in numbers["persons"].items()}
    total, covered = sum(persons.values()), 0
    for count in sorted(persons):
        covered += persons[count]
        if covered >= 0.95 * total:
            return max(count, 1)
    return 1
