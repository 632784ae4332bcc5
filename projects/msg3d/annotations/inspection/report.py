"""Report of the annotation checker as text or JSON.

It contains statistics, lines for a config, and faults.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import numpy as np

from ..faults import Fault
from .inspect import Inspection
from .labels import Labels, pairs_of

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
    return dict(
        file=path,
        errors=len(seen.errors),
        warnings=len(seen.warnings),
        **numbers,
        config=config_lines(numbers, path),
        faults=[fault.as_dict() for fault in seen.faults],
    )


def as_text(report: Report, seen: Inspection, show: int) -> str:
    """Return the report of an inspection as text.

    Args:
        report: result of `as_json`.
        seen: result of `inspect_annotations` for the same file.
        show: maximum number of faults to list per kind.
    """
    lines = [f"{report['file']}: {report['samples']} samples", *_splits(report)]
    lines += _classes(report)
    if "frames" in report:
        lines += _measured(report)
    if report["config"]:
        lines += ["", "for a config:", *(f"    {line}" for line in report["config"])]
    for title, faults in (("errors", seen.errors), ("warnings", seen.warnings)):
        if faults:
            lines += ["", f"{title} ({len(faults)}):", *_faults(faults, show)]
    if not seen.faults:
        lines += ["", "no faults"]
    return "\n".join(lines)


def _splits(report: Report) -> list[str]:
    faults = report["faults"]
    lines = []
    for name, count in report["splits"].items():
        field = f"split[{name!r}]"
        leaks = [fault["kind"] for fault in faults if fault["field"] == field]
        identical, mostly = leaks.count("leak-identical"), leaks.count("leak-mostly")
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


def _faults(faults: list[Fault], show: int) -> list[str]:
    """Return lines with the first faults of each kind, and the number of the others."""
    lines = []
    for kind, group in groupby(faults, key=lambda fault: fault.kind):
        of_kind = list(group)
        lines.append(f"  {kind} ({len(of_kind)})")
        lines += [f"    {fault}" for fault in of_kind[:show]]
        if len(of_kind) > show:
            lines.append(f"    ... and {len(of_kind) - show} more")
    return lines


def unreadable(error: Exception, path: str) -> Report:
    """Return the JSON report of an annotation file that cannot be read."""
    fault = Fault("unreadable", str(error))
    return {"file": path, "errors": 1, "warnings": 0, "faults": [fault.as_dict()]}


def overview(inspection: Inspection) -> Report:
    """Return the statistics of the report: splits, classes, lengths, and coordinates."""
    measures = list(inspection.measures.values())
    labels = inspection.labels
    persons = Counter(int(sample.present.sum()) for sample in measures)
    result = {
        "samples": inspection.samples,
        "splits": {name: len(set(ids)) for name, ids in inspection.splits.items()},
        "pairs": [list(pair) for pair in pairs_of(inspection.splits)],
        "classes": {
            "labels": sorted({label for values in labels.values() for label in values}),
            "names": inspection.classes,
            "samples": _per_class(labels, labels),
            "per_split": {
                name: _per_class(labels, set(ids))
                for name, ids in inspection.splits.items()
            },
        },
    }
    if not measures:
        return result
    frames = np.array([sample.frames for sample in measures])
    total = sum(sample.person_frames for sample in measures)
    missing = np.sum([sample.missing for sample in measures], axis=0)
    share = missing / total if total else np.ones(len(missing))
    scores = [sample.scores for sample in measures if sample.scores]
    return dict(
        **result,
        frames={
            "min": int(frames.min()),
            "median": float(np.median(frames)),
            "three_quarters": float(np.percentile(frames, 75)),
            "max": int(frames.max()),
            "single": int((frames == 1).sum()),
        },
        persons={str(count): persons[count] for count in sorted(persons)},
        persons_stored=max(sample.persons for sample in measures),
        joints=inspection.joints,
        channels=inspection.channels,
        dtypes=dict(Counter(sample.dtype for sample in measures)),
        coordinates={
            "low": _finite(np.array([sample.low for sample in measures]), np.min),
            "high": _finite(np.array([sample.high for sample in measures]), np.max),
            "person": _finite(
                np.array([[sample.size] for sample in measures]), np.median
            )[0],
            "unit": inspection.unit,
            "up": inspection.up,
        },
        layouts=inspection.layouts,
        own_layout=inspection.own_layout,
        empty_frames=sum(int(sample.empty_frames.sum()) for sample in measures),
        missing_joints={
            "share": float(share.mean()),
            "per_joint": share.tolist(),
            "worst": int(share.argmax()),
        },
        scores={
            "min": min(low for low, _ in scores),
            "max": max(high for _, high in scores),
            "hidden": sum(sample.hidden for sample in measures),
        }
        if scores
        else None,
    )


def _per_class(labels: Labels, ids: Iterable[str]) -> dict[str, int]:
    """Return the number of samples of each label. Labels are text, as in JSON keys."""
    counts = Counter(label for name in ids for label in labels.get(name, ()))
    return {str(label): counts[label] for label in sorted(counts)}


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
